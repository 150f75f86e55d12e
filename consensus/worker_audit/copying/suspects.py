"""How often suspects would agree if they were independent, by what workers say whom nothing connects with them.

Copies make their own consensus: the posterior of the items that they judged together says what they say, so that their
fitted confusions are flawless and their agreement no wonder. So all judgments of a suspect, and of those that it seems
to copy, are taken out of the posterior, and its confusion is fitted anew against what is left. Where that is too little
to tell, the confusion of the fit stands: two experts among spammers agree with each other and nobody else, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_parts, number_of_shards
from consensus.kernels import copying_loops as kernels
from consensus.worker_audit.copying.shared_items import judged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.worker_audit.copying.shared_items import ByWorker, Codes, Offsets, Pairs, Reals

N_PASSES = 60  # of EM for the confusion of one suspect
STRENGTH = 4.0  # judgments a true label that the confusion of the fit is worth, where others tell little
ENOUGH = 2_000  # judgments of a suspect that its confusion is fitted to, or up to twice as many fewer


def expected_of_suspects(
    result: Consensus,
    by_worker: ByWorker,
    fitted: kernels.Fitted,
    pairs: Pairs,
    suspicious: NDArray[np.intp],
    also_near: Codes | None = None,
) -> tuple[NDArray[np.intp], Reals]:
    """Positions in ``pairs`` of those between two suspects, and the agreements that are expected of them.

    Suspects are the workers of the ``suspicious`` pairs, and near each other where one or two such pairs join them: of
    a ring, some pairs may not look suspicious before its consensus is taken away. Workers ``also_near`` are near to
    all of them.
    """
    judgments = by_worker.judgments
    a, b = pairs.a[suspicious], pairs.b[suspicious]
    suspects = np.union1d(a, b).astype(np.int32)
    position = np.full(judgments.n_workers, -1, np.int32)
    position[suspects] = np.arange(len(suspects), dtype=np.int32)
    also = np.zeros(0, np.int32) if also_near is None else also_near
    near_to, others = _within_two_steps(position[a], position[b], len(suspects))
    near_start, near = _grouped(
        np.concatenate([near_to, np.repeat(position[suspects], len(also))]),
        np.concatenate([suspects[others], np.tile(also, len(suspects))]),
        len(suspects),
    )
    begin, end = by_worker.worker_start[suspects], by_worker.worker_start[suspects + 1]
    own_start = np.concatenate([np.zeros(1, np.int64), np.cumsum(end - begin)])
    own = np.concatenate([by_worker.judgment[first:last] for first, last in zip(begin, end, strict=True)])
    of_all = kernels.Suspects(suspects, own_start, own, near_start, near)
    given = judged(judgments)
    C_own = np.empty((len(suspects), *fitted.C.shape[1:]))

    def refit(part: slice) -> None:
        starts = slice(part.start, part.stop + 1)
        some = kernels.Suspects(suspects[part], own_start[starts], own, near_start[starts], near)
        kernels.own_confusions(some, given, fitted, STRENGTH, N_PASSES, ENOUGH, C_own[part])

    result.backend.map(refit, even_parts(len(suspects), number_of_shards(len(own))))
    chosen = np.flatnonzero((position[pairs.a] >= 0) & (position[pairs.b] >= 0))
    first, second, expected = position[pairs.a[chosen]], position[pairs.b[chosen]], np.empty(len(chosen))

    def expect(part: slice) -> None:
        kernels.expected_of_suspects(first[part], second[part], of_all, given, fitted, C_own, expected[part])

    result.backend.map(expect, even_parts(len(chosen), number_of_shards(int(pairs.shared[chosen].sum()))))
    return chosen, expected


def _within_two_steps(a: Codes, b: Codes, n: int) -> tuple[Codes, Codes]:
    """All pairs of nodes 0 to n - 1, each with itself, that are joined by one or two of the links from a to b (P,)."""
    from scipy.sparse import coo_array

    nodes = np.arange(n, dtype=np.int32)
    ends = np.concatenate([nodes, a, b]), np.concatenate([nodes, b, a])
    links = coo_array((np.ones(len(ends[0])), ends), shape=(n, n)).tocsr()
    found = (links @ links).tocoo()
    order = np.lexsort((found.col, found.row))
    return found.row[order].astype(np.int32), found.col[order].astype(np.int32)


def _grouped(key: Codes, values: Codes, n: int) -> tuple[Offsets, Codes]:
    """The ``values`` of each key 0 to n - 1, in their order, and where those of each key begin (n+1,)."""
    order = np.argsort(key, kind="stable")
    start = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(key, minlength=n), out=start[1:])
    return start, values[order]
