"""The sample flow: losses by rule, in units and in people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FlowLine:
    """One rule: units, people and rows before and after it."""

    rule: str
    units_before: int
    units_after: int
    people_before: int
    people_after: int
    rows_before: int
    rows_after: int


@dataclass(frozen=True)
class SampleFlow:
    """Rules in the order in which they were applied.

    People are counted by one population for each unit, the same at every step, so that a rule's
    loss is never mixed with growth. Codes that are later merged count once, with the unit that
    they end up in; a code without population (a statewide record) counts no people.

    Attributes
    ----------
    people : population of each unit, indexed by the unit's final code.
    unit : column that identifies a unit.
    noun : name of the units in the columns of the table: ``counties``, ``states``.
    merged : code before a merge -> code after it.
    lines : the rules applied so far.
    """

    people: pd.Series
    unit: str = "fips"
    noun: str = "counties"
    merged: Mapping[int, int] = field(default_factory=dict)
    lines: tuple[FlowLine, ...] = ()

    def record(self, rule: str, before: pd.DataFrame, after: pd.DataFrame) -> SampleFlow:
        """The flow with one more rule, which turned ``before`` into ``after``."""
        line = FlowLine(
            rule,
            before[self.unit].nunique(),
            after[self.unit].nunique(),
            self._people(before),
            self._people(after),
            len(before),
            len(after),
        )
        return replace(self, lines=(*self.lines, line))

    def keep(
        self, frame: pd.DataFrame, rows: NDArray[np.bool_] | pd.Series, rule: str
    ) -> tuple[pd.DataFrame, SampleFlow]:
        """The rows where ``rows`` is true, and the flow with that rule."""
        kept = frame[np.asarray(rows, dtype=bool)].reset_index(drop=True)
        return kept, self.record(rule, frame, kept)

    def table(self) -> pd.DataFrame:
        """One row per rule.

        Returns
        -------
        DataFrame
            ``step`` (1, 2, ...), ``rule``, ``<noun>_before``, ``<noun>_after``,
            ``people_before``, ``people_after``, ``rows_before``, ``rows_after``.
        """
        names = ["units_before", "units_after", "people_before", "people_after"]
        names = ["rule", *names, "rows_before", "rows_after"]
        table = pd.DataFrame([[getattr(line, name) for name in names] for line in self.lines], columns=names)
        table.insert(0, "step", np.arange(1, len(table) + 1))
        return table.rename(columns=lambda name: name.replace("units_", f"{self.noun}_"))

    def _people(self, frame: pd.DataFrame) -> int:
        units = {self.merged.get(unit, unit) for unit in frame[self.unit].unique().tolist()}
        return round(float(self.people.reindex(sorted(units)).sum()))
