"""Permutation of adoption schedules between whole groups of units.

Where most of a group adopts on one date (the counties of a state), exchanging single units breaks
up what was assigned together, and the draws vary far less than the actual assignment.
Here every block takes the schedule of another block: a unit at a given place of its own block,
units in order of adoption, adopts as the unit at the same relative place of the block drawn. The
test is exact where blocks are of one size and their schedules exchangeable; with blocks of
different sizes the schedules are stretched or thinned, and it is an approximation.

The order of adoption inside a block is kept, so a difference between its early and late units that
has nothing to do with adoption stays in every draw, and the draws need not be centered at zero.
With the blocks named as strata as well, units are also exchanged inside their block.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from replication.core.arrays import Ints
from replication.core.errors import PanelError
from replication.core.panel import NEVER, Panel
from replication.core.spec import Inference


def block_permutations(panel: Panel, inference: Inference) -> Iterator[Ints]:
    """(N,) positions of the units whose adoption each unit gets, draw by draw.

    Parameters
    ----------
    inference : ``blocks`` names the column (in ``panel.strata``), ``strata`` nothing or the same
        column; ``draws`` and ``seed`` are used.

    Raises
    ------
    PanelError
        If there are fewer than two blocks, or strata of another column.
    """
    assert inference.blocks is not None
    if inference.strata not in (None, inference.blocks):
        raise PanelError(
            f"Schedules are permuted across values of {inference.blocks!r} ('blocks'), and dates may be "
            f"permuted inside them, but not within {inference.strata!r} ('strata'). Leave 'strata' empty, or "
            "name the same column."
        )
    blocks = ranked_blocks(panel, panel.strata[inference.blocks])
    if len(blocks) < 2:
        raise PanelError(
            f"All units share one value of {inference.blocks!r}, so schedules cannot be permuted across "
            "values. Name a finer column in 'inference.blocks'."
        )
    # Few pairs of a size and a block, drawn thousands of times.
    matched = cache(lambda count, drawn: matched_units(count, blocks[drawn]))
    rng = np.random.default_rng(inference.seed)
    for _ in range(inference.draws):
        order = np.empty(len(panel.units), dtype=np.int64)
        for own, drawn in zip(blocks, rng.permutation(len(blocks)).tolist(), strict=True):
            placed = own if inference.strata is None else rng.permutation(own)
            order[placed] = matched(own.size, drawn)
        yield order


def ranked_blocks(panel: Panel, codes: Ints) -> list[Ints]:
    """Positions of the units of each block in order of adoption, never-treated units last."""
    beyond = np.iinfo(np.int64).max
    adoption = np.where(panel.cohort == NEVER, beyond, panel.cohort)
    ranked = np.lexsort((-panel.dose.sum(axis=1), adoption, codes))
    ends = np.cumsum(np.bincount(codes))[:-1]
    return [block for block in np.split(ranked, ends) if block.size]


def matched_units(count: int, block: Ints) -> Ints:
    """(count,) units of ``block`` at the relative places of ``count`` units."""
    place = ((np.arange(count) + 0.5) / count * block.size).astype(np.int64)
    return block[place]
