"""Fits of one reading of the judgments beside others: what they say of every item, and of judgments held out.

The first reading is hierarchical Dawid-Skene itself, over labels. Each of the others is the same EM over states finer
than labels, named by its module, and takes from the first what is known of the labels' shares.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from consensus.found.tempering import Tempering
from consensus.kernels import states_loops
from consensus.models import starts
from consensus.models.cavity import without_gold
from consensus.models.expectation_maximisation import climb
from consensus.models.newcomers_as_one import of_one
from consensus.models.states import States

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.models.base import Execution
    from consensus.models.expectation_maximisation import Estimate
    from consensus.models.priors import Priors
    from consensus.models.problem import Problem

    Reals = NDArray[np.float64]

Start = Callable[[slice], "NDArray[np.float64]"]
"""The posterior that EM starts from, made for some of the items."""

READINGS = {"subtypes": "consensus.models.subtypes", "lure": "consensus.models.lure"}
"""Every reading beside the first by its name, and its module."""
LEAST_TOLERANCE = 1e-5  # nats a judgment: the mean log loss of eight public sets moves by .0003 from 1e-7


class Reading(Protocol):
    """What the module of a reading offers."""

    def states(self, n_labels: int) -> States:
        """The states of items that have so many labels."""

    def start(self, judgments: Judgments, of_labels: Start, backend: Backend) -> Start:
        """Where EM starts, (n, S), from a posterior of labels."""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A reading that was fitted."""

    name: str
    problem: Problem
    """Over its states."""
    estimate: Estimate

    @property
    def states(self) -> States:
        """Those that items may be in: the labels, of the first reading."""
        return self.problem.states or States(self.problem.judgments.n_labels)

    def priors(self, backend: Backend) -> Priors:
        """Those of the last E step."""
        return self.estimate.priors or self.problem.priors(self.estimate.pi, None, backend)

    def posterior(self, power: Reals, backend: Backend) -> Reals:
        """(I, K) of the labels, each to the ``power`` (I,) of its item and normalised."""
        rows, estimate = self.problem.rows, self.estimate
        found = np.empty((rows.n_items, self.problem.judgments.n_labels))
        log_rows, priors = np.log(estimate.C), self.priors(backend)

        def shard(part: slice) -> None:
            begins = rows.item_start[part.start : part.stop + 1]
            own = priors.row[part]
            states_loops.label_posteriors(begins, rows.row, log_rows, priors.table, own, power[part], found[part])

        backend.map(shard, rows.item_shards)
        return found

    def without_gold(self, gold: AlignedGold) -> Reals:
        """(G, K) logarithms of the labels' posterior of gold items as if their gold were unknown, up to constants."""
        logs = without_gold(self.problem, self.estimate, gold)
        peak = logs.max(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.states.by_label(np.exp(logs - peak))) + peak, np.float64)


def module(name: str) -> Reading:
    """The module of a reading."""
    return cast("Reading", importlib.import_module(READINGS[name]))


def most_states(n_labels: int) -> int:
    """How many states the finest reading has."""
    return max(module(name).states(n_labels).n for name in READINGS)


def fitted(first: Read, begin: Start, run: Execution, stage: str) -> list[Read]:
    """The ``first`` reading and all others, begun at the posterior of labels that it was begun at."""
    found = [first]
    judgments = first.problem.judgments
    tolerance = max(first.problem.tolerance, LEAST_TOLERANCE)
    for name in READINGS:
        reading = module(name)
        problem = replace(first.problem.over(reading.states(judgments.n_labels), first.estimate), tolerance=tolerance)
        start = reading.start(judgments, begin, run.backend)
        found.append(Read(name, problem, climb(problem, start, run, f"{stage} {name}")))
    return found


def predicted(read: Read, item: NDArray[np.int32], row: NDArray[np.int32], rho: float, backend: Backend) -> Reals:
    """(H,) the probability of judgments that the fit has not seen, by the tempered posterior of the states.

    ``item`` (H,), ascending, and ``row`` (H,) are those of the judgments, ``rho`` is what states are tempered by.
    """
    rows, C = read.problem.rows, read.estimate.C
    log_rows, priors, alone = np.log(C), read.priors(backend), of_one(C, read.problem)
    power = Tempering(rho).power(read.problem.judgments.per_item)
    held_start = np.searchsorted(item, np.arange(rows.n_items + 1)).astype(np.int64)
    found = np.empty(len(item))

    def shard(part: slice) -> None:
        ends = slice(part.start, part.stop + 1)
        judged = states_loops.Parted(rows.item_start[ends], rows.row, held_start[ends], row)
        own, power_of = priors.row[part], power[part]
        states_loops.predictions(judged, log_rows, alone, priors.table, own, power_of, found)

    backend.map(shard, rows.item_shards)
    return found


def begins(problem: Problem, start: str, backend: Backend) -> Start:
    """Where EM over labels starts: the majority, or what is known of the workers by gold or their agreement."""
    if start == "majority":
        return cast("Start", starts.usual(problem))
    table = starts.gold(problem, backend)
    return table.__getitem__
