"""Loops over items: how far workers with few judgments agree with those with many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals


@kernel()
def with_experienced(
    item_start: Offsets,
    worker: Codes,
    label: Codes,
    band: Codes,
    out_sums: Reals,
    out_moments: Reals,
    out_given: Reals,
    out_within: Reals,
) -> None:
    """Of every band, sums over the items of a shard that two experienced workers or more judged, and anybody of it.

    ``band`` (W,) is 0 to B - 1, B of the experienced, -1 of others. With a the judgments of the band on an item, x the
    sum over them of the share of the experienced who say the same, and y = a times the share of pairs of experienced
    judgments that agree, adds (a, x, y) to ``out_sums[b]`` (B, 3) and their products to ``out_moments[b]`` (B, 3, 3);
    to ``out_given[b, 0]`` (B, 2, K) the labels of the band, to ``out_given[b, 1]`` those of the experienced, a to an
    item; and on all items to ``out_within[b]`` (B, 2) the pairs within the band, and those of them that agree.
    """
    n_bands, n_labels = out_given.shape[0], out_given.shape[2]
    given = np.zeros((n_bands + 1, n_labels))
    n, agreed, told = np.zeros(n_bands + 1), np.zeros(n_bands + 1), np.empty(3)
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        for b in range(n_bands + 1):
            n[b] = agreed[b] = 0.0
        for j in range(begin, end):
            b = band[worker[j]]
            if b >= 0:
                agreed[b] += given[b, label[j]]  # pairs that agree
                given[b, label[j]] += 1.0
                n[b] += 1.0
        old = n[n_bands]
        for b in range(n_bands):
            if n[b] == 0.0:
                continue
            out_within[b, 0] += n[b] * (n[b] - 1.0) / 2.0
            out_within[b, 1] += agreed[b]
            if old < 2.0:
                continue
            told[0], told[1], told[2] = n[b], 0.0, n[b] * agreed[n_bands] / (old * (old - 1.0) / 2.0)
            for j in range(begin, end):
                if band[worker[j]] == b:
                    told[1] += given[n_bands, label[j]] / old
                    out_given[b, 0, label[j]] += 1.0
                elif band[worker[j]] == n_bands:
                    out_given[b, 1, label[j]] += n[b] / old
            for p in range(3):
                out_sums[b, p] += told[p]
                for q in range(3):
                    out_moments[b, p, q] += told[p] * told[q]
        for j in range(begin, end):
            if band[worker[j]] >= 0:
                given[band[worker[j]], label[j]] = 0.0


@kernel()
def with_newcomers(
    item_start: Offsets, worker: Codes, label: Codes, band: Codes, experienced: int, n_labels: int, out_told: Reals
) -> None:
    """Of every ``experienced`` worker (whose ``band`` (W,) is that), what newcomers say of the same items.

    Adds to ``out_told[w]`` (W, 3) judgments on items that newcomers judged (bands from 0 to ``experienced`` - 1), the
    sum of the shares of these who say the same, and the sum of the squares of the shares.
    """
    given = np.zeros(n_labels)
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        n = 0.0
        for j in range(begin, end):
            if 0 <= band[worker[j]] < experienced:
                given[label[j]] += 1.0
                n += 1.0
        if n == 0.0:
            continue
        for j in range(begin, end):
            if band[worker[j]] == experienced:
                share = given[label[j]] / n
                out_told[worker[j], 0] += 1.0
                out_told[worker[j], 1] += share
                out_told[worker[j], 2] += share * share
        for j in range(begin, end):
            given[label[j]] = 0.0
