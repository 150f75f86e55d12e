"""Loops that ask what the other judgments of an item say about a judgment: its cavity.

The untempered posterior of an item is z[k] ∝ prior[k] prod_j C[row[j], k]; without judgment j, ∝ z[k] / C[row[j], k].
``power`` is the tempering exponent that the given posterior was raised to.

A record of a worker sums up what their judgments say about their accuracy a. The likelihood of one is right a + wrong
(1 - a): right is P(its label is true | the others), wrong is P(its label | the others, it is wrong). Save for a
constant, that is s a + (1 - s) (1 - a) with s = right / (right + wrong), and judgments of a like s are counted in one
bin: a record (B,) has their numbers, and s (B,) the means of the bins, over all workers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals

TINY = 1e-100  # products are scaled or turned into logarithms before they fall below


class Judged(NamedTuple):
    """The judgments of a shard of items."""

    item_start: Offsets
    """(n+1,)"""
    row: Codes
    """(J,) of all items, as is ``label``: the pair of worker and label."""
    label: Codes
    """(J,)"""


class Candidates(NamedTuple):
    """Posterior of a shard of items with very many labels: that of some, the others sharing a rest."""

    start: Offsets
    """(n+1,) item n has the candidates ``start[n]:start[n + 1]``, ascending."""
    label: Codes
    """Of each candidate of all items."""
    z: Reals
    """Its posterior."""
    rest: Reals
    """(n,) posterior of every other label."""
    power: Reals
    """(n,)"""


class Cells(NamedTuple):
    """P(observed | true) of rows, where there are judgments."""

    start: Offsets
    """(R+1,) row r has the cells ``start[r]:start[r + 1]``."""
    true: Codes
    """True label of each cell, ascending in a row."""
    C: Reals
    """Of each cell."""
    C_rest: Reals
    """(K,) by observed label: of all true labels without a cell."""


class Weighed(NamedTuple):
    """What judgments are weighed with; all tables may be wider than K, filled up with labels of prior 0."""

    tables: Reals
    """(R, 2, K) for each row the likelihood that others are weighed with, and C."""
    doubt: Reals
    """(W, K) 1 / P(a wrong answer | true)."""
    prior: Reals
    """(n, K) of each item of the shard, or (1, K) of all."""
    row_worker: Codes
    """(R,)"""


@kernel()
def right(judged: Judged, C: Reals, posterior: Reals, power: Reals, out_right: Reals) -> None:
    """``out_right[j]`` (J,) = P(label[j] is the true one | the other judgments of its item), for the items of a shard.

    ``posterior`` (n, K) and ``power`` (n,) are of the shard; ``C`` (R, K).
    """
    item_start, row, label = judged
    n_labels = posterior.shape[1]
    z = np.empty(n_labels)
    for i in range(item_start.shape[0] - 1):
        if item_start[i] == item_start[i + 1]:
            continue
        peak = posterior[i, 0]
        for k in range(1, n_labels):
            peak = max(peak, posterior[i, k])
        for k in range(n_labels):
            z[k] = math.exp(math.log(posterior[i, k] / peak) / power[i]) if posterior[i, k] > 0.0 else 0.0
        for j in range(item_start[i], item_start[i + 1]):
            total = 0.0
            for k in range(n_labels):
                total += z[k] / C[row[j], k]
            out_right[j] = z[label[j]] / C[row[j], label[j]] / total


@kernel()
def right_sparse(judged: Judged, candidates: Candidates, cells: Cells, n_labels: int, out_right: Reals) -> None:
    """Like ``right`` where only the candidate labels of each item are weighed."""
    item_start, row, label = judged
    candidate_start, candidate, z, rest, power = candidates
    cell_start, true, C, C_rest = cells
    for i in range(item_start.shape[0] - 1):
        begin, end = candidate_start[i], candidate_start[i + 1]
        peak = rest[i]
        for c in range(begin, end):
            peak = max(peak, z[c])
        others = math.exp(math.log(rest[i] / peak) / power[i]) if rest[i] > 0.0 else 0.0
        for j in range(item_start[i], item_start[i + 1]):
            total, own = others * (n_labels - (end - begin)) / C_rest[label[j]], 0.0
            cell, last = cell_start[row[j]], cell_start[row[j] + 1]
            for c in range(begin, end):
                while cell < last and true[cell] < candidate[c]:
                    cell += 1
                likelihood = C[cell] if cell < last and true[cell] == candidate[c] else C_rest[label[j]]
                mass = math.exp(math.log(z[c] / peak) / power[i]) / likelihood if z[c] > 0.0 else 0.0
                total += mass
                if candidate[c] == label[j]:
                    own = mass
            out_right[j] = own / total


@kernel()
def records(
    judged: Judged,
    weighed: Weighed,
    unit: Codes | Reals,
    n_labels: int,
    bin_of: Codes,
    out_records: Codes | Reals,
    out_s: Reals,
    out_logs: Reals,
) -> None:
    """Add the judgments of a shard of items to the records of their workers.

    ``unit`` (J,) of all items is what each judgment counts for; (0,): each counts as one. ``bin_of`` (T+1,) is the bin
    of s = t / T. ``out_records`` (W, B, 2) counts judgments, with wrong answers as in the worker's confusions and
    evenly; ``out_s`` (B, 2) adds up their s. Of two labels both are the same: the halves are judgments that give the
    first label, and the second. ``out_logs`` (W, 2): the sum of log P(observed | others, C), in nats, and a product
    still to be added to it, which comes as 1.
    """
    if weighed.prior.shape[1] == 4:
        _records_of_four(judged, weighed, unit, n_labels, bin_of, out_records, out_s, out_logs)
        return
    item_start, row, label = judged
    tables, doubt, prior, row_worker = weighed
    z = np.empty(n_labels)
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        first = i if prior.shape[0] > 1 else 0
        for k in range(n_labels):
            z[k] = prior[first, k]
        for j in range(begin, end):
            r, most = row[j], 0.0
            for k in range(n_labels):
                z[k] *= tables[r, 0, k]
                most = max(most, z[k])
            if most < TINY:
                for k in range(n_labels):
                    z[k] /= most
        for j in range(begin, end):
            r, observed = row[j], label[j]
            w = row_worker[r]
            total = wrong = predicted = right = 0.0
            for k in range(n_labels):
                weight = z[k] / tables[r, 0, k]
                said = weight * tables[r, 1, k]
                total += weight
                predicted += said
                if k == observed:
                    right = weight
                else:
                    wrong += said * doubt[w, k]
            u = unit[j] if unit.shape[0] > 0 else 1
            _count(w, 0, u, (right, wrong), bin_of, out_records, out_s)
            _count(w, 1, u, (right, (total - right) / (n_labels - 1)), bin_of, out_records, out_s)
            if unit.shape[0] > 0:
                out_logs[w, 0] += u * math.log(predicted / total)
            else:
                out_logs[w, 1] *= predicted / total
            if out_logs[w, 1] < TINY:
                out_logs[w, 0] += math.log(out_logs[w, 1])
                out_logs[w, 1] = 1.0


@kernel()
def _records_of_four(
    judged: Judged,
    weighed: Weighed,
    unit: Codes | Reals,
    n_labels: int,
    bin_of: Codes,
    out_records: Codes | Reals,
    out_s: Reals,
    out_logs: Reals,
) -> None:
    """Like ``records`` for four labels, or fewer, all in registers: half the time.

    Unsigned positions spare the test for those that count from the end: another fifth.
    """
    item_start, row, label = judged
    tables, doubt, prior, row_worker = weighed
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        first = i if prior.shape[0] > 1 else 0
        z0, z1, z2, z3 = prior[first, 0], prior[first, 1], prior[first, 2], prior[first, 3]
        for j in range(begin, end):
            r = np.uintp(row[j])
            z0 *= tables[r, 0, 0]
            z1 *= tables[r, 0, 1]
            z2 *= tables[r, 0, 2]
            z3 *= tables[r, 0, 3]
            most = max(max(z0, z1), max(z2, z3))
            if most < TINY:
                z0, z1, z2, z3 = z0 / most, z1 / most, z2 / most, z3 / most
        for j in range(begin, end):
            r, observed = np.uintp(row[j]), label[j]
            w = np.uintp(row_worker[r])
            u0, u1, u2, u3 = z0 / tables[r, 0, 0], z1 / tables[r, 0, 1], z2 / tables[r, 0, 2], z3 / tables[r, 0, 3]
            v0, v1, v2, v3 = u0 * tables[r, 1, 0], u1 * tables[r, 1, 1], u2 * tables[r, 1, 2], u3 * tables[r, 1, 3]
            total, predicted = (u0 + u1) + (u2 + u3), (v0 + v1) + (v2 + v3)
            right = u0 if observed == 0 else (u1 if observed == 1 else (u2 if observed == 2 else u3))
            wrong = 0.0 if observed == 0 else v0 * doubt[w, 0]
            wrong += 0.0 if observed == 1 else v1 * doubt[w, 1]
            wrong += 0.0 if observed == 2 else v2 * doubt[w, 2]
            wrong += 0.0 if observed == 3 else v3 * doubt[w, 3]
            even = (total - right) / max(n_labels - 1, 1)
            n = unit[j] if unit.shape[0] > 0 else 1
            if n_labels == 2:
                _count(w, observed, n, (right, wrong), bin_of, out_records, out_s)
            else:
                _count(w, 0, n, (right, wrong), bin_of, out_records, out_s)
                _count(w, 1, n, (right, even), bin_of, out_records, out_s)
            if unit.shape[0] > 0:
                out_logs[w, 0] += n * math.log(predicted / total)
            else:
                out_logs[w, 1] *= predicted / total
            if out_logs[w, 1] < TINY:
                out_logs[w, 0] += math.log(out_logs[w, 1])
                out_logs[w, 1] = 1.0


@kernel()
def _count(
    w: int,
    half: int,
    unit: float,
    likelihood: tuple[float, float],
    bin_of: Codes,
    out_records: Codes | Reals,
    out_s: Reals,
) -> None:
    """Count a judgment of worker ``w`` in one half; that it is right, and wrong, come up to a common factor."""
    right, wrong = likelihood
    s = right / (right + wrong) if right + wrong > 0.0 else 0.5
    b = np.uintp(bin_of[np.uintp(s * (bin_of.shape[0] - 1))])
    out_records[w, b, np.uintp(half)] += unit
    out_s[b, np.uintp(half)] += unit * s


@kernel()
def record_judgments(
    worker: Codes,
    right: Reals,
    unit: Codes | Reals,
    n_labels: int,
    bin_of: Codes,
    out_records: Codes | Reals,
    out_s: Reals,
) -> None:
    """Like ``records``, by P(right | the others) of every judgment (J,); wrong answers are even in both halves."""
    fine = bin_of.shape[0] - 1
    for j in range(worker.shape[0]):
        even = (1.0 - right[j]) / max(n_labels - 1, 1)
        s = right[j] / (right[j] + even) if right[j] + even > 0.0 else 0.5
        b = bin_of[int(s * fine)]
        n = unit[j] if unit.shape[0] > 0 else 1
        for half in range(2):
            out_records[worker[j], b, half] += n
            out_s[b, half] += n * s


@kernel()
def modes(record: Reals, s: Reals, extra: float, out_mode: Reals, out_deviation: Reals) -> None:
    """The most likely accuracy of each ``record`` (W, B) with ``extra`` right and wrong judgments, by bisection.

    The logarithm is concave. ``out_deviation`` (W,) = 1 / sqrt(its curvature there).
    """
    for w in range(record.shape[0]):
        low, high, curvature = 0.0, 1.0, 0.0
        for _ in range(20):
            a = (low + high) / 2
            slope = extra / a - extra / (1.0 - a)
            curvature = extra / (a * a) + extra / ((1.0 - a) * (1.0 - a))
            for b in range(record.shape[1]):
                if record[w, b] > 0.0:
                    d = (2.0 * s[b] - 1.0) / (s[b] * a + (1.0 - s[b]) * (1.0 - a))
                    slope += record[w, b] * d
                    curvature += record[w, b] * d * d
            if slope > 0.0:
                low = a
            else:
                high = a
        out_mode[w] = (low + high) / 2
        out_deviation[w] = 1.0 / math.sqrt(curvature)
