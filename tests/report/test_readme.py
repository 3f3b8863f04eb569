"""The README's list of outputs names files that are there."""

from __future__ import annotations

import re
from pathlib import Path

from replication.workflow.readme import listing

ROOT = Path(__file__).parents[2]


def test_the_list_names_the_file_that_makes_each_output() -> None:
    lines = listing(ROOT).splitlines()[2:]
    makers = [re.findall(r"`([^`]+)`", line)[-1] for line in lines]
    assert len(makers) > 50
    assert [name for name in makers if not (ROOT / name).is_file()] == []


def test_the_list_names_sources_from_the_root_on() -> None:
    lines = listing(ROOT).splitlines()[2:]
    sources = {name for line in lines for name in re.findall(r"`([^`]+\.csv)`", line)}
    assert "tables/secure_communities_simulated/analyses/known_paths_SIMULATED.csv" in sources
    places = ("tables/", "data_clean/", "data_raw/")
    assert [name for name in sources if not name.startswith(places)] == []
    assert not any("/tables/" in name or "//" in name for name in sources)
