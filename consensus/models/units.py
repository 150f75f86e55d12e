"""What items and judgments count for: their weights, and what is left of these where a cluster's items err together.

Items of one picture, document or dialogue share what makes workers err, so n of them tell less about a worker than n
items of n pictures. With icc the intraclass correlation of a worker's being right, a cluster of summed weight n counts
as n / (1 + (n - 1) icc) items (the design effect of cluster samples, Kish 1965, section 5.4), at most n_eff = 1 / icc,
which its items share in proportion to their weights. An item of no cluster counts as its weight.

A judgment counts by what its own worker judged of the cluster: who met one item of it met one independent item, however
many there are. With n[w,g] the summed weight of that, an item's judgment counts as its weight / (1 + (n[w,g] - 1) icc);
where all who judge a cluster judge all of it, as its item does. Of a part of a large picture that is nearly n_eff too,
and not the part's share of n_eff: what makes a worker err in the picture is in the part as well.

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
from consensus.inputs.vocabulary import hashed
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
MOST_TOLD = 1_000_000  # judgments from which n_eff is estimated, ...
LEAST_CLUSTERS = 1_000  # ... if so many clusters hold them
FIRST_PASSES, THEN_PASSES = 12, 6  # of the fits that only tell how the items of a cluster err together


def of(
    judgments: Judgments,
    backend: Backend,
    n_eff: float = START,
    *,
    told: bool = True,
    before: Units | None = None,
) -> Units | None:
    """What items and judgments count for if a large cluster counts as ``n_eff`` items; None if all count as one.

    ``before`` are the units of the same judgments by another ``n_eff``: they know already who judged what.
    """
    if not judgments.is_weighed:
        return None
    weight = np.ones(judgments.n_items) if judgments.weight is None else judgments.weight
    item, judged, n_clusters = weight, None, None
    if judgments.cluster is not None:
        together = judgments.cluster >= 0
        of_cluster = np.bincount(judgments.cluster[together], weights=weight[together], minlength=1)
        share = 1.0 / (1.0 + np.maximum(of_cluster - 1.0, 0.0) / n_eff)
        item = weight.copy()
        item[together] *= share[judgments.cluster[together]]
        if before is not None and (before.judged is not None or not before.own):
            judged, n_clusters = before.judged, before.n_clusters
        else:
            judged, n_clusters = _judged(judgments, backend)
    judgment = item[judgments.item] if judged is None else _of_judgments(judgments, weight, judged, n_eff, backend)
    apart = judged is not None
    return Units(item, judgment, None if judgments.cluster is None else n_eff, told, apart, n_clusters, judged)


def _judged(judgments: Judgments, backend: Backend) -> tuple[Reals | None, NDArray[np.int64]]:
    """``judged`` and ``n_clusters`` of ``Units``."""
    assert judgments.cluster is not None
    judged = np.ones(judgments.n_judgments)

    def shard(clustered: weighted_em.Clustered) -> tuple[bool, NDArray[np.int64]]:
        met = np.zeros(judgments.n_workers, np.int64)
        return weighted_em.judged_of_clusters(clustered, judged, met), met

    found = backend.map(shard, shards(judgments))
    n_clusters = np.sum([met for _, met in found], axis=0)
    if (judgments.cluster < 0).any():
        item, worker = judgments.item, judgments.worker
        alone = judgments.cluster[item] < 0
        alone[1:] &= (item[1:] != item[:-1]) | (worker[1:] != worker[:-1])  # who judged it twice
        n_clusters += np.bincount(worker[alone], minlength=judgments.n_workers)
    return judged if any(partly for partly, _ in found) else None, n_clusters


def _of_judgments(judgments: Judgments, weight: Reals, judged: Reals, n_eff: float, backend: Backend) -> Reals:
    """(J,) units of judgments whose worker ``judged`` (J,) so much of the cluster, of items of ``weight`` (I,)."""
    found = np.empty(judgments.n_judgments)

    def shard(part: slice) -> None:
        starts = judgments.item_start[part.start : part.stop + 1]
        weighted_em.units_of_judgments(starts, weight[part], judged, n_eff, found)

    backend.map(shard, even_slices(judgments.item_start, number_of_shards(judgments.n_judgments)))
    return found


def shards(judgments: Judgments) -> list[weighted_em.Clustered]:
    """Clusters in some shards of about equal work."""
    assert judgments.cluster is not None
    order = np.empty(judgments.n_items, np.int32)
    start = np.zeros(int(judgments.cluster.max(initial=-1)) + 3, np.int64)
    weighted_em.items_by_cluster(judgments.cluster, start, order)
    start = start[1:]  # the items without a cluster come first
    work = np.concatenate([[0], np.cumsum(judgments.per_item[order])])[start]
    n_shards = number_of_shards(judgments.n_judgments, 6 * judgments.n_workers)
    weight = np.empty(0) if judgments.weight is None else judgments.weight
    return [
        weighted_em.Clustered(judgments.item_start, judgments.worker, order, start[part.start : part.stop + 1], weight)
        for part in even_slices(work, n_shards)
    ]


def told_by(judgments: Judgments) -> NDArray[np.bool_] | None:
    """(J,) the judgments that tell n_eff where they are very many: those of some clusters; None: all of them."""
    assert judgments.cluster is not None
    share = MOST_TOLD / max(judgments.n_judgments, 1)
    chosen = hashed(judgments.cluster_ids) / 2.0**64 < share
    if share >= 1.0 or chosen.sum() < LEAST_CLUSTERS:
        return None
    return np.asarray(np.append(chosen, False)[judgments.cluster[judgments.item]])


def estimated(judgments: Judgments, tempered: Posterior, backend: Backend, before: Units | None = None) -> Units:
    """The units by the icc that the ``tempered`` posterior of the last fit, by units ``before``, tells."""
    n_eff = _n_eff(_sums(judgments, tempered, backend))
    found = of(judgments, backend, n_eff or USUAL, told=n_eff is not None, before=before)
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
    right = of_judgments(judgments, tempered, backend)

    def shard(clustered: weighted_em.Clustered) -> Reals:
        found = np.zeros((judgments.n_workers, 6))
        weighted_em.agreement_of_clusters(clustered, right, found)
        return found

    return np.asarray(np.sum(backend.map(shard, shards(judgments)), axis=0), np.float64)


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
