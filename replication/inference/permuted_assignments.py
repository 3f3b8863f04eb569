"""The assignments of a permutation test, permuted across the units or clusters that were assigned.

Where all units of every cluster have one schedule (a state law on counties), the treatment was
assigned to clusters, and exchanging single units would take their outcomes as independent. Then
schedules are permuted across whole clusters (MacKinnon & Webb 2020, Journal of Econometrics 218(2)).
With few treated there are few distinct assignments; all of them are taken where they are at most
as many as the draws asked for, and the p-value is exact.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.assignment import assigned_clusters, mixed_clusters, schedule_codes
from replication.inference.block_permutation import block_permutations
from replication.inference.cluster import dense_codes, order_of_codes

# Logarithm of a number of assignments too large to enumerate and small enough for exact arithmetic.
LARGEST = 30.0


@dataclass(frozen=True, slots=True)
class Exchanges:
    """Assignments to compare with the observed one.

    Attributes
    ----------
    orders : gives (N,) positions of the units whose adoption each unit gets, one after the other
    count : how many; complete : whether these are all distinct ones but the observed
    who : the units or clusters across which schedules are permuted
    """

    orders: Callable[[], Iterator[Ints]]
    count: int
    who: str
    complete: bool = False


def exchanges(panel: Panel, inference: Inference) -> Exchanges:
    """The assignments by ``inference`` (``blocks``, ``strata``, ``draws``, ``seed``) on this panel."""
    if inference.blocks is not None:
        who = f"values of {inference.blocks}"
        return Exchanges(partial(block_permutations, panel, inference), inference.draws, who)
    strata = strata_of(panel, inference)
    codes, who = assigned_clusters(panel), f"clusters of {next(iter(panel.clusters))}"
    if codes is None or mixed_clusters(codes, strata).size:
        codes, who = np.arange(strata.size), "units"
    first = np.unique(codes, return_index=True)[1]
    labels, groups = schedule_codes(panel)[first], strata[first]
    others = count_assignments(labels, groups) - 1
    complete = others <= inference.draws
    count = int(others) if complete else inference.draws

    def orders() -> Iterator[Ints]:
        """Orders of the units from orders of the exchanged clusters or blocks."""
        found = every_assignment(labels, groups) if complete else draw_permutations(groups, inference)
        return (first[order][codes] for order in found)

    return Exchanges(orders, count, who, complete)


def strata_of(panel: Panel, inference: Inference) -> Ints:
    """(N,) codes within which units are exchanged; one stratum if none is named."""
    if inference.strata is None:
        return np.zeros(len(panel.units), dtype=np.int64)
    return panel.strata[inference.strata]


def draw_permutations(strata: Ints, inference: Inference) -> Iterator[Ints]:
    """(N,) positions of those whose adoption each one gets, draw by draw."""
    rng = np.random.default_rng(inference.seed)
    strata = dense_codes(strata)
    own = order_of_codes(strata)
    for _ in range(inference.draws):
        # Sorting random keys within strata shuffles them in place.
        drawn = order_of_keys(rng.random(strata.size))
        order = np.empty(strata.size, dtype=np.int64)
        order[own] = drawn[order_of_codes(strata[drawn])]
        yield order


def order_of_keys(keys: Floats) -> Ints:
    """(N,) places of keys between 0 and 1 in ascending order, those of equal keys as they come.

    Sorting by the first 16 bits, which is done by counting, leaves keys so nearly in order that the sort
    of the keys takes a fifth of the time.
    """
    nearly = np.argsort((keys * 2**16).astype(np.uint16), kind="stable")
    return np.asarray(nearly[np.argsort(keys[nearly], kind="stable")])


def count_assignments(labels: Ints, strata: Ints) -> float:
    """How many assignments of the labels there are within strata; infinite if beyond counting."""
    total = 0.0
    for stratum in np.unique(strata):
        counts = np.bincount(labels[strata == stratum]).tolist()
        total += math.lgamma(sum(counts) + 1) - sum(math.lgamma(n + 1) for n in counts)
    return float(round(math.exp(total))) if total < LARGEST else math.inf


def every_assignment(labels: Ints, strata: Ints) -> Iterator[Ints]:
    """One order for each distinct assignment of the labels but the observed one."""
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    parts = [list(label_orders(labels[inside].tolist())) for inside in members]
    example = np.unique(labels, return_index=True)[1]
    for chosen in itertools.product(*parts):
        placed = np.empty(labels.size, dtype=np.int64)
        for inside, part in zip(members, chosen, strict=True):
            placed[inside] = part
        if (placed != labels).any():
            yield example[placed]


def label_orders(labels: Sequence[int]) -> Iterator[list[int]]:
    """Every distinct order of the labels."""
    counts = np.bincount(labels).tolist()
    rarest_first = sorted((c, label) for label, c in enumerate(counts) if c)
    yield from _placed([-1] * len(labels), rarest_first)


def _placed(row: list[int], left: list[tuple[int, int]]) -> Iterator[list[int]]:
    """Ways to fill the open places of a row, one label after the other."""
    places = [place for place, label in enumerate(row) if label < 0]
    if not left:
        yield row
        return
    (count, label), *others = left
    for chosen in itertools.combinations(places, count):
        filled = list(row)
        for place in chosen:
            filled[place] = label
        yield from _placed(filled, others)
