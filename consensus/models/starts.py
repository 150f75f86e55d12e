"""Where EM starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import tallies
from consensus.models.expectation_maximisation import expect
from consensus.result import TIE, normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.judgments import Judgments
    from consensus.models.expectation_maximisation import Problem


def majority(judgments: Judgments) -> NDArray[np.float64]:
    """(I, K) hard majority, ties split evenly; uniform for items that nobody labelled."""
    votes = np.zeros((judgments.n_items, judgments.n_labels))
    tallies.label_counts(judgments.item_start, judgments.label, votes)
    return normalised((votes >= votes.max(axis=1, keepdims=True) - TIE).astype(np.float64))


def shares(judgments: Judgments) -> NDArray[np.float64]:
    """(I, K) share of the item's judgments: the start of Dawid & Skene (1979, section 3), for maximum likelihood."""
    votes = np.zeros((judgments.n_items, judgments.n_labels))
    tallies.label_counts(judgments.item_start, judgments.label, votes)
    return normalised(votes)


def usual(judgments: Judgments, problem: Problem) -> NDArray[np.float64]:
    """(I, K) where EM starts without better knowledge, gold items clamped."""
    return with_gold(shares(judgments) if problem.prior == "none" else majority(judgments), problem)


def with_gold(start: NDArray[np.float64], problem: Problem) -> NDArray[np.float64]:
    """``start`` with the gold items clamped: evenly over their accepted labels."""
    clamped = start.copy()
    gold_items = np.flatnonzero(problem.prior_row)
    accepted = problem.accepted[problem.prior_row[gold_items] - 1]
    clamped[gold_items] = normalised(accepted.astype(np.float64))
    return clamped


def gold(judgments: Judgments, problem: Problem, backend: Backend) -> NDArray[np.float64]:
    """Each worker's one-coin accuracy on the gold items (a pseudo-success, a pseudo-failure), then one E-step."""
    code = problem.prior_row[judgments.item]
    on_gold = code > 0
    right = problem.accepted[code[on_gold] - 1, judgments.label[on_gold]]
    n = np.bincount(judgments.worker[on_gold], minlength=judgments.n_workers)
    n_right = np.bincount(judgments.worker[on_gold], weights=right, minlength=judgments.n_workers)
    return one_coin(judgments, problem, (n_right + 1.0) / (n + 2.0), backend)


def mirrored(judgments: Judgments, problem: Problem, backend: Backend) -> NDArray[np.float64]:
    """Start from the worst agreement: workers count as the less accurate, the more they agree with the majority."""
    agreed = majority(judgments)[judgments.item, judgments.label]
    n = np.bincount(judgments.worker, minlength=judgments.n_workers)
    n_agreed = np.bincount(judgments.worker, weights=agreed, minlength=judgments.n_workers)
    return one_coin(judgments, problem, 1.0 - (n_agreed + 1.0) / (n + 2.0), backend)


def one_coin(
    judgments: Judgments, problem: Problem, accuracy: NDArray[np.float64], backend: Backend
) -> NDArray[np.float64]:
    """(I, K) posterior under one accuracy a worker (W,), errors spread evenly, uniform class prior."""
    rows, n_labels = problem.rows, judgments.n_labels
    wrong = (1.0 - accuracy) / max(n_labels - 1, 1)
    log_rows = np.repeat(np.log(wrong)[rows.worker][:, None], n_labels, axis=1)
    log_rows[np.arange(len(rows.label)), rows.label] = np.log(accuracy)[rows.worker]
    posterior = np.empty((judgments.n_items, n_labels))
    uniform = np.full(n_labels, 1.0 / n_labels)
    expect(
        rows,
        log_rows,
        problem.log_priors(uniform),
        problem.prior_row,
        posterior,
        np.empty(judgments.n_items),
        backend,
    )
    return posterior
