"""What a decomposition of two-way fixed effects found, as lines for a terminal."""

from __future__ import annotations

from typing import Final

from replication.core.details import Details
from replication.core.wording import counted

KINDS: Final = {
    "treated_vs_never": "treated against never-treated",
    "earlier_vs_later": "earlier adopters against later ones that are not yet treated",
    "later_vs_earlier": "later adopters against earlier ones that are already treated",
    "treated_vs_always": "treated against always-treated",
}
"""Kinds of comparisons in the Goodman-Bacon decomposition."""
WHOLE: Final = "Every weight is a row of the result (estimates.csv)."


def decomposition_lines(details: Details) -> list[str]:
    """Total weight and average estimate by kind of comparison, or the negative weights; else nothing."""
    if details.comparisons:
        lines = ["", f"{'Comparison':<62}{'weight':>8}{'average estimate':>18}"]
        for kind, words in KINDS.items():
            parts = [one for one in details.comparisons if one.kind == kind]
            if weight := sum(one.weight for one in parts):
                mean = sum(one.weight * one.estimate for one in parts) / weight
                lines.append(f"{words[:1].upper()}{words[1:]:<61}{weight:>8.3f}{mean:>18.4g}")
        return [*lines, WHOLE]
    negative = details.find("negative_cells")
    if negative is None:
        return []
    treated = counted(int(details.find("treated_cells")), "treated unit-period")
    verb = "has a negative weight of" if negative == 1 else "have negative weights, which sum to"
    found = f"{int(negative)} of {treated} {verb} {details.find('sum_negative'):.3f}."
    return ["", found if negative else f"None of {treated} has a negative weight.", WHOLE]
