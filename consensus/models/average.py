"""The average of several readings of the judgments, each weighted by how well it predicts judgments held out.

Hierarchical Dawid-Skene takes workers to err alone, whatever the item. Two finer readings do not: one has several kinds
of items of every label (``subtypes``), one has items that tempt to a wrong label (``lure``). None of them is right
everywhere, and the posterior of all of them together is more often right, and surer where it is right, than each::

    w[m]    by EM over held-out judgments j: r[j,m] in proportion to w[m] P_m[j], w[m] = (sum_j r[j,m] + 1) / (J + M)
    z[i,k]  = sum_m w[m] z~_m[i,k]          each reading tempered; this is reported

(a linear opinion pool, Stone 1961; its weights by predicting held-out data, as Yao et al. 2018 stack models). Workers
are rated by the counts that the average of the untempered posteriors makes: one M step.

Beside them stands the worker-weighted fit, which learns nothing but one weight a worker. It has no part in the average,
for nothing but gold tells which of the two is right. Where they differ on many items this is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.cautions import Caution
from consensus.found.posterior import DensePosterior
from consensus.found.readings import Readings
from consensus.found.result import Consensus
from consensus.found.terms import Terms
from consensus.kernels import SMALLEST, states_loops
from consensus.models import dawid_skene, diagnostics, held_out_rho, pooled_prior, worker_weighted
from consensus.models.choice import left_out
from consensus.models.expectation_maximisation import climb
from consensus.models.fit_stages import Candidates, confidence
from consensus.models.held import warned_by
from consensus.models.newcomers_as_one import AsOne, marked
from consensus.models.problem import Problem, posed
from consensus.models.readings import READINGS, Read, begins, fitted, most_states, predicted
from consensus.models.splits import Splits
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import FitConfig
    from consensus.found.tempering import Tempering
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import AlignedVotes
    from consensus.models.base import Execution
    from consensus.models.expectation_maximisation import Estimate
    from consensus.models.held import Held

    Reals = NDArray[np.float64]

N_SPLITS = 2
LEAST_HELD_OUT = 100  # judgments to learn weights from; with fewer all readings weigh alike
HELD_OUT_TOLERANCE = 1e-4  # nats a judgment: weights move in the third digit from 1e-5
DISPUTED, CLEARLY = 0.03, 0.01  # shares of the items above which a disagreement of the readings is worth a warning:
SURE = 0.55  # of all disputed ones, and of those on which two readings are so sure of different labels
OTHERWISE = 0.07  # share of the items to which the worker-weighted fit gives another label, above which this is said,
DOUBTED = 0.4  # if there are more of them than so many times the errors that the average expects of itself
LEAST_DISPUTED = 10
ALIKE = 1e-9  # the difference of shares below which labels weigh alike
NAMED = 3  # items in a warning
MOST_PASSES, STILL = 200, 1e-6  # of EM over the weights: passes, and the change of a weight at which it ends
FIRST = "dawid_skene"
ONE_LABEL = "some workers give one label only, and only one reading can learn what their silence means"


def fit(
    judgments: Judgments,
    votes: AlignedVotes | None,
    gold: AlignedGold | None,
    settings: FitConfig,
    run: Execution,
    held: Held | None = None,
) -> Consensus:
    """Label the items by all readings and rate the workers; by the first alone where the others can't be had.

    Raises what ``dawid_skene.fit`` raises.
    """
    reason = left_out(judgments, votes)
    if reason is not None or (gold is None and not diagnostics.has_second_opinions(judgments)):
        alone = dawid_skene.fit(judgments, votes, gold, settings, run, held)
        return alone if reason is None else replace(alone, warnings=(*alone.warnings, one_reading(reason)))
    problem, _ = posed(judgments, None, gold, settings, run.backend, most_states(judgments.n_labels), held)
    if problem.one_label is not None:
        alone = dawid_skene.fit(judgments, votes, gold, settings, run, held)
        if settings.model is None:
            return replace(alone, chosen_because=ONE_LABEL)
        return replace(alone, warnings=(*alone.warnings, one_reading(ONE_LABEL)))
    found = Candidates.of(problem, run)
    problem, start = found.problem, found.start
    reads = fitted(Read(FIRST, problem, found.best), begins(problem, start, run.backend), run, "fitting")
    weight, n_held_out = _weights(problem, start, settings, run)
    logs = None if gold is None else np.stack([read.without_gold(gold) for read in reads])
    sure = confidence(problem, None, gold, logs, settings, run, weight)
    run.tell("tempering")
    averaged = _averaged(reads, weight, sure.tempering, run)
    run.tell("diagnosing")
    known = warned_by(gold, held)
    names = tuple(read.name for read in reads)
    worker_weight = worker_weighted.fit(judgments, run.backend).weight
    beside = _weighed(judgments, worker_weight, known, averaged.posterior)
    several = Readings(names, weight, averaged.label, averaged.confidence, n_held_out, worker_weight, *beside)
    told = _disagreement(several, judgments, None if known is not None else 1.0 - averaged.posterior.max(axis=1))
    warnings = diagnostics.all_of(problem, averaged.estimate, known, None, settings, run)
    mixes = averaged.estimate.mixes
    priors = None if mixes is None else mixes.of_all(run.backend)  # the last use of those with gold
    return Consensus(
        judgments=judgments,
        model="average",
        beliefs=DensePosterior(averaged.posterior),
        prior_shares=averaged.estimate.shares,
        confusions=marked(problem.rows.confusions(averaged.estimate, run.backend), problem, averaged.estimate.C),
        row=problem.rows.row,
        convergence=averaged.estimate.convergence,
        config=settings,
        tempering=sure.tempering,
        terms=Terms(averaged.estimate.C, np.maximum(averaged.estimate.pi, SMALLEST), priors),
        gold=gold,
        gold_posterior=sure.gold_posterior,
        reach=sure.reach,
        warnings=(*warnings, *told),
        starts=found.objectives,
        readings=several,
    )


def _weighed(
    judgments: Judgments, worker_weight: Reals, gold: AlignedGold | None, posterior: Reals
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """(I,) the label of every item by the weights of the workers alone; (I,) whether ``posterior`` says another.

    Of gold items, and those that nobody judged, it is none.
    """
    shares = worker_weighted.shares(judgments, worker_weight)
    best = posterior.argmax(axis=1)
    most = shares.argmax(axis=1)
    every = np.arange(len(best))
    otherwise = (shares[every, most] - shares[every, best] > ALIKE) & (judgments.per_item > 0)
    if gold is not None:
        otherwise[gold.items] = False
    return np.where(otherwise, most, best).astype(np.int32), otherwise


def _disagreement(found: Readings, judgments: Judgments, doubt: Reals | None) -> list[Caution]:
    """Say that the readings give many items different labels, and are sure of them on some; or that the worker-weighted
    fit gives many items other labels, more than ``doubt`` (I,), P(the label is wrong), explains. In one warning, if
    both. With gold (no ``doubt``) that fit is not held against the average: gold tells which is right.

    Where items are hard, or workers weak, readings differ in labels that none of them is sure of. In simulated crowds
    of five judgments an item this was said of 1 in 180 whose workers err alone, of 12 in 40 whose items are so hard
    that many workers are tempted alike (difficulties of 2 logits), and of 94 in 100 where three in ten workers copy one
    stream that is right on 60 %; in the others the readings follow the stream together.

    That the worker-weighted fit differs was said of 3 in 164 crowds of the simulator whose workers are right on 75 or
    80 %, of 9 in 81 where they are right on 65 %, of 4 in 81 with 20 % spammers, and of none of 264 of item response
    models; without the doubt, of 5, 41, 23 and none.
    """  # noqa: D205
    judged = judgments.per_item > 0
    disputed = found.disputed & judged
    n, n_otherwise, n_items = int(disputed.sum()), int(found.otherwise.sum()), int(judged.sum())
    clearly = int((found.contradictory(SURE) & judged).sum())
    among = n >= LEAST_DISPUTED and n > DISPUTED * n_items and clearly > CLEARLY * n_items
    beside = False
    if doubt is not None:
        beside = n_otherwise >= LEAST_DISPUTED and n_otherwise > max(OTHERWISE * n_items, DOUBTED * doubt[judged].sum())
    if not among:
        return [_weighed_otherwise(found, judgments, n_items)] if beside else []
    values = {"n_items": n, "share": n / n_items}
    also, advice = "", "have some of them checked, and give them as gold"
    if beside:
        also = f", and {n_otherwise:,} ({n_otherwise / n_items:.1%}) from one weight for each worker"
        advice = "50 random gold items tell which is right (--gold)"
        values |= {"n_worker_weighted": n_otherwise, "share_worker_weighted": n_otherwise / n_items}
    return [
        Caution(
            "readings_disagree",
            f"{n:,} of {n_items:,} items ({n / n_items:.1%}) get different labels from different models of how "
            f"workers err{also}, such as {_first(disputed, judgments)} (all in readings.csv): workers may share "
            f"mistakes there; {advice}",
            values,
        )
    ]


def _weighed_otherwise(found: Readings, judgments: Judgments, n_items: int) -> Caution:
    n = int(found.otherwise.sum())
    return Caution(
        "worker_weighted_differs",
        f"{n:,} of {n_items:,} items ({n / n_items:.1%}) get another label from a simpler model, with one weight for "
        f"each worker, such as {_first(found.otherwise, judgments)} (all in readings.csv); 50 random gold items tell "
        "which is right (--gold)",
        {"n_items": n, "share": n / n_items},
    )


def _first(items: NDArray[np.bool_], judgments: Judgments) -> str:
    return ", ".join(judgments.item_ids.take(np.flatnonzero(items)[:NAMED]).to_pylist())


def one_reading(reason: str) -> Caution:
    """Say that the average was asked for and can't be had."""
    return Caution(
        "one_reading", f"the average of several readings was asked for, but {reason}: dawid_skene alone is used"
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Averaged:
    """What the readings say together."""

    posterior: Reals
    """(I, K) each tempered, then averaged."""
    label: NDArray[np.int32]
    """(M, I) the label that each finds best."""
    confidence: Reals
    """(M, I) its probability."""
    estimate: Estimate
    """The parameters that one M step makes of the average of the untempered posteriors."""


def _averaged(reads: list[Read], weight: Reals, tempered: Tempering, run: Execution) -> _Averaged:
    problem, judgments = reads[0].problem, reads[0].problem.judgments
    power = tempered.power(judgments.per_item, slice(None))
    shape = (len(reads), judgments.n_items)
    label, confidence = np.empty(shape, np.int32), np.empty(shape)
    posterior, plain = (np.zeros((judgments.n_items, judgments.n_labels)) for _ in range(2))
    for m, read in enumerate(reads):
        z = read.posterior(power, run.backend)
        label[m] = z.argmax(axis=1)
        confidence[m] = z.max(axis=1)
        posterior += weight[m] * z
        plain += weight[m] * read.posterior(np.ones_like(power), run.backend)
    return _Averaged(posterior, label, confidence, _counted(problem, reads, plain, run))


def _counted(problem: Problem, reads: list[Read], posterior: Reals, run: Execution) -> Estimate:
    """M1 to M3, once, of a ``posterior`` (I, K)."""
    first, rows = reads[0].estimate, problem.rows
    tables = rows.tables()
    rows.count(posterior, problem.prior_row, tables, run.backend)
    counts, totals = tables.N.copy(), tables.n.copy()
    A, newcomers = first.A, AsOne(problem)
    newcomers.hide(tables)
    if problem.prior == "learnt":
        A = pooled_prior.improved(A, rows, tables, run.backend)
    rows.maximise(A, SMALLEST, tables, run.backend)
    newcomers.answer(A, tables)
    if problem.bounds is not None:
        problem.bounds.hold(problem, tables)
    C = np.ascontiguousarray(tables.C[:, : rows.n_labels])
    slowest = min((read.estimate.convergence for read in reads), key=lambda one: one.converged)
    convergence = replace(first.convergence, status=slowest.status)
    return replace(
        first,
        pi=normalised(tables.mass + first.pseudo_items),
        A=A,
        C=C,
        counts=counts,
        totals=totals,
        mass=tables.mass,
        convergence=convergence,
        priors=None if first.mixes is None else first.priors,
    )


def _weights(problem: Problem, start: str, settings: FitConfig, run: Execution) -> tuple[Reals, int]:
    """(M,) how far every reading is to be believed, and from how many judgments that was learnt.

    Two splits; in each a fifth of the judgments is held out (at least one stays with every item), the rest refitted.
    """
    rho = settings.rho if isinstance(settings.rho, float) else held_out_rho.usual_of_average(problem.judgments)
    of = Splits(problem.judgments)
    splits = [of.held_out(split) for split in range(N_SPLITS)]
    n_held_out = sum(int(held.sum()) for held in splits)
    weight = np.full(1 + len(READINGS), 1.0 / (1 + len(READINGS)))
    if n_held_out < LEAST_HELD_OUT:
        return weight, 0
    scores = [_scores(problem, start, held, rho, run, f"held-out fit {n}") for n, held in enumerate(splits, 1)]
    states_loops.mixture_weights(np.concatenate(scores), MOST_PASSES, STILL, weight)
    return weight, n_held_out


def _scores(problem: Problem, start: str, held: NDArray[np.bool_], rho: float, run: Execution, stage: str) -> Reals:
    """(H, M) the probability of every judgment that is ``held`` (J,) out, by every reading of the others."""
    judgments = problem.judgments
    kept = judgments.subset(~held)
    left = problem.rows.restricted(kept, ~held)
    tolerance = max(problem.tolerance, HELD_OUT_TOLERANCE)
    train = replace(problem, judgments=kept, rows=left, layout=left, tolerance=tolerance)
    begin = begins(train, start, run.backend)
    first = Read(FIRST, train, climb(train, begin, run, stage))
    item, row = judgments.item[held], problem.rows.row[held]
    reads = fitted(first, begin, run, stage)
    return np.stack([predicted(read, item, row, rho, run.backend) for read in reads], axis=1)
