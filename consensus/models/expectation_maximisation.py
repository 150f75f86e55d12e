"""The EM loop of hierarchical Dawid-Skene.

With z[i,k] the posterior of item i, N[w,k,l] the expected judgments l of worker w on items of true label k, n[w,k]
their sum over l, A[k,l] the pseudo-counts that all workers share, and pi[k] the class prior::

    M1   N[w,k,l] = sum of z[i,k] over judgments (i,w,l);   pi[k] in proportion to sum_i z[i,k] + alpha[k]
    M2   A learnt from all workers, from the second pass on (``pooled_prior``)
    M3   C[w,k,l] = (N[w,k,l] + A[k,l]) / (n[w,k] + A[k,.])
    E    log z[i,k] = log pi[k] + sum over the item's judgments of log C[w,k,l], normalised; gold stays clamped


The pseudo-items alpha (``class_prior``) and the prior A of the confusions are learnt in the first passes and then
frozen. From there on M3 and E are exact EM for

    objective = sum_i log sum_k pi[k] prod_j C[w_j, k, l_j]
                + log Dirichlet(pi; alpha + 1) + sum_wk log Dirichlet(C[w, k]; A + 1)

(Dawid & Skene 1979 with a Dirichlet prior), which never falls; only there may ``converged`` be said.

Where items count for units u[i] other than one (``units``), N, pi, the objective and the tolerance are sums of u[i]
times each; E is as it is. Judgments with units of their own count by these in N alone. What the passes climb is then no
one objective, and it may fall by a little: they end when it stands still.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.found.convergence import Convergence
from consensus.kernels import SMALLEST
from consensus.models import pooled_prior, state_priors
from consensus.models.class_prior import ClassPrior
from consensus.models.label_mixes import LabelMixes
from consensus.models.newcomers_as_one import AsOne
from consensus.models.silences import Silences
from consensus.models.state_priors import StateMixes, StatePrior
from consensus.models.votes_learner import VotesLearner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.config import Prior
    from consensus.found.posterior import Posterior
    from consensus.inputs.model_votes import Weights
    from consensus.models.base import Execution
    from consensus.models.priors import Priors
    from consensus.models.problem import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Parameters."""

    pi: NDArray[np.float64]
    """(K,) class prior."""
    A: NDArray[np.float64]
    """(K, K) pseudo-counts [true, observed]; zero under prior="none"."""
    C: NDArray[np.float64]
    """(R, K) P(observed | true), from which the posterior z follows."""
    counts: NDArray[np.float64]
    """(R, K) expected counts N of that posterior."""
    totals: NDArray[np.float64]
    """(W, K) n, their sums by worker."""
    mass: NDArray[np.float64]
    """(K,) sum of that posterior over the items that were judged, are gold, or that models voted on."""
    background: NDArray[np.float64]
    """(I,) log joint probability of an item's judgments and the labels that its layout does not weigh one by one, as EM
    kept it fixed (it is no function of the final pi); (0,) where all are weighed."""
    convergence: Convergence
    weights: Weights | None = None
    """What was learnt about models."""
    priors: Priors | None = None
    """Those of the last pass, which follow from pi and the weights."""
    mixes: LabelMixes | None = None
    """Where workers or groups see different labels: what each sees."""
    pseudo_items: NDArray[np.float64] | float = 0.0
    """(K,) items that the class prior credited each label with."""
    state_mixes: StateMixes | None = None
    """Over states finer than labels, the same as ``mixes``."""
    untold: float = 0.0
    """U of the class prior."""
    drift: NDArray[np.float64] | float = 1.0
    """(K, K) by which one more step would multiply A; 1 where nobody carries it on."""
    silences: Silences | None = None
    """Of workers with one label (``one_label``), where there are any."""

    @property
    def shares(self) -> NDArray[np.float64]:
        """(K,) share of each label: pi where no item has a prior of its own, which says nothing about pi."""
        total = self.mass + 1.0
        return (
            self.pi
            if self.weights is None and self.item_priors is None
            else np.asarray(total / total.sum(), np.float64)
        )

    @property
    def item_priors(self) -> LabelMixes | Silences | None:
        """What gives items priors of their own that no models gave; None where all have that of the class."""
        return self.mixes or (self.silences if self.silences is not None and self.silences.make_priors else None)

    @property
    def objective(self) -> float:
        """The final objective in nats."""
        return self.convergence.objective[-1]

    def beliefs(self, problem: Problem, backend: Backend, power: NDArray[np.float64] | None = None) -> Posterior:
        """Posterior z of every item, to the ``power`` (I,) if given (and normalised)."""
        exponent = np.ones(problem.judgments.n_items) if power is None else power
        priors = self.priors or problem.priors(self.pi, self.weights, backend)
        return problem.layout.beliefs(self, priors, exponent, backend)

    def start(self, problem: Problem, backend: Backend) -> Any:
        """Its posterior as ``problem.layout`` counts it, for a fit that begins with it."""
        priors = self.priors or problem.priors(self.pi, self.weights, backend)
        return problem.layout.start_of(self.C, priors, backend)

    def posterior(self, problem: Problem, backend: Backend) -> NDArray[np.float64]:
        """(I, K) z."""
        z: NDArray[np.float64] = self.beliefs(problem, backend).dense(slice(None))
        return z


