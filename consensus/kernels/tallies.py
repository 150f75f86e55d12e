"""Loops over items that count votes, and score what one more judgment would tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals


@kernel()
def label_counts(item_start: Offsets, label: Codes, out_counts: Reals) -> None:
    """``out_counts[i, l]`` (I, K) = judgments of item i that gave label l."""
    for i in range(item_start.shape[0] - 1):
        out_counts[i, :] = 0.0
        for j in range(item_start[i], item_start[i + 1]):
            out_counts[i, label[j]] += 1.0


@kernel()
def vote_posterior(item_start: Offsets, label: Codes, hard: bool, out_posterior: Reals) -> None:
    """``out_posterior[i, l]`` (n, K) = share of the judgments of item i that gave label l; uniform without any.

    With ``hard`` all of it goes to the majority label, evenly to several tied ones.
    """
    n_labels = out_posterior.shape[1]
    for i in range(item_start.shape[0] - 1):
        votes = out_posterior[i]
        for k in range(n_labels):
            votes[k] = 0.0
        for j in range(item_start[i], item_start[i + 1]):
            votes[label[j]] += 1.0
        total = float(item_start[i + 1] - item_start[i])
        if hard or total == 0.0:
            most, total = votes.max(), 0.0
            for k in range(n_labels):
                votes[k] = 1.0 if votes[k] == most else 0.0
                total += votes[k]
        for k in range(n_labels):
            votes[k] /= total


@kernel()
def sums_by_label(label: Codes, values: Reals, out_sums: Reals) -> None:
    """``out_sums[l, k]`` (K, K), filled with zeros, = sum of values[r, k] over the rows r of observed label l."""
    for r in range(label.shape[0]):
        for k in range(values.shape[1]):
            out_sums[label[r], k] += values[r, k]


@kernel()
def peer_agreement(
    item_start: Offsets, worker: Codes, label: Codes, n_labels: int, out_agreeing: Reals, out_peers: Reals
) -> None:
    """For every judgment, how many judgments of the item by *other* workers there are, and how many agree.

    Fills ``out_agreeing`` (J,) and ``out_peers`` (J,). Judgments are sorted by item, worker, label.
    """
    given = np.zeros(n_labels)
    own = np.zeros(n_labels)
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        for j in range(begin, end):
            given[label[j]] += 1.0
        first = begin
        while first < end:
            last = first
            while last < end and worker[last] == worker[first]:
                own[label[last]] += 1.0
                last += 1
            for j in range(first, last):
                out_agreeing[j] = given[label[j]] - own[label[j]]
                out_peers[j] = end - begin - (last - first)
            for j in range(first, last):
                own[label[j]] = 0.0
            first = last
        for j in range(begin, end):
            given[label[j]] = 0.0


@kernel()
def information_gain(posterior: Reals, confusions: Reals, row_entropy: Reals, out_gain: Reals) -> None:
    """Fill ``out_gain`` (I,), in nats, with the expected drop of each item's entropy by one more judgment.

    The mean over representative workers ``confusions[g, true, observed]`` (G, K, K) of the mutual information
    between the item's true label, distributed as ``posterior`` (I, K), and the worker's answer:
    H(answer) - sum_k posterior[k] H(answer | k), with ``row_entropy[g, true]`` (G, K) = H(answer | true).
    """
    n_workers, n_labels = confusions.shape[0], confusions.shape[1]
    marginal = np.empty(n_labels)
    for i in range(posterior.shape[0]):
        gain = 0.0
        for g in range(n_workers):
            for answer in range(n_labels):
                marginal[answer] = 0.0
            for k in range(n_labels):
                if posterior[i, k] < 1e-12:
                    continue  # with many labels, most of them
                for answer in range(n_labels):
                    marginal[answer] += posterior[i, k] * confusions[g, k, answer]
                gain -= posterior[i, k] * row_entropy[g, k]
            for answer in range(n_labels):
                if marginal[answer] > 0.0:
                    gain -= marginal[answer] * np.log(marginal[answer])
        out_gain[i] = gain / n_workers


@kernel()
def worker_pairs(
    items: Codes,
    item_start: Offsets,
    worker: Codes,
    label: Codes,
    out_first: Codes,
    out_second: Codes,
    out_agree: Codes,
) -> None:
    """Write every pair of judgments of each of ``items``: both workers (the lower code first), and if they agree."""
    n = 0
    for i in items:
        for a in range(item_start[i], item_start[i + 1]):
            for b in range(a + 1, item_start[i + 1]):
                out_first[n] = worker[a]
                out_second[n] = worker[b]
                out_agree[n] = label[a] == label[b]
                n += 1
