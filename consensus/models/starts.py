"""Where EM starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import segments
from consensus.kernels import tallies
from consensus.models.sparse_layout import Cells
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.found.units import Units
    from consensus.inputs.judgments import Judgments
    from consensus.models.problem import Problem
    from consensus.segments import Segment


def majority(judgments: Judgments, backend: Backend) -> NDArray[np.float64]:
    """(I, K) hard majority, ties split evenly; uniform for items that nobody labelled."""
    return _votes(judgments, True, backend)


def shares(judgments: Judgments, backend: Backend) -> NDArray[np.float64]:
    """(I, K) share of the item's judgments: the start of Dawid & Skene (1979, section 3), for maximum likelihood."""
    return _votes(judgments, False, backend)


def _votes(judgments: Judgments, hard: bool, backend: Backend) -> NDArray[np.float64]:
    out = np.empty((judgments.n_items, judgments.n_labels))
    parts = segments.shards(judgments)
    found = backend.scatter(segments.cut(judgments, parts, (judgments.label,)))
    backend.each(_votes_of, found, hard, into=[out[part] for part in parts])
    return out


def _votes_of(segment: Segment, out: NDArray[np.float64], hard: bool) -> None:
    tallies.vote_posterior(segment.start, *segment.columns, hard, out)


def usual(problem: Problem) -> NDArray[np.float64] | Callable[[slice], NDArray[np.float64]]:
    """Where EM starts without better knowledge, gold items clamped: what to give for some of the items (n, K).

    Never all of them at once: counted once, it would be as large as the result.
    """
    if isinstance(problem.layout, Cells):
        return problem.layout.votes(problem.prior != "none")
    return dense(problem)


def dense(problem: Problem) -> Callable[[slice], NDArray[np.float64]]:
    """The usual start over all labels."""
    hard, judgments = problem.prior != "none", problem.judgments
    if problem.one_label is not None:
        judgments = problem.one_label.heard(judgments)
    if problem.newcomers is not None:
        judgments = judgments.subset(problem.newcomers.apart[judgments.worker])
    known = normalised(problem.accepted.astype(np.float64))

    def of(items: slice) -> NDArray[np.float64]:
        out = np.empty((items.stop - items.start, judgments.n_labels))
        tallies.vote_posterior(judgments.item_start[items.start : items.stop + 1], judgments.label, hard, out)
        gold = problem.prior_row[items]
        out[gold > 0] = known[gold[gold > 0] - 1]
        return out

    return of


def gold(problem: Problem, backend: Backend) -> NDArray[np.float64]:
    """Each worker's one-coin accuracy on the gold items (a pseudo-success, a pseudo-failure), then one E-step.

    Or the accuracies of the ``bounds``, where there are any.
    """
    judgments = problem.judgments
    if problem.bounds is not None:
        return one_coin(problem, problem.bounds.accuracy, backend)
    accepted, row = problem.accepted, problem.prior_row
    if problem.guide is not None:
        accepted, row = problem.guide.accepted, np.zeros(judgments.n_items, np.int32)
        row[problem.guide.items] = np.arange(1, len(accepted) + 1)
    code = row[judgments.item]
    on_gold = code > 0
    right = accepted[code[on_gold] - 1, judgments.label[on_gold]]
    who, W = judgments.worker[on_gold], judgments.n_workers
    if problem.units is None:
        n, n_right = np.bincount(who, minlength=W), np.bincount(who, weights=right, minlength=W)
    else:
        each = problem.units.judgment[on_gold]
        n, n_right = np.bincount(who, each, W), np.bincount(who, each * right, W)
    if problem.newcomers is not None:
        n, n_right = problem.newcomers.together(n), problem.newcomers.together(n_right)
    return one_coin(problem, (n_right + 1.0) / (n + 2.0), backend)


def mirrored(problem: Problem, n_agreed: NDArray[np.float64], backend: Backend) -> NDArray[np.float64]:
    """Start from the worst agreement: workers count as the less accurate, the more they agree with the majority.

    ``n_agreed`` (W,) as by ``by_majority``.
    """
    n = problem.rows.per_worker(problem.judgments)
    return one_coin(problem, 1.0 - (n_agreed + 1.0) / (n + 2.0), backend)


def by_majority(
    judgments: Judgments, backend: Backend, units: Units | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Judgments of each worker (W,) for the majority label, and items of each majority label (K,), in units; ties
    are shared.
    """  # noqa: D205
    W, K = judgments.n_workers, judgments.n_labels
    columns: tuple[NDArray[Any], ...] = (judgments.worker, judgments.label)
    of_items: tuple[NDArray[Any], ...] = ()
    if units is not None:
        columns, of_items = (*columns, units.judgment), (units.item,)
    parts = segments.shards(judgments, W + K)
    found = backend.each(_by_majority, backend.scatter(segments.cut(judgments, parts, columns, of_items)), W, K)
    return np.sum([agreed for agreed, _ in found], axis=0), np.sum([mass for _, mass in found], axis=0)


def _by_majority(segment: Segment, W: int, K: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    agreed, mass = np.zeros(W), np.zeros(K)
    worker, label, *units = segment.columns
    each = units[0] if units else np.empty(0)
    items = segment.of_items[0] if units else each
    tallies.by_majority(segment.start, worker, label, items, each, agreed, mass)
    return agreed, mass


def one_coin(problem: Problem, accuracy: NDArray[np.float64], backend: Backend) -> NDArray[np.float64]:
    """Posterior under one accuracy a worker (W,), errors spread evenly, uniform class prior."""
    layout, K = problem.layout, problem.judgments.n_labels
    uniform = np.full(K, 1.0 / K)
    return layout.start_of(layout.one_coin(accuracy), problem.priors(uniform, None, backend), backend)