def climb(problem: Problem, start: Any, run: Execution, stage: str = "fitting") -> Estimate:
    """Run EM from the posterior ``start``, as ``problem.layout`` counts it, to convergence or the iteration limit.

    None is the usual start (``starts.usual``). Where parameters of an earlier fit are ``carried``, they are the start.
    """
    name = None if run.carried is None else run.carried.named(stage)
    if run.carried is None or name is None:
        return _climbed(problem, start, run, stage)
    problem, start = run.carried.begun(name, problem, run.backend) or (problem, start)
    found = _climbed(problem, start, run, stage)
    run.carried.keep(name, problem, found)
    return found


def _climbed(problem: Problem, start: Any, run: Execution, stage: str) -> Estimate:
    layout, votes, backend = problem.layout, problem.votes, run.backend
    tables = layout.tables()
    A, frozen_at, status = problem.pseudo_counts, 0, "iteration_limit"
    objective: list[float] = []
    newcomers = AsOne(problem)
    of_class, mixes, silences = _holders(problem, tables, backend)
    if start is not None:
        layout.count(start, problem.prior_row, tables, backend)
        silences.add(tables, True)
    del start  # as large as the result
    learning = problem.prior == "learnt" or not (of_class.settled and mixes is None and silences.settled)
    learner = None if votes is None else VotesLearner(problem, votes, tables.mass)
    n_judgments, n_opinions = problem.rows.n_opinions, problem.n_opinions
    for iteration in range(problem.max_iterations):
        if learning:
            of_class.look(iteration, tables, backend)
        if learning or mixes is None:  # else pi is frozen with the priors of the items
            pi = of_class.shares(tables.mass)
        if mixes is not None and learning:
            mixes.learn(iteration, pi, silences.seen(tables), backend)
            if mixes.given_up(iteration):
                return _climbed(replace(problem, differ=False), None, run, stage)
        silences.hide(tables)
        newcomers.hide(tables)
        if problem.bounds is not None:
            problem.bounds.hide(problem, tables)
        if learning and iteration > 0:
            if problem.prior == "learnt":
                learnt = pooled_prior.improved(A, layout, tables, backend, problem.states)
                if problem.before is not None:
                    learnt /= problem.before.drift
                learning = np.abs(learnt / A - 1.0).max() >= pooled_prior.LEARNT_WHEN
                A = learnt
            else:
                learning = not (of_class.settled and silences.settled and (mixes is None or mixes.settled))
            frozen_at = iteration
            learning = learning and iteration < pooled_prior.MOST_PASSES
        if learner is None:
            priors = silences.priors(pi, tables) if silences.make_priors else _item_priors(problem, pi, mixes, backend)
            if iteration <= frozen_at:
                layout.settle_others(pi, A, priors, tables, backend)
        else:
            learner.learn(problem, tables, backend)
            if learner.unsteady:
                frozen_at = iteration
        of_counts = layout.maximise(A, SMALLEST, tables, backend)
        silences.hush(tables)
        of_counts += newcomers.answer(A, tables)
        if problem.bounds is not None:
            problem.bounds.hold(problem, tables)
        if learner is not None:
            priors = learner.priors(pi, backend)
        density = of_class.log_density(pi) + log_confusion_density(layout.n_workers, of_counts, A, problem.prior)
        density += silences.log_density(A, tables.C)
        evidence = layout.em_pass(priors, tables, backend)
        silences.add(tables, learning)
        objective.append(evidence + density + (0.0 if learner is None else learner.log_density()))
        gain = objective[-1] - objective[-2] if iteration else np.inf
        run.tell(stage, iteration + 1, objective[-1] / (n_judgments or 1), gain)
        still = abs(gain) if problem.units is not None and problem.units.own else gain
        if not learning and iteration > frozen_at and still < problem.tolerance * n_opinions:
            if learner is None or learner.settled:
                status = "converged"
                break
            learner.wanted = True
    drift = 1.0 if run.carried is None else _drift(problem, A, tables, newcomers, backend)
    convergence = Convergence(status, len(objective), tuple(objective), frozen_at)  # type: ignore[arg-type]
    C = np.ascontiguousarray(tables.C[:, : layout.n_labels] if tables.C.ndim == 2 else tables.C)
    return Estimate(
        pi,
        A,
        C,
        tables.N,
        tables.n,
        tables.mass + tables.own_mass,
        tables.background,
        convergence,
        None if learner is None else learner.weights,
        priors,
        mixes if isinstance(mixes, LabelMixes) else None,
        of_class.pseudo_items,
        mixes if isinstance(mixes, StateMixes) else None,
        of_class.untold,
        drift,
        silences,
    )


