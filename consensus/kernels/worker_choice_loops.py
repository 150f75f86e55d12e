"""Which of the workers who could be asked would tell most about an item."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals

DRAWS = 12  # workers drawn for one place, until there are so many candidates


class Wanted(NamedTuple):
    """What is to be asked."""

    item: Offsets
    """(n,)"""
    judgments: Offsets
    """(n,) how many of each."""
    posterior: Reals
    """(n, K); (0, K) where workers are weighed by what they tell as usual."""


class Judged(NamedTuple):
    """Who has judged what."""

    item_start: Offsets
    """(I+1,)"""
    worker: Codes
    """(J,)"""


class Workers(NamedTuple):
    """Who can be asked, W of them."""

    code: Codes
    """(W,) of each among all workers."""
    C: Reals
    """(W, K, K) confusions."""
    row_entropy: Reals
    """(W, K) their entropies."""
    usual: Reals
    """(W,) what they tell, without posteriors."""
    price: Reals
    """(W,)"""
    drawn: Codes
    """(a power of 2,) each as often as they are to be drawn."""


@kernel()
def choose(
    wanted: Wanted,
    judged: Judged,
    workers: Workers,
    seed: int,
    n_candidates: int,
    quota: Offsets,
    out_worker: Codes,
    out_told: Reals,
) -> None:
    """``out_worker[r]`` (n, M): the workers for the judgments that are wanted of each item, -1 where there is nobody.

    ``out_told[r]`` (n,): the mean of what they tell, whatever their price; 0 where there is nobody.

    Each is the one of at most ``n_candidates`` who tells most per money: H(q C) - sum_k q[k] H(C[k]) over the price, q
    the posterior; without posteriors, by what they tell as usual. Candidates are drawn by ``seed`` and the item; they
    have neither judged the item nor been chosen for it, and there is ``quota`` (W,) left, from which the chosen are
    taken. If none is found by drawing, the next one who can is it.
    """
    item, n_wanted, posterior = wanted
    item_start, worker = judged
    code, C, row_entropy, usual, price, drawn = workers
    n_workers, n_labels, by_item = quota.shape[0], posterior.shape[1], posterior.shape[0] > 0
    left = quota.sum()
    for r in range(item.shape[0]):
        begin, end = item_start[item[r]], item_start[item[r] + 1]
        state = np.uint64(item[r] + 1) ^ np.uint64(seed << 32)
        for _ in range(3):  # items that follow each other draw alike at first
            state = _next(state)
        for m in range(out_worker.shape[1]):
            out_worker[r, m] = -1
        told, n_chosen = 0.0, 0
        for m in range(min(n_wanted[r], left)):
            best, most, found = -1, -1.0, 0
            for _ in range(DRAWS):
                state = _next(state)
                w = drawn[(state >> np.uint64(20)) & np.uint64(drawn.shape[0] - 1)]
                if not _can(w, code[w], quota, worker[begin:end], out_worker[r, :m]):
                    continue
                gain = _information(posterior, r, w, C, row_entropy, n_labels) if by_item else usual[w]
                gain /= price[w]
                found += 1
                if gain > most:
                    best, most = w, gain
                if found == n_candidates:
                    break
            if best < 0:
                first = int((state >> np.uint64(33)) % np.uint64(n_workers))
                for step in range(n_workers):
                    w = (first + step) % n_workers
                    if _can(w, code[w], quota, worker[begin:end], out_worker[r, :m]):
                        best = w
                        break
            if best < 0:
                break
            out_worker[r, m] = best
            quota[best] -= 1
            left -= 1
            n_chosen += 1
            told += _information(posterior, r, best, C, row_entropy, n_labels) if by_item else usual[best]
        out_told[r] = told / max(n_chosen, 1)


@kernel()
def _next(state: np.uint64) -> np.uint64:
    """The next number of xorshift (Marsaglia 2003), 64 bits."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    return state ^ (state << np.uint64(17))


@kernel()
def _can(w: int, code: int, quota: Offsets, judged_by: Codes, chosen: Codes) -> bool:
    """There is quota left of worker ``w``, and they have not judged the item, nor are they among those ``chosen``."""
    if quota[w] <= 0:
        return False
    for other in judged_by:
        if other == code:
            return False
    before = False
    for other in chosen:
        before |= other == w
    return not before


@kernel()
def _information(posterior: Reals, r: int, w: int, C: Reals, row_entropy: Reals, n_labels: int) -> float:
    """Mutual information of the true label and the judgment of worker ``w``, in nats."""
    total = 0.0
    for k in range(n_labels):
        total -= posterior[r, k] * row_entropy[w, k]
    for observed in range(n_labels):
        p = 0.0
        for k in range(n_labels):
            p += posterior[r, k] * C[w, k, observed]
        if p > 0.0:
            total -= p * math.log(p)
    return total
