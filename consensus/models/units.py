"""What items and judgments count for: their weights, and what is left of these where a cluster's items err together.

Items of one picture, document or dialogue share what makes workers err, so n of them tell less about a worker than n
items of n pictures. With icc the intraclass correlation of a worker's being right, a cluster of summed weight n counts
as n / (1 + (n - 1) icc) items (the design effect of cluster samples, Kish 1965, section 5.4), at most n_eff = 1 / icc,
which its items share in proportion to their weights. An item of no cluster counts as its weight.

icc comes from the workers' agreement with the others: the probability x that a judgment is right, by the tempered
posterior. Of worker w in cluster g, r[w,g] is its mean over judged weight n[w,g], and r[w] is the mean of these over
the m[w] clusters that w met. With s2[w] the variance of x within clusters (an analysis of variance, over the workers of
two clusters or more; Searle, Casella & McCulloch 1992, section 3.6)::

    s2[w]   = sum_g sum (x - r[w,g])^2 / sum_g (n[w,g] - 1)
    within  = sum_w (m[w] - 1) s2[w]
    between = sum_w [ sum_g (r[w,g] - r[w])^2 - (1 - 1 / m[w]) s2[w] sum_g 1 / n[w,g] ]
    icc     = between / (between + within)

Were every x 0 or 1, between + within would be sum_w (m[w] - 1) r[w] (1 - r[w]) in expectation, and for large clusters
1 / icc the over-dispersion of r[w,g]. But x is a doubtful probability, which varies less: over r (1 - r), icc comes out
several times too small (``tests/benchmarks/weights.py``); the ratio of its own variances does not change by it.

It is estimated after a short fit with n_eff 30, and again after a shorter one that goes on from there; then the fit is
made by it. Fits to the end in their place move n_eff by 1 % in the mean and 6 % at most (``tests/clustered_crowds.py``,
18 kinds of crowds, three seeds each). The last fit does not go on from the others: its prior of the confusions would
be learnt for longer than is good (accuracy .9250 against .9256 in the mean of them, six seeds each).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_parts, even_slices, number_of_shards
from consensus.found.cautions import Caution
from consensus.found.posterior import SparsePosterior
from consensus.found.units import Units
from consensus.kernels import weighted_em

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.found.posterior import Posterior
    from consensus.inputs.judgments import Judgments

    Reals = NDArray[np.float64]

START = 30.0  # n_eff of the first fit
MOST = 300.0
USUAL = 20.0  # n_eff where fewer than FEW_WORKERS tell
FEW_WORKERS = 5  # of two clusters or more
FIRST_PASSES, THEN_PASSES = 12, 6  # of the fits that only tell how the items of a cluster err together


def of(judgments: Judgments, n_eff: float = START, told: bool = True) -> Units | None:
    """What items and judgments count for if a large cluster counts as ``n_eff`` items; None if all count as one."""
    if not judgments.is_weighed:
        return None
    weight = np.ones(judgments.n_items) if judgments.weight is None else judgments.weight
    item = weight
    if judgments.cluster is not None:
        together = judgments.cluster >= 0
        of_cluster = np.bincount(judgments.cluster[together], weights=weight[together], minlength=1)
        share = 1.0 / (1.0 + np.maximum(of_cluster - 1.0, 0.0) / n_eff)
        item = weight.copy()
        item[together] *= share[judgments.cluster[together]]
    judgment = item[judgments.item]
    own = judgments.judgment_weight
    if own is not None:
        judgment = np.where(np.isnan(own), judgment, own)
    return Units(item, judgment, None if judgments.cluster is None else n_eff, told, own is not None)


def estimated(judgments: Judgments, tempered: Posterior, backend: Backend) -> Units:
    """The units by the icc that the ``tempered`` posterior of the last fit tells."""
    n_eff = _n_eff(_sums(judgments, tempered, backend))
    found = of(judgments, USUAL, told=False) if n_eff is None else of(judgments, n_eff)
    assert found is not None
    return found


def cautions(units: Units | None) -> list[Caution]:
    """Say that nothing tells how far items of a cluster err together."""
    if units is None or units.told:
        return []
    return [
        Caution(
            "clusters_untold",
            f"fewer than {FEW_WORKERS} workers judged items of two clusters, which is too few to tell how far the "
            f"items of a cluster err together: a large one counts as {USUAL:.0f} items; have several workers judge "
            "items of several clusters",
            {"n_eff": USUAL},
        )
    ]


def _n_eff(sums: Reals) -> float | None:
    """1 / icc by the ``sums`` over clusters of each worker (``agreement_of_clusters``); None where too few tell."""
    several = (sums[:, 0] >= 2.0) & (sums[:, 4] > sums[:, 0])
    m, of_r, of_squares, of_inverses, n, apart = sums[several].T
    if len(m) < FEW_WORKERS:
        return None
    variance = apart / (n - m)
    within = float(((m - 1.0) * variance).sum())
    spread = np.maximum(of_squares - of_r * of_r / m, 0.0)
    between = float((spread - (1.0 - 1.0 / m) * variance * of_inverses).sum())
    if within <= 0.0 >= between:  # nobody doubts anything
        return None
    return min((between + within) / between, MOST) if between > 0.0 else MOST


def _sums(judgments: Judgments, tempered: Posterior, backend: Backend) -> Reals:
    """(W, 6) the sums of ``agreement_of_clusters``, over all clusters; of items without one, nothing."""
    assert judgments.cluster is not None
    cluster = judgments.cluster
    order = np.argsort(cluster, kind="stable").astype(np.int32)
    n_each = np.bincount(cluster + 1)
    start = np.cumsum(n_each)  # the items without a cluster come first
    work = np.concatenate([[0], np.cumsum(judgments.per_item[order])])[start]
    n_shards = number_of_shards(judgments.n_judgments, 6 * judgments.n_workers)
    weight = np.empty(0) if judgments.weight is None else judgments.weight
    right = of_judgments(judgments, tempered, backend)

    def shard(part: slice) -> Reals:
        found = np.zeros((judgments.n_workers, 6))
        of_part = start[part.start : part.stop + 1]
        clustered = weighted_em.Clustered(judgments.item_start, judgments.worker, order, of_part, weight)
        weighted_em.agreement_of_clusters(clustered, right, found)
        return found

    return np.asarray(np.sum(backend.map(shard, even_slices(work, n_shards)), axis=0), np.float64)


def of_judgments(judgments: Judgments, beliefs: Posterior, backend: Backend) -> Reals:
    """(J,) probability that each judgment is right."""
    if isinstance(beliefs, SparsePosterior):
        K = np.int64(beliefs.n_labels)
        candidate = np.repeat(np.arange(beliefs.n_items), np.diff(beliefs.start)) * K + beliefs.candidate  # ascending
        given = judgments.item * K + judgments.label
        place = np.minimum(np.searchsorted(candidate, given), len(candidate) - 1)
        return np.where(candidate[place] == given, beliefs.z[place], beliefs.rest[judgments.item])
    right, table = np.empty(judgments.n_judgments), beliefs.dense(slice(None))

    def shard(part: slice) -> None:
        right[part] = table[judgments.item[part], judgments.label[part]]

    backend.map(shard, even_parts(judgments.n_judgments, number_of_shards(judgments.n_judgments)))
    return right
