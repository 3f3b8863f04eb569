"""Balance of outcomes before adoption on its date, from estimates under random timing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.core.details import BalanceTest
from replication.core.errors import SpecError


def timing_balance(
    context: AnalysisContext, *, specs: Mapping[str, str], rows: Mapping[str, str]
) -> pd.DataFrame:
    """Differences before adoption with their tests, one block per specification.

    Parameters
    ----------
    specs : heading -> id of a specification of ``roth_santanna``.
    rows : estimand (``att``, ``group``, ``calendar``, ``event:0``, ...) -> label; two joint tests
        of all estimands of the specification follow.

    Returns
    -------
    DataFrame
        ``group``, ``label``, ``difference`` and ``std_error`` (missing for the joint tests),
        ``statistic``, ``p_value`` (normal, or chi-squared for the Wald test) and
        ``fisher_p_value`` (missing without permutation).
    """
    found = []
    for heading, spec_id in specs.items():
        balance = context.estimates(spec_id).details.balance
        if balance is None or not balance.rows:
            raise SpecError(
                f"The specification {spec_id!r} has no balance test. Use one of roth_santanna "
                "whose cohorts are observed before they adopt."
            )
        found += [{"group": heading, **line} for line in _lines(balance, rows, spec_id)]
    columns = ["group", "label", "difference", "std_error", "statistic", "p_value"]
    return pd.DataFrame(found, columns=[*columns, "fisher_p_value"])


def _lines(balance: BalanceTest, rows: Mapping[str, str], spec_id: str) -> Iterator[dict[str, Any]]:
    known = {line.row: line for line in balance.rows}
    for name, label in rows.items():
        if name not in known:
            raise SpecError(
                f"The balance test of {spec_id!r} has no row {name!r}. It has: {', '.join(known)}."
            )
        yield {"label": label, **asdict(known[name])}
    count = len(known)
    yield {"label": f"Largest |t| of all {count} estimands", **asdict(balance.largest)}
    wald = balance.wald
    yield {"label": f"Wald test, {wald.df} degrees of freedom", **asdict(wald)}
