"""Loops over the label mixes of workers or groups: the prior of an item is the mean of those of its judgments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals


@kernel()
def mixed_priors(item_start: Offsets, owner: Codes, theta: Reals, out_priors: Reals) -> None:
    """``out_priors[i]`` (n, K) or wider: the mean of ``theta`` (S, K) over the ``owner`` of the judgments of item i.

    An owner of -1 has the last row of ``theta``. Items without judgments are left as they are.
    """
    n_labels, last = theta.shape[1], theta.shape[0] - 1
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        if begin == end:
            continue
        for k in range(n_labels):
            out_priors[i, k] = 0.0
        for j in range(begin, end):
            s = owner[j] if owner[j] >= 0 else last
            for k in range(n_labels):
                out_priors[i, k] += theta[s, k]
        for k in range(n_labels):
            out_priors[i, k] /= end - begin


@kernel()
def means(
    item_start: Offsets, candidate_start: Offsets, cell: Codes, theta: Reals, prior: Reals, out_prior: Reals
) -> None:
    """Beside very many labels: ``out_prior`` (candidates,) = mean of ``theta`` (cells,) over the judgments of the item.

    Candidates and ``cell`` as in ``sparse``. Without judgments it is ``prior`` (candidates,).
    """
    n = 0
    for i in range(item_start.shape[0] - 1):
        begin, end = candidate_start[i], candidate_start[i + 1]
        n_judgments = item_start[i + 1] - item_start[i]
        for c in range(begin, end):
            out_prior[c] = 0.0 if n_judgments else prior[c]
        for _ in range(n_judgments):
            for c in range(begin, end):
                out_prior[c] += theta[cell[n]] / n_judgments
                n += 1
