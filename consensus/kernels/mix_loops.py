"""Loops over the label mixes of workers or groups: the prior of an item is the mean of those of its judgments."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals


@kernel()
def digamma(x: float) -> float:
    """psi(x) for x > 0, as in ``em``, but with all eight steps of the recurrence at once: most counts here are small.

    1/x + 1/(x + 1) + .. + 1/(x + 7) = (2x + 7) (1/y + 1/(y + 6) + 1/(y + 10) + 1/(y + 12)) with y = x (x + 7).
    """
    shift = 0.0
    if x < 8.0:
        y = x * (x + 7.0)
        a, b = y * (y + 6.0), (y + 10.0) * (y + 12.0)
        shift = (2.0 * x + 7.0) * ((2.0 * y + 6.0) * b + (2.0 * y + 22.0) * a) / (a * b)
        x += 8.0
    g = 1.0 / x
    f = g * g
    series = f * (1 / 12 - f * (1 / 120 - f * (1 / 252 - f * (1 / 240 - f / 132))))
    return math.log(x) - 0.5 * g - series - shift


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
    """``out_priors[i]`` (n, K): the mean of ``theta`` (S, K) over the ``owner`` of the judgments of item i.

    Both may be wider, and then equally wide. An owner of -1 has the last row of ``theta``. Items without judgments are
    left as they are.
    """
    n_labels, last = theta.shape[1], theta.shape[0] - 1
    if n_labels == 4:
        _mixed_of_four(item_start, owner, theta, out_priors)
        return
    total = np.empty(n_labels)
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        if begin == end:
            continue
        total[:] = 0.0
        for j in range(begin, end):
            s = np.uintp(owner[j] if owner[j] >= 0 else last)
            for k in range(n_labels):
                total[k] += theta[s, k]
        for k in range(n_labels):
            out_priors[i, k] = total[k] / (end - begin)


@kernel()
def _mixed_of_four(item_start: Offsets, owner: Codes, theta: Reals, out_priors: Reals) -> None:
    """Like ``mixed_priors`` for four labels (or fewer, filled up with zeros), all in registers."""
    last = theta.shape[0] - 1
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        if begin == end:
            continue
        t0 = t1 = t2 = t3 = 0.0
        for j in range(begin, end):
            s = np.uintp(owner[j] if owner[j] >= 0 else last)  # unsigned: never counted from the end
            t0 += theta[s, 0]
            t1 += theta[s, 1]
            t2 += theta[s, 2]
            t3 += theta[s, 3]
        n = end - begin
        out_priors[i, 0], out_priors[i, 1], out_priors[i, 2], out_priors[i, 3] = t0 / n, t1 / n, t2 / n, t3 / n


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
