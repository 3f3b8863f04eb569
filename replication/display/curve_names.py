"""Names of the rows of a curve over doses, as tables and summaries print them."""

from __future__ import annotations

NAMES = {"att_d:": "ATT", "acrt_d:": "ACRT"}


def curve_name(term: str) -> str:
    """``ATT(0.5)``, ``ACRT(0.5)`` or ``Overall slope`` (per unit of dose); empty for other terms."""
    if term == "acrt":
        return "Overall slope"
    for start, name in NAMES.items():
        if term.startswith(start):
            return f"{name}({float(term.removeprefix(start)):.4g})"
    return ""
