"""The loops of ``em`` where items and judgments count for more or less than one, their units (``found.units``).

Counts and masses are summed in units, and so is the logarithm of the evidence of an item. What an item's judgments say
of its own label is not weighed: z[k] ∝ prior[k] prod_j C[row[j], k], as in ``em``.

``long_item`` is that of ``em``: Numba does not notice its changes here. What all this costs is measured in
``tests/benchmarks/weights.py``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.kernels import kernel
from consensus.kernels.em import SHORT, long_item

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals


class Weighed(NamedTuple):
    """The judgments of a shard of items, and what they count for."""

    item_start: Offsets
    """(n+1,) judgments of item i are ``item_start[i]:item_start[i + 1]``."""
    row: Codes
    """(J,) of all items."""
    item: Reals
    """(n,) units of each item."""
    judgment: Reals
    """(J,) units of each judgment, of all items; or (0,): each counts as its item does."""


@kernel()
def scatter_counts(weighed: Weighed, posterior: Reals, prior_row: Codes, out_counts: Reals, out_mass: Reals) -> None:
    """M-step: like ``em.scatter_counts``, in units."""
    item_start, row, of_item, of_judgment = weighed
    n_labels, own_units = posterior.shape[1], of_judgment.shape[0] > 0
    for i in range(item_start.shape[0] - 1):
        if item_start[i] == item_start[i + 1] and prior_row[i] == 0:
            continue
        z = posterior[i]
        for k in range(n_labels):
            out_mass[k] += of_item[i] * z[k]
        for j in range(item_start[i], item_start[i + 1]):
            units = of_judgment[j] if own_units else of_item[i]
            for k in range(n_labels):
                out_counts[row[j], k] += units * z[k]


@kernel()
def em_pass(
    weighed: Weighed,
    C: Reals,
    priors: Reals,
    prior_row: Codes,
    own_from: int,
    out_counts: Reals,
    out_mass: Reals,
    out_evidence: Reals,
) -> float:
    """E- and M-step of a shard of items; return a part of the log evidence of its judgments, in nats times units.

    Like ``em.em_pass``, with ``units * z`` added to ``out_counts`` (R, K) and ``out_mass`` (2, K). The other part is
    the sum of units times the logarithms of ``out_evidence`` (n,), which NumPy takes in a fraction of the time.
    """
    if C.shape[1] == 4:
        return float(_pass_of_four(weighed, C, priors, prior_row, own_from, out_counts, out_mass, out_evidence))
    item_start, row, of_item, of_judgment = weighed
    n_labels, own_units = C.shape[1], of_judgment.shape[0] > 0
    z = np.empty(n_labels)
    exponent = np.empty(n_labels, np.int64)
    log_evidence = 0.0
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        out_evidence[i] = 1.0
        if begin == end and prior_row[i] == 0:
            continue
        prior = priors[prior_row[i]]
        units = of_item[i]
        if end - begin > SHORT:
            log_evidence += units * long_item(row, begin, end, C, prior, z, exponent)
        else:
            evidence = 0.0
            for k in range(n_labels):
                z[k] = prior[k]
            for j in range(begin, end):
                for k in range(n_labels):
                    z[k] *= C[row[j], k]
            for k in range(n_labels):
                evidence += z[k]
            out_evidence[i] = evidence
            for k in range(n_labels):
                z[k] /= evidence
        own = int(prior_row[i] >= own_from)
        for k in range(n_labels):
            out_mass[own, k] += units * z[k]
        for j in range(begin, end):
            each = of_judgment[j] if own_units else units
            for k in range(n_labels):
                out_counts[row[j], k] += each * z[k]
    return log_evidence


@kernel()
def _pass_of_four(
    weighed: Weighed,
    C: Reals,
    priors: Reals,
    prior_row: Codes,
    own_from: int,
    out_counts: Reals,
    out_mass: Reals,
    out_evidence: Reals,
) -> float:
    """Like ``em_pass`` for four labels (or fewer, filled up with labels of prior 0), all in registers."""
    item_start, row, of_item, of_judgment = weighed
    own_units = of_judgment.shape[0] > 0
    z = np.empty(4)
    exponent = np.empty(4, np.int64)
    log_evidence = 0.0
    mass0 = mass1 = mass2 = mass3 = 0.0
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        out_evidence[i] = 1.0
        prior = prior_row[i]
        if begin == end and prior == 0:
            continue
        units = of_item[i]
        if end - begin > SHORT:
            log_evidence += units * long_item(row, begin, end, C, priors[prior], z, exponent)
            z0, z1, z2, z3 = z[0], z[1], z[2], z[3]
        else:
            z0, z1, z2, z3 = priors[prior, 0], priors[prior, 1], priors[prior, 2], priors[prior, 3]
            for j in range(begin, end):
                r = np.uintp(row[np.uintp(j)])  # as in em
                z0 *= C[r, 0]
                z1 *= C[r, 1]
                z2 *= C[r, 2]
                z3 *= C[r, 3]
            evidence = (z0 + z1) + (z2 + z3)
            out_evidence[i] = evidence
            scale = 1.0 / evidence
            z0 *= scale
            z1 *= scale
            z2 *= scale
            z3 *= scale
        if prior < own_from:
            mass0 += units * z0
            mass1 += units * z1
            mass2 += units * z2
            mass3 += units * z3
        else:
            out_mass[1, 0] += units * z0
            out_mass[1, 1] += units * z1
            out_mass[1, 2] += units * z2
            out_mass[1, 3] += units * z3
        for j in range(begin, end):
            r = np.uintp(row[np.uintp(j)])
            each = of_judgment[j] if own_units else units
            out_counts[r, 0] += each * z0
            out_counts[r, 1] += each * z1
            out_counts[r, 2] += each * z2
            out_counts[r, 3] += each * z3
    out_mass[0, 0] += mass0
    out_mass[0, 1] += mass1
    out_mass[0, 2] += mass2
    out_mass[0, 3] += mass3
    return log_evidence


@kernel()
def scatter_cells(
    item_start: Offsets, candidate_start: Offsets, cell: Codes, unit: Reals, z: Reals, out_counts: Reals
) -> None:
    """M-step: like ``sparse.scatter``; ``unit`` (J,) is what each judgment counts for, of all items."""
    n = 0
    for i in range(item_start.shape[0] - 1):
        for j in range(item_start[i], item_start[i + 1]):
            for c in range(candidate_start[i], candidate_start[i + 1]):
                out_counts[cell[n]] += unit[j] * z[c]
                n += 1


@kernel()
def log_evidence(candidate_start: Offsets, background: Reals, unit: Reals, log_z: Reals) -> float:
    """The evidence that ``sparse.normalise`` returns, each item's counted as its ``unit`` (n,), before it is run."""
    total = 0.0
    for i in range(candidate_start.shape[0] - 1):
        peak = background[i]
        for c in range(candidate_start[i], candidate_start[i + 1]):
            peak = max(peak, log_z[c])
        evidence = math.exp(background[i] - peak)
        for c in range(candidate_start[i], candidate_start[i + 1]):
            evidence += math.exp(log_z[c] - peak)
        total += unit[i] * (peak + math.log(evidence))
    return total


