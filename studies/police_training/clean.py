"""The panel of Chicago police officers."""

from __future__ import annotations

from pathlib import Path

from replication.cleaning.recipe import Cleaned
from replication.sources.police_training import read_police_training
from replication.sources.raw_files import finder
from studies.police_training.officer_month import OFFICER_MONTH, build_officer_month


def clean(root: Path) -> Cleaned:
    """Chicago police officers by month, 2011-2016, as published with the R package staggered."""
    place = finder(root)
    frame, flow = build_officer_month(read_police_training(place("police_training")))
    return Cleaned({"officer_month": (frame, OFFICER_MONTH)}, flow)