def _drift(
    problem: Problem, A: NDArray[np.float64], tables: Any, newcomers: AsOne, backend: Backend
) -> NDArray[np.float64] | float:
    """By which one more step of learning would multiply A, which was frozen on its way."""
    if problem.prior != "learnt" or not problem.weighs_all_labels:
        return 1.0
    N, n = tables.N.copy(), tables.n.copy()
    newcomers.hide(tables)
    found = pooled_prior.improved(A, problem.layout, tables, backend, problem.states) / A
    tables.N[:], tables.n[:] = N, n
    return found


def _holders(
    problem: Problem, tables: Any, backend: Backend
) -> tuple[ClassPrior | StatePrior, LabelMixes | StateMixes | None, Silences]:
    """What holds the class prior, the priors of items where they have their own, and silences; the start counted."""
    if problem.states is not None:
        return *state_priors.of(problem), Silences(problem, tables)
    of_class, silences = ClassPrior(problem, tables, backend), Silences(problem, tables)
    mixes = LabelMixes.of(problem, silences.seen(tables), backend)
    silences.make_priors &= mixes is None
    if silences.make_priors:
        of_class.hold(silences.votes)
    return of_class, mixes, silences


def _item_priors(
    problem: Problem, pi: NDArray[np.float64], mixes: LabelMixes | StateMixes | None, backend: Backend
) -> Priors:
    """Of all items: by their workers or groups, or the class prior."""
    return problem.priors(pi, None, backend) if mixes is None else mixes.priors


def log_confusion_density(n_workers: int, density: float, A: NDArray[np.float64], prior: Prior) -> float:
    """Sum_wk log Dirichlet(C[w, k]; A + 1), in nats; 0 under maximum likelihood.

    ``density`` is the part that the counts decide (``kernels.em.confusions``). In it, cells of labels that a worker
    never gave, where C = A[k, l] / (n[w, k] + A[k, .]), are summed without being stored.
    """
    if prior == "none":
        return 0.0
    from scipy.special import gammaln

    n_labels = A.shape[1]
    normaliser = gammaln(A.sum(axis=1) + n_labels) - gammaln(A + 1.0).sum(axis=1)  # of one worker, by true label
    unobserved = (A * np.log(A)).sum(axis=1)  # sum_l A log A, were no label observed
    return n_workers * float((normaliser + unobserved).sum()) + density
