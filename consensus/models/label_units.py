"""What items of clusters count for in a fit: counted label by label, so that a rare label is not lost in a common one.

The units of ``units`` let a cluster of n items count as n / (1 + (n - 1) / n_eff), shared evenly. In a picture that is
nearly all background, a small object then counts for next to nothing: next to nothing would be learnt of how workers
err on it. So in the fit the items of a cluster are counted by their labels, of which q[i,k] is the probability (w is
the weight of an item, n_eff as it is estimated in ``units``)::

    n[g,k]   = sum over items i of cluster g of w[i] q[i,k]
    omega[i] = w[i] sum_k q[i,k] / (1 + max(n[g,k] - 1, 0) / n_eff)

Every label of a cluster counts as n_eff items at most, and one of which there is one item or less counts in full. For
what is learnt are rows of confusions, one for each true label, and a row is learnt from the items of its own label. q
is the tempered posterior of the short fits by which n_eff is estimated. The first of them takes the plain units: to
begin with shares of votes changes next to nothing.

A judgment counts as its item, or as the weight that it has of its own. Where workers judged parts of a cluster, it
counts by what its own worker judged: n[w,g,k], the same sum over the items that worker w judged there, takes the place
of n[g,k]. Items without a cluster, and their judgments, count as their weight.

These are units of the fit alone. What is told of it stays in plain units (``in_plain_units``): how many independent
judgments a worker gave is about all that they judged, and so are intervals of accuracies and the expected error of
labels. Counted by labels, a picture would claim up to n_eff items for each of its labels, and the workers' intervals
would be too narrow.

With very many labels nothing holds a probability for each label of each item: the plain units stay.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.posterior import SparsePosterior
from consensus.kernels import label_unit_loops
from consensus.models import units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.found.posterior import Posterior
    from consensus.found.units import Units
    from consensus.inputs.judgments import Judgments
    from consensus.kernels.weighted_em import Clustered
    from consensus.models.expectation_maximisation import Estimate
    from consensus.models.problem import Problem

    Reals = NDArray[np.float64]


def of(judgments: Judgments, plain: Units, beliefs: Posterior, backend: Backend) -> Units:
    """The ``plain`` units counted by the labels that ``beliefs`` say; where they know no clusters, as they are."""
    if plain.n_eff is None or isinstance(beliefs, SparsePosterior):
        return plain
    n_eff, q = plain.n_eff, beliefs.dense(slice(None))
    item, judgment = plain.item.copy(), plain.judgment.copy()

    def shard(clusters: Clustered) -> None:
        label_unit_loops.of_items(clusters, q, n_eff, item)
        if plain.own:
            room = np.zeros((judgments.n_workers, q.shape[1]))
            label_unit_loops.of_judgments(clusters, q, n_eff, room, judgment)

    backend.map(shard, units.shards(judgments))
    if not plain.own:
        judgment = item[judgments.item]
    return replace(plain, item=item, judgment=judgment)


def in_plain_units(problem: Problem, estimate: Estimate, backend: Backend) -> tuple[Units | None, Estimate, Reals]:
    """The units that are told of a fit, the ``estimate`` with counts and mass in these, and shares of labels (K,).

    C, pi and A stay those of the fit.
    """
    told, judgments = problem.units, problem.judgments
    if told is None or told.n_eff is None or not problem.weighs_all_labels:
        return told, estimate, estimate.shares
    told = units.of(judgments, backend, told.n_eff, told=told.told, before=told)
    layout = problem.counted(told).layout
    tables = layout.tables()
    layout.count(estimate.start(problem, backend), problem.prior_row, tables, backend)
    mass = tables.mass + tables.own_mass
    counted = replace(estimate, counts=tables.N, totals=tables.n, mass=mass)
    return told, counted, (mass + 1.0) / (mass + 1.0).sum()
