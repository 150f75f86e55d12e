"""Loops over the label mixes of workers or groups: the prior of an item is the mean of those of its judgments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel
from consensus.kernels.em import digamma

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals


@kernel()
def concentration(
    n: Reals,
    label: Offsets,
    total: Reals,
    pi: Reals,
    start: float,
    n_steps: int,
    gamma: tuple[float, float],
    within: tuple[float, float],
) -> float:
    """The concentration s of the label mixes around ``pi`` (K,), after ``n_steps`` fixed-point steps from ``start``.

    ``n`` (P,) are the counts of workers or groups by ``label`` (P,), ``total`` (S,) the sums of each. A step is

        s = (sum s pi (psi(n + s pi) - psi(s pi)) + shape - 1) / (sum (psi(total + s) - psi(s)) + rate)

    ``within`` these bounds, ``gamma`` the shape and rate of its prior. It ends early where s stands still.
    """
    shape, rate = gamma
    s, base, psi = start, np.empty(pi.shape[0]), np.empty(pi.shape[0])
    for _ in range(n_steps):
        for k in range(pi.shape[0]):
            base[k] = s * pi[k]
            psi[k] = digamma(base[k])
        gained, lost, psi_s = 0.0, 0.0, digamma(s)
        for p in range(n.shape[0]):
            if n[p] > 0.0:  # else the difference is 0
                k = label[p]
                gained += base[k] * (digamma(n[p] + base[k]) - psi[k])
        for w in range(total.shape[0]):
            if total[w] > 0.0:
                lost += digamma(total[w] + s) - psi_s
        before = s
        s = min(max((gained + shape - 1.0) / (lost + rate), within[0]), within[1])
        if s == before:
            break
    return s


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
