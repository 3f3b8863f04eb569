"""The interface of ``import replication as rp`` beyond the estimators: data, results, tables and plots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from replication.core.column_roles import named_columns
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates
from replication.core.frames import read_frame, without_marks
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.sample_selection import identifier_columns
from replication.core.spec import Inference, Spec, parse_spec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from replication.checks.panel_check import PanelCheck
    from replication.report.result_table import ResultTable

ROLES = ("unit", "time", "cohort", "cluster", "weights", "covariates")
"""Columns that ``estimate`` and ``read_panel`` name."""


def estimate(
    data: pd.DataFrame | str | Path,
    *,
    outcome: str,
    estimator: str = "callaway_santanna",
    unit: str = "unit",
    time: str = "time",
    cohort: str = "cohort",
    cluster: str | Sequence[str] | None = None,
    weights: str | None = None,
    covariates: str | Sequence[str] = (),
    **options: Any,
) -> Estimates:
    """Estimate the effect of a staggered treatment on a tidy panel.

    Parameters
    ----------
    data : DataFrame, or path of a .csv, .csv.gz, .xlsx, .parquet, or .dta file
        One row per unit and period.
    outcome : str
        Column of the outcome.
    estimator : str
        ``twfe``, ``event_study``, ``poisson``, ``callaway_santanna``, ``sun_abraham``, ``imputation``,
        ``two_stage``, ``etwfe``, ``stacked``, ``local_projections``, ``synthetic_did``, ``dcdh``, ...
    unit : str
        Column of the unit.
    time : str
        Column of the period: whole numbers, quarters, months, or dates.
    cohort : str
        Column of the first treated period; 0, empty, or Inf: never treated.
    cluster : str or sequence of str, optional
        Columns of the clusters of the standard errors; the unit by default.
    weights : str, optional
        Column of the weights. Weighted and unweighted estimates have different estimands.
    covariates : str or sequence of str
        Columns of the covariates.
    **options
        Any other key of a specification, as ``replication explain`` prints them: ``trends``, ``window``,
        ``control_group``, ``anticipation``, ``inference={"method": "wild"}``, ... Those that read data:
        ``time_format``, ``never=9999``, ``cohort_from="policy"`` (a 0/1 column), ``duplicates`` and
        ``read={"strip_blanks": True}``.

    Returns
    -------
    Estimates
        With ``summary()``, ``tidy()``, ``aggregate()``, ``plot()``, ``vcov``, and ``notes``.

    Raises
    ------
    InputError
        If a column, a value, or a choice cannot be used; the message says which, where, and what to do.

    Examples
    --------
    >>> import replication as rp
    >>> fit = rp.estimate(rp.simulated_panel(seed=1), outcome="y", estimator="imputation")
    >>> fit.aggregate("simple").tidy()[["term", "estimate", "std.error"]].round(3)
      term  estimate  std.error
    0  att     0.719      0.043
    """
    from replication.estimators.estimate_spec import estimate as estimate_spec
    from replication.estimators.unused_keys import find_unused_keys, with_notes

    columns = {"unit": unit, "time": time, "cohort": cohort, "cluster": cluster, "weights": weights}
    spec = _spec(outcome, estimator, {**columns, "covariates": covariates, **options}, "estimate()")
    found = estimate_spec(build_panel(_frame(data, spec), spec), spec)
    return with_notes(found, find_unused_keys([spec]).get(spec.id, []))


def read_panel(data: pd.DataFrame | str | Path, *, outcome: str, **columns: Any) -> Panel:
    """Read a tidy panel once, to hand it to several estimators.

    Parameters
    ----------
    data : DataFrame, or path of a .csv, .csv.gz, .xlsx, .parquet, or .dta file
    outcome : str
        Column of the outcome.
    **columns
        ``unit``, ``time``, ``cohort``, ``cluster``, ``weights``, ``covariates`` as in ``estimate``, and
        ``treatment``, ``trends``, ``offset``, ``sample``, ``never``, ``read``, ... of a specification.

    Returns
    -------
    Panel
        The same as ``Panel.from_frame`` gives of a data frame.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> panel.y.shape
    (60, 10)
    >>> rp.twfe(panel).outcome
    'y'
    """
    spec = _spec(outcome, "twfe", columns, "read_panel()")
    # Results carry the name of the estimator that takes the panel.
    return replace(build_panel(_frame(data, spec), spec), spec_id="")


def check(data: pd.DataFrame | str | Path, *, outcome: str, **columns: Any) -> PanelCheck:
    """Check a tidy panel for everything that would stop estimation, and list the options that fix it.

    Parameters
    ----------
    data : DataFrame, or path of a .csv, .csv.gz, .xlsx, .parquet, or .dta file
    outcome : str
        Column of the outcome.
    **columns
        ``unit``, ``time``, ``cohort``, ``cluster``, ``weights``, ``covariates``, ``never``, ``duplicates``,
        ... as in ``estimate``.

    Returns
    -------
    PanelCheck
        Prints the cohorts, the findings, and the call that works; ``refusal`` is empty if the data can be
        used for estimation as they are.

    Raises
    ------
    InputError
        If the file cannot be read, or a column is missing.

    Examples
    --------
    >>> import replication as rp
    >>> found = rp.check(rp.simulated_panel(seed=1), outcome="y")
    >>> found.refusal
    ''
    >>> print(str(found).splitlines()[0])
    The data: 600 rows, 6 columns; 60 units (unit), 10 periods (time: 1 to 10, consecutive), balanced.
    """
    from replication.checks.panel_check import check_panel

    place = data if isinstance(data, pd.DataFrame) else Path(data)
    keys: dict[str, Any] = {}
    for key, value in _given(columns).items():
        many = value if isinstance(value, dict) else None
        keys |= {key: value} if many is None else {f"{key}.{name}": one for name, one in many.items()}
    found = check_panel(place, keys, [outcome], "check()")
    return replace(found, keys={"outcome": outcome, **found.keys})


def event_plot(
    fits: Estimates | Sequence[Estimates], *, labels: Sequence[str] | None = None, title: str | None = None
) -> Figure:
    """Draw the event studies of several results in one figure.

    Parameters
    ----------
    fits : Estimates, or sequence of Estimates
        Results with effects by event time, of the same outcome.
    labels : sequence of str, optional
        Their names in the legend; the estimators by default.
    title : str, optional
        ``Event-study estimates: OUTCOME`` by default.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SpecError
        If a result has no effects by event time, or the number of labels differs.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> figure = rp.event_plot([rp.event_study(panel), rp.imputation(panel)])
    >>> len(figure.axes)
    1
    """
    from replication.display.event_plot import event_study_figure

    fits = _results(fits)
    return event_study_figure(fits, _labels(fits, labels), title or "")


def table(
    fits: Estimates | Sequence[Estimates], *, labels: Sequence[str] | None = None, title: str = "Estimates"
) -> ResultTable:
    """Build a table of several results, with standard errors in parentheses below the estimates.

    Parameters
    ----------
    fits : Estimates, or sequence of Estimates
    labels : sequence of str, optional
        Column headings; the estimators by default.
    title : str

    Returns
    -------
    ResultTable
        Prints as text; ``to_markdown()``, ``to_latex()``, ``to_html()`` and ``save(path)`` write it.

    Raises
    ------
    SpecError
        If there is nothing to show, or the number of labels differs.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> "Overall effect" in rp.table([rp.event_study(panel), rp.imputation(panel)]).to_markdown()
    True
    """
    from replication.report.result_table import result_table

    fits = _results(fits)
    return result_table(fits, _labels(fits, labels), title)


def _spec(outcome: str, estimator: str, keys: dict[str, Any], source: str) -> Spec:
    named = {"id": estimator, "outcome": outcome, "estimator": estimator}
    return replace(parse_spec({**named, **_given(keys)}, source), id=estimator)


def _given(keys: dict[str, Any]) -> dict[str, Any]:
    """Keys as a specification has them: ``Inference`` as a mapping, and one covariate in a list."""
    if isinstance(keys.get("inference"), Inference):
        keys = {**keys, "inference": asdict(keys["inference"])}
    if isinstance(keys.get("covariates"), str):
        keys = {**keys, "covariates": [keys["covariates"]]}
    return _listed(keys)


def _frame(data: pd.DataFrame | str | Path, spec: Spec) -> pd.DataFrame:
    if isinstance(data, pd.DataFrame):
        return without_marks(data, spec.read)
    if not isinstance(data, str | Path):
        raise PanelError(
            f"The data are of type {type(data).__name__}, where a pandas DataFrame or the path of a file is "
            "needed. Pass one of the two."
        )
    return read_frame(Path(data), identifier_columns(spec), spec.read, named_columns(spec))


def _results(fits: Estimates | Sequence[Estimates]) -> list[Estimates]:
    """The results of a call with one of them, or with several."""
    given: Any = fits
    several = isinstance(given, Iterable) and not isinstance(given, pd.DataFrame | pd.Series | Mapping | str)
    found = list(given) if several else [given]
    for fit in found:
        if not isinstance(fit, Estimates):
            raise SpecError(
                f"A result is of type {type(fit).__name__}. Pass Estimates, as estimators return them: [fit]."
            )
    return found


def _labels(fits: Sequence[Estimates], labels: Sequence[str] | None) -> list[str]:
    if not fits:
        raise SpecError("No result was given. Pass a list of results, such as [fit].")
    if labels is not None and len(labels) != len(fits):
        raise SpecError(
            f"The number of labels ({len(labels)}) differs from the number of results ({len(fits)}). "
            "Give one label for each result."
        )
    if labels is not None:
        return [str(label) for label in labels]
    from replication.display.result_text import estimator_label

    return [estimator_label(fit.estimator) for fit in fits]


def _listed(values: dict[str, Any]) -> dict[str, Any]:
    """The keys that are given, tuples as the lists that a specification holds."""
    return {
        key: list(value) if isinstance(value, tuple) else _listed(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if value is not None
    }
