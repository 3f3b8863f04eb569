"""The graph of the rules in the documentation is the one that Snakemake gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_project import ROOT

from replication.core.errors import InputError
from replication.workflow.rule_graph import END, PAGE, START, rule_graph, write_graph


def test_the_graph_in_the_documentation_is_that_of_the_rules(finished: Path, tmp_path: Path) -> None:
    graph = rule_graph(finished)
    assert {"    clean --> estimate", "    estimate --> gather"} <= set(graph.splitlines())
    shown = (ROOT / PAGE).read_text(encoding="utf-8").partition(START)[2].partition(END)[0]
    assert shown.strip() == graph
    page = tmp_path / "page.md"
    page.write_text(f"before\n{START}\nold\n{END}\nafter\n", encoding="utf-8")
    write_graph(finished, page)
    assert page.read_text(encoding="utf-8") == f"before\n{START}\n{graph}\n{END}\nafter\n"


def test_a_page_without_markers_and_a_folder_without_rules_are_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(InputError, match="has lost its markers"):
        write_graph(tmp_path, page)
    with pytest.raises(InputError, match="Snakemake gives no graph"):
        rule_graph(tmp_path)
