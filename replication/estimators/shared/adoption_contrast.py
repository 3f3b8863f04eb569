"""Whether adoption leaves anything to compare: the check that every cohort estimator begins with.

Each estimator would otherwise stop far from the cause, with words about windows, covariates, or
control groups.
"""

from __future__ import annotations

from replication.core.arrays import Bools, Ints
from replication.core.errors import PanelError
from replication.core.panel import NEVER, Panel

COLUMN = "Check the cohort column (the first treated period; 0 or empty for never) and 'sample'."


def require_contrast(panel: Panel, anticipation: int = 0, dropped: str = "") -> None:
    """Refuse a panel whose cohorts leave no effect to estimate.

    Parameters
    ----------
    anticipation : periods before adoption that may already be affected.
    dropped : note on units that were left out before, which is then part of the cause.
    """
    if panel.periods.size == 1:
        raise PanelError(
            f"The panel has one period, {panel.written(panel.periods[0])}, and an effect needs two. Check "
            "the time column and 'sample'."
        )
    if why := no_contrast(panel, anticipation, dropped):
        raise PanelError(why)


def require_adoption(panel: Panel, dropped: str = "") -> None:
    """Refuse a panel in which no unit adopts, or all units adopt at once."""
    if why := no_adoption(panel, dropped):
        raise PanelError(why)


def no_contrast(panel: Panel, anticipation: int = 0, dropped: str = "") -> str:
    """Why no unit changes treatment while another does not, and what to do; empty if one does."""
    return all_from_the_start(panel, anticipation) or no_adoption(panel, dropped)


def from_the_start(panel: Panel, anticipation: int = 0) -> Bools:
    """(N,) units that are treated, or anticipate, from the first period on."""
    found: Bools = (panel.cohort != NEVER) & (panel.cohort - anticipation <= panel.periods[0])
    return found


def start_words(panel: Panel, anticipation: int = 0) -> str:
    """When such units are treated: ``treated in or before the first period (1)``."""
    span = f", or within {anticipation} periods after it" if anticipation else ""
    return f"treated in or before the first period ({panel.written(panel.periods[0])}{span})"


def all_from_the_start(panel: Panel, anticipation: int = 0) -> str:
    """The refusal where units are treated inside the panel, and all of them from its first period on."""
    treated = (panel.cohort != NEVER) & (panel.cohort <= panel.periods[-1])
    if not treated.any() or (treated & ~from_the_start(panel, anticipation)).any():
        return ""
    todo = "Reduce 'anticipation', start" if anticipation else "Start"
    return (
        f"All {int(treated.sum())} treated units are {start_words(panel, anticipation)}, so none of them has "
        f"a pre-treatment period. {todo} the panel earlier, or check the cohort column."
    )


def no_adoption(panel: Panel, dropped: str = "") -> str:
    """The refusal where no unit adopts by the last period, or all do at once."""
    cohorts, units = panel.cohort[panel.cohort != NEVER], panel.cohort.size
    if not cohorts.size:
        why = f"None of the {units} units in the sample is ever treated"
    elif (cohorts > panel.periods[-1]).all():
        ends = f"{panel.written(panel.periods[0])} to {panel.written(panel.periods[-1])}"
        named = f"the cohorts are {_span(panel, cohorts)}"
        if cohorts.min() == cohorts.max():
            named = f"the only cohort is {_span(panel, cohorts)}"
        why = f"No unit adopts in the panel's periods ({ends}): {named}"
    elif cohorts.size == units and (panel.first == panel.first[0]).all():
        why = (
            f"All {units} units in the sample adopt {_when(panel)}, so no unit is untreated while another is "
            "treated"
        )
    else:
        return ""
    return f"{why}{f' ({dropped})' if dropped else ''}. {COLUMN}"


def _when(panel: Panel) -> str:
    """When all units adopt: in one period, or between two that follow one another in the panel."""
    cohorts, column = panel.cohort, int(panel.first[0])
    if cohorts.min() == cohorts.max():
        return f"in period {_span(panel, cohorts)}"
    if column == 0:
        return f"in or before the first period ({panel.written(panel.periods[0])})"
    before, after = (panel.written(one) for one in panel.periods[[column - 1, column]])
    return f"after period {before} and by period {after} (the cohorts are {_span(panel, cohorts)})"


def _span(panel: Panel, cohorts: Ints) -> str:
    """The first and the last cohort."""
    return " to ".join(dict.fromkeys(panel.written(one) for one in (cohorts.min(), cohorts.max())))
