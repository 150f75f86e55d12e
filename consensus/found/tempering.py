"""Confidence that means what it says: how a posterior is tempered, and the temperature that gold asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Items = slice | NDArray[np.integer]

LEAST_GOLD = 100  # judged gold items from which on the temperature is fitted on them
HOTTEST = 20.0
MOST_CELLS = 200_000  # gold items times labels that the temperature is fitted on: one number needs no more
N_FOLDS = 10
SMALLEST = 1e-300
UNFOUNDED = 1.0 / HOTTEST  # power of a posterior that is the echo of its own judgments


@dataclass(frozen=True, slots=True)
class Tempering:
    """What a posterior was raised to before it was normalised again; the label never changes.

    Either by a design effect (``rho``, see ``models.tempering``), or by a ``temperature`` that was fitted on gold.
    """

    rho: float = 0.0
    """Correlation of judgments on one item; 0 where the temperature was fitted on gold."""
    temperature: float = 1.0
    """1 or above: how much too sure of itself the posterior was."""
    n_gold: int = 0
    """Gold items that the temperature was fitted on; 0 if it was not."""
    beyond: Flags | None = None
    """(I,) items that this gold does not speak for, where there are any: tempered by ``rho_beyond`` instead."""
    rho_beyond: float = 0.0
    """Correlation of judgments on one of these."""
    rho_range: tuple[float, float] | None = None
    """The lowest and the highest rho of the splits that it is the mean of; None where it was not measured."""
    unfounded: Flags | None = None
    """(I,) items whose label nothing backs, where there are any: tempered by UNFOUNDED at least."""

    @property
    def by(self) -> str:
        """How the confidence was made: ``gold`` or ``design effect``."""
        return "gold" if self.n_gold else "design effect"

    def without(self, beyond: Flags, rho: float) -> Tempering:
        """The same, but by ``rho`` for items that are ``beyond`` (I,) what gold speaks for."""
        return replace(self, beyond=beyond, rho_beyond=rho) if beyond.any() else self

    def power(self, n_judgments: NDArray[np.int64], items: Items | None = None) -> Reals:
        """1 / (T (1 + rho (n - 1))) for items (n,) with that many judgments, in the shape of these; above 0.

        ``items`` say which ones, and have to be named where not all are tempered alike.
        """
        found: Reals = 1.0 / (self.temperature * (1.0 + self.rho * np.maximum(n_judgments - 1, 0)))
        if self.beyond is None and self.unfounded is None:
            return found
        assert items is not None, "not all items are tempered alike: name them"
        if self.beyond is not None:
            found = np.where(self.beyond[items], Tempering(self.rho_beyond).power(n_judgments), found)
        if self.unfounded is not None:
            found = np.where(self.unfounded[items], np.minimum(found, UNFOUNDED), found)
        return found

    def tempered(self, logs: Reals, n_judgments: NDArray[np.int64], items: Items | None = None) -> Reals:
        """(n, K) tempered posterior of items (n,), from the logarithms of the untempered one; rows sum to 1."""
        return tempered(logs, self.power(n_judgments, items))

    def untempered(self, posterior: Reals, n_judgments: NDArray[np.int64], items: Items | None = None) -> Reals:
        """(n, K) logarithms of the untempered posterior save for a constant, from the tempered one."""
        found: Reals = np.log(np.maximum(posterior, SMALLEST)) / self.power(n_judgments, items)[:, None]
        return found


def tempered(logs: Reals, power: Reals) -> Reals:
    """(n, K) exp(logs) to the ``power`` (n,), normalised."""
    return normalised(np.exp((logs - logs.max(axis=1, keepdims=True)) * power[:, None]))


def fitted_on_gold(logs: Reals, accepted: Flags, weight: Reals | None = None) -> Tempering:
    """The tempering that gold items ask for, from the logarithms of their untempered posteriors (G, K).

    Or from those of several readings (M, G, K) of some ``weight`` (M,), which are tempered alike and then averaged.
    """
    one = logs if weight is None else logs[0]
    return Tempering(temperature=temperature(logs, accepted, weight), n_gold=len(one[:: _step(one)]))


def temperature(logs: Reals, accepted: Flags, weight: Reals | None = None) -> float:
    """T in [1, 20] that maximises sum log P(an accepted label) - log(T)^2 / 2, with P = exp(logs)^(1/T) normalised.

    ``logs`` (G, K) are those of the untempered posteriors of gold items without their gold and with their judgments
    taken out of their workers' counts, ``accepted`` (G, K) their gold. Temperature scaling: Guo et al. 2017. The
    penalty keeps T near 1 where there is little to learn from.

    Not below 1: without its own judgments in the counts a posterior is less sure than those of other items, and few
    gold items hold hardly any errors. With 100 gold items the log loss of the others falls from .408 to .381 on ``web``
    by this bound, from .096 to .091 on ``cifar10h_dev``, and rises on none of eight public sets (eight draws of gold).
    A floor under every label besides, with a penalty of 20 times its height, never left 0 on public crowds (below
    1e-14), so that there is none.
    """
    from scipy.optimize import minimize_scalar

    several = logs[None] if weight is None else logs
    step = _step(several[0])
    several, accepted = several[:, ::step], accepted[::step]
    several = several - np.where(accepted, several, -np.inf).max(axis=2, keepdims=True)
    peak = several.max(axis=2, keepdims=True)
    log_weight = np.log(np.ones(1) if weight is None else weight)[:, None]

    def loss(log_T: float) -> float:
        power = np.exp(-log_T)
        mass = np.exp((several - peak) * power)
        right = np.where(accepted, np.exp(np.minimum(several, 0.0) * power), 0.0).sum(axis=2)
        log_right = np.log(right) - np.log(mass.sum(axis=2)) - peak[..., 0] * power
        return float(0.5 * log_T**2 - np.logaddexp.reduce(log_right + log_weight, axis=0).sum())

    found = minimize_scalar(loss, bounds=(0.0, np.log(HOTTEST)), method="bounded", options={"xatol": 1e-6})
    return 1.0 if loss(0.0) <= found.fun else float(np.exp(found.x))


def _step(logs: Reals) -> int:
    """Every how-manieth gold item is fitted on, where they are very many: never fewer than are asked for."""
    return max(min(-(-logs.size // MOST_CELLS), len(logs) // LEAST_GOLD), 1)


def cross_fitted(logs: Reals, accepted: Flags, known: Flags, fold: NDArray[np.int64]) -> Reals:
    """(G, K) posteriors of gold items, each tempered as fitted without its ``fold`` (G,), in [0, 10).

    What is then measured on them is not flattered by the fit. Arguments as of ``temperature``; only the ``known`` items
    (G,) are fitted on.
    """
    found = np.empty_like(logs)
    for f in range(N_FOLDS):
        inside, others = fold == f, known & (fold != f)
        power = 1.0 / temperature(logs[others], accepted[others])
        found[inside] = tempered(logs[inside], np.full(int(inside.sum()), power))
    return found
