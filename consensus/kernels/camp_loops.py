"""Loops over pairs of judgments of one item: how far two workers agree beyond chance, and sums of that by worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Flags, Offsets, Reals


class Pairs(NamedTuple):
    """Pairs of judgments (N,) of one item by two workers."""

    place: Codes
    """Position of the item among those looked at."""
    first: Codes
    """Code of the worker of the one, which is not above that of the other."""
    second: Codes
    agreed: Flags
    chance: Reals
    """P(they agree), if both gave labels in their own shares, whatever the item."""


@kernel()
def pairs(items: Codes, item_start: Offsets, worker: Codes, label: Codes, shares: Reals, out: Pairs) -> int:
    """Write every pair of judgments of each of ``items`` by two workers; returns how many there are.

    ``shares`` (W, K) of the labels of each worker.
    """
    n, n_labels = 0, shares.shape[1]
    for x in range(items.shape[0]):
        begin, end = item_start[items[x]], item_start[items[x] + 1]
        for a in range(begin, end):
            for b in range(a + 1, end):
                if worker[a] != worker[b]:  # a worker's own repeats say nothing
                    chance = 0.0
                    for k in range(n_labels):
                        chance += shares[worker[a], k] * shares[worker[b], k]
                    out.place[n], out.first[n], out.second[n] = x, worker[a], worker[b]
                    out.agreed[n], out.chance[n] = label[a] == label[b], chance
                    n += 1
    return n


@kernel()
def signed_sums(first: Codes, second: Codes, weight: Reals, x: Reals, out: Reals) -> None:
    """Add to ``out[w, c]`` (W, C) the ``weight`` (N,) of each pair of w times ``x[v, c]`` of the other worker v."""
    n_columns = x.shape[1]
    for n in range(first.shape[0]):
        v, w = first[n], second[n]
        for c in range(n_columns):
            out[v, c] += weight[n] * x[w, c]
            out[w, c] += weight[n] * x[v, c]