class Clustered(NamedTuple):
    """The judgments by item, and the items of a shard of clusters."""

    item_start: Offsets
    """(I+1,)"""
    worker: Codes
    """(J,)"""
    item: Codes
    """(n,) items by cluster, of all clusters."""
    start: Offsets
    """(G+1,) items of the clusters of the shard."""
    weight: Reals
    """(I,) of the items; or (0,): 1 each."""


@kernel()
def agreement_of_clusters(clustered: Clustered, right: Reals, out_sums: Reals) -> None:
    """Sums over clusters of how far each worker agrees there with the others (``models.units``).

    ``right`` (J,) is the probability x that each judgment is right. Of worker w and cluster g, n is the weight of what
    w judged there, r the mean of x, and v the sum of (x - r)^2, both by weight. Adds to ``out_sums[w]`` (W, 6): 1, r,
    r^2, 1 / n, n and v. Room for three numbers a worker is all that it needs, however many pairs there are.
    """
    item_start, worker, item, start, weight = clustered
    n_workers, weighed = out_sums.shape[0], weight.shape[0] > 0
    n, mean, apart = np.zeros(n_workers), np.zeros(n_workers), np.zeros(n_workers)
    met = np.empty(n_workers, np.int32)
    for g in range(start.shape[0] - 1):
        n_met = 0
        for entry in range(start[g], start[g + 1]):
            i = item[entry]
            each = weight[i] if weighed else 1.0
            for j in range(item_start[i], item_start[i + 1]):
                w = worker[j]
                if n[w] == 0.0:
                    met[n_met] = w
                    n_met += 1
                n[w] += each
                step = right[j] - mean[w]
                mean[w] += step * each / n[w]
                apart[w] += each * step * (right[j] - mean[w])
        for entry in range(n_met):
            w = met[entry]
            out_sums[w, 0] += 1.0
            out_sums[w, 1] += mean[w]
            out_sums[w, 2] += mean[w] * mean[w]
            out_sums[w, 3] += 1.0 / n[w]
            out_sums[w, 4] += n[w]
            out_sums[w, 5] += apart[w]
            n[w], mean[w], apart[w] = 0.0, 0.0, 0.0


