"""Wording that follows from the sign and the interval of an effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from replication.display import formatting
from replication.report.summary.numbers import QuotedEffect
from replication.report.tie_order import ranks

FELL, ROSE, STILL = "fell", "rose", "showed no statistically significant change"
VERBS = {-1: FELL, 1: ROSE, 0: STILL}


def verb(effect: QuotedEffect) -> str:
    """The change of an outcome in words."""
    return VERBS[effect.direction]


def moved(effects: Mapping[str, QuotedEffect], shown: Callable[[QuotedEffect], str]) -> str:
    """The changes of outcomes in words, grouped by direction.

    ``index crimes (−5.6% [...]) and violent crimes (...) fell; property crimes (...) showed no
    statistically significant change``.
    """
    parts = []
    for direction in (-1, 1, 0):
        names = [
            f"{name} ({shown(effect)})" for name, effect in effects.items() if effect.direction == direction
        ]
        if names:
            parts.append(f"{formatting.listed(names)} {VERBS[direction]}")
    return "; ".join(parts)


def labeled(effects: Mapping[str, QuotedEffect], shown: Callable[[QuotedEffect], str]) -> str:
    """Effects one after the other, each with its name: ``−4.8% [...] (weighted) and −3.5% [...] (raw)``."""
    return formatting.listed(f"{shown(effect)} ({name})" for name, effect in effects.items())


def changed(before: Mapping[str, QuotedEffect], after: Mapping[str, QuotedEffect], cause: str) -> str:
    """The effect of a design change on estimates whose interval excluded zero.

    ``County trends render the estimate insignificant for index crimes and leave it significant for violent
    crimes.`` Significance is at the 5% level, that of the intervals.
    """
    clear = [name for name, effect in before.items() if effect.direction]
    lost = [name for name in clear if after[name].direction == 0]
    turned = [name for name in clear if after[name].direction == -before[name].direction]
    kept = [name for name in clear if name not in lost and name not in turned]
    gained = [name for name, effect in after.items() if effect.direction and name not in clear]
    parts = [
        f"render the estimate insignificant for {formatting.listed(lost)}" if lost else "",
        f"reverse the sign for {formatting.listed(turned)}" if turned else "",
        f"leave it significant for {formatting.listed(kept)}" if kept else "",
        f"render it significant for {formatting.listed(gained)}" if gained else "",
    ]
    words = formatting.listed(parts) or "change nothing, as every interval contained zero before"
    return formatting.sentence(f"{cause} {words}")


def spread(effects: Iterable[QuotedEffect]) -> tuple[QuotedEffect, QuotedEffect]:
    """The lowest and the highest of several effects; of equal ones the first and last by source."""
    found = list(effects)
    rank = dict(zip(map(id, found), ranks(effect.estimate for effect in found), strict=True))
    ordered = sorted(found, key=lambda effect: (rank[id(effect)], effect.source))
    return ordered[0], ordered[-1]


def excludes(effect: QuotedEffect) -> str:
    """Whether an interval excludes zero, in words."""
    return "excludes zero" if effect.direction else "contains zero"


def many(count: int, one: str, several: str = "") -> str:
    """``no state``, ``one state``, ``3 states``, for the length of a list that follows."""
    if count == 0:
        return f"no {one}"
    return f"one {one}" if count == 1 else f"{count} {several or one + 's'}"
