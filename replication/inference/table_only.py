"""Inference in one draw of a resampling method, which reads the table of the estimates or less.

Most of the time of an estimate goes into what a reader wants to know about it: which clusters matter,
how many support it, notes, a test of the leads. None of this is read in a draw. An estimator
may leave it out where the inference is of these classes, and may as well ignore them.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TypeVar

from replication.core.spec import Inference


class TableOnly(Inference):
    """Analytic inference of which the table is read, and neither notes nor other details."""

    __slots__ = ()


class PointsOnly(TableOnly):
    """Analytic inference of which the estimates are read; standard errors may be missing."""

    __slots__ = ()


Kind = TypeVar("Kind", bound=TableOnly)


def in_draw(inference: Inference, kind: type[Kind]) -> Kind:
    """The inference inside one draw of a method that ``inference`` describes."""
    known = {one.name: getattr(inference, one.name) for one in fields(Inference)}
    return kind(**{**known, "method": "analytic", "draws": 1})