@kernel()
def items_by_cluster(cluster: Codes, out_start: Offsets, out_item: Codes) -> None:
    """``out_item`` (I,) = items by ``cluster`` (I,), -1 first; ``out_start`` (G+2,), of zeros, where each begins."""
    for i in range(cluster.shape[0]):
        out_start[cluster[i] + 1] += 1
    total = 0
    for g in range(out_start.shape[0]):
        n = out_start[g]
        out_start[g] = total
        total += n
    for i in range(cluster.shape[0]):
        out_item[out_start[cluster[i] + 1]] = i
        out_start[cluster[i] + 1] += 1
    for g in range(out_start.shape[0] - 1, 0, -1):
        out_start[g] = out_start[g - 1]
    out_start[0] = 0


@kernel()
def judged_of_clusters(clustered: Clustered, out_judged: Reals, out_met: Offsets) -> bool:
    """Weight of all that the worker of a judgment judged in its cluster, ``out_judged`` (J,), for a shard of clusters.

    Adds 1 to ``out_met`` (W,) for every cluster that a worker judged items of. Returns whether anybody judged a part of
    a cluster, or an item of it twice.
    """
    item_start, worker, item, start, weight = clustered
    n_workers, weighed = out_met.shape[0], weight.shape[0] > 0
    n, met, partly = np.zeros(n_workers), np.empty(n_workers, np.int32), False
    for g in range(start.shape[0] - 1):
        n_met, total = 0, 0.0
        for entry in range(start[g], start[g + 1]):
            i = item[entry]
            each = weight[i] if weighed else 1.0
            total += each
            for j in range(item_start[i], item_start[i + 1]):
                w = worker[j]
                if n[w] == 0.0:
                    met[n_met] = w
                    n_met += 1
                n[w] += each
        for entry in range(start[g], start[g + 1]):
            i = item[entry]
            for j in range(item_start[i], item_start[i + 1]):
                out_judged[j] = n[worker[j]]
        for entry in range(n_met):
            w = met[entry]
            partly = partly or n[w] != total
            out_met[w] += 1
            n[w] = 0.0
    return partly


@kernel()
def units_of_judgments(item_start: Offsets, weight: Reals, judged: Reals, n_eff: float, out_units: Reals) -> None:
    """``out_units`` (J,) of a shard of items of ``weight`` (n,), of whose cluster a worker ``judged`` so much (J,)."""
    for i in range(item_start.shape[0] - 1):
        for j in range(item_start[i], item_start[i + 1]):
            out_units[j] = weight[i] * (1.0 / (1.0 + max(judged[j] - 1.0, 0.0) / n_eff))
