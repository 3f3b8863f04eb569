"""The castle doctrine panel."""

from __future__ import annotations

from pathlib import Path

from replication.cleaning.recipe import Cleaned
from replication.sources import hand_entered
from replication.sources.castle_panel import read_castle
from replication.sources.raw_files import typed_table
from studies.castle_doctrine import state_year
from studies.castle_doctrine.state_year_schema import STATE_YEAR


def clean(root: Path) -> Cleaned:
    """States by 2000-2010, shipped by the package causaldata."""
    frame, flow = state_year.build_state_year(
        read_castle(),
        hand_entered.read_castle_adoption(typed_table(root, "castle_doctrine_adoption")),
        hand_entered.read_regions(typed_table(root, "census_regions")),
    )
    return Cleaned({"state_year": (frame, STATE_YEAR)}, flow)
