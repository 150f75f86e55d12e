"""Paths of labels that more judgments might give: drawn once, shared by all items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import SMALLEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus

    Reals = NDArray[np.float64]

N_PATHS = 1024  # with 48, lists made at once keep a tenth less of what asking one by one gains
LEAST_PATHS = 8
MOST_VISITED = 150_000_000  # labels of path steps, over all items, up to which there are N_PATHS
MOST_CELLS = 4_000_000  # of the paths' likelihoods
MOST_MATRICES = 4_000_000  # cells of confusions up to which those of all workers are made at once


def likelihood_paths(result: Consensus, activity: Reals, n_steps: int, n_items: int, _: int = 0) -> Reals:
    """(K, S, M, K) log likelihood of each label after 1 to M = ``n_steps`` more judgments, by true label and path.

    Every judgment is by a worker drawn by ``activity`` (W,), and its label from their confusions. Draws are stratified
    over the paths at each step (McKay, Beckman & Conover 1979), workers in the order of informativeness, so that few
    paths do; fewer yet where ``n_items`` walk them.
    """
    K = result.judgments.n_labels
    S = _n_paths(n_items, n_steps, K)
    rng = np.random.default_rng(result.config.seed)
    found = result.confusions
    order = _by_information(result)
    dense = found.dense() if found.n_workers * K * K <= MOST_MATRICES else None
    made = np.empty((K, S, n_steps, K))
    for k in range(K):
        if found.n_workers:
            workers, at = np.unique(_drawn(order, activity, rng, S, n_steps), return_inverse=True)
            matrices = np.stack([found.matrix(w) for w in workers.tolist()]) if dense is None else dense[workers]
        else:  # only models judged: workers as the prior has them
            at, matrices = np.zeros((S, n_steps), np.int64), _usual(found.pseudo_counts)
        drawn = matrices[at.reshape(S, n_steps)]  # (S, M, K, K)
        label = (np.cumsum(drawn[:, :, k], axis=2) < _strata(rng, S, n_steps)[:, :, None]).sum(axis=2).clip(max=K - 1)
        likelihood = np.take_along_axis(drawn, label[:, :, None, None], axis=3)[..., 0]
        made[k] = np.cumsum(np.log(np.maximum(likelihood, SMALLEST)), axis=1)
    return made


def one_coin_paths(result: Consensus, activity: Reals, n_steps: int, n_items: int, n_labels: int) -> Reals:
    """The same over the T = ``n_labels`` likeliest labels of an item, (T, S, M, T), where there are very many labels.

    Workers are right with their accuracy; a wrong answer is none of these labels, and tells them not apart.
    """
    K = result.judgments.n_labels
    T = min(n_labels, K)
    S = _n_paths(n_items, n_steps, T)
    rng = np.random.default_rng(result.config.seed)
    found = result.confusions
    if found.n_workers:
        totals, right = found.totals().sum(axis=1), found.right().sum(axis=1)
        usual = (right.sum() + 1.0) / (totals.sum() + 2.0)
        accuracy = ((right + usual) / (totals + 1.0))[_drawn(_by_information(result), activity, rng, S, n_steps)]
    else:
        accuracy = np.full((S, n_steps), float(np.diag(_usual(found.pseudo_counts)[0]).mean()))
    accuracy = np.clip(accuracy, 1e-3, 1.0 - 1e-3)
    gain = np.log(accuracy * (K - 1) / (1.0 - accuracy))
    made = np.zeros((T, S, n_steps, T))
    for k in range(T):
        made[k, :, :, k] = np.cumsum(np.where(_strata(rng, S, n_steps) < accuracy, gain, 0.0), axis=1)
    return made


def _n_paths(n_items: int, n_steps: int, n_labels: int) -> int:
    each = max(n_items, 1) * n_steps * n_labels
    most = min(N_PATHS, MOST_CELLS // (n_labels * n_steps * n_labels))
    return int(np.clip(MOST_VISITED // each, LEAST_PATHS, max(most, LEAST_PATHS)))


def _by_information(result: Consensus) -> NDArray[np.int64]:
    """(W,) workers, the least informative first."""
    found = result.confusions
    return np.lexsort((np.arange(found.n_workers), result.informativeness))


def _drawn(order: NDArray[np.int64], activity: Reals, rng: np.random.Generator, S: int, M: int) -> NDArray[np.int64]:
    """(S, M) workers, drawn by activity."""
    done = np.cumsum(activity[order])
    return np.asarray(order[np.searchsorted(done, _strata(rng, S, M) * done[-1]).clip(max=len(order) - 1)], np.int64)


def _strata(rng: np.random.Generator, S: int, M: int) -> Reals:
    """(S, M) draws from (0, 1), one in each S-th of it at every step."""
    return np.asarray((rng.permuted(np.tile(np.arange(S), (M, 1)), axis=1).T + rng.random((S, M))) / S, np.float64)


def _usual(A: Reals) -> Reals:
    """(1, K, K) mean confusions under the prior."""
    return np.asarray((A / A.sum(axis=1, keepdims=True))[None], np.float64)
