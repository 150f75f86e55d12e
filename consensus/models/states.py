"""The states an item may be in, several of them for each label: what readings finer than labels are made of.

With pi[k] the share of label k and psi[s] that of state s among the items of its label, the prior of a state is their
product. Judgments depend on the state alone, P(observed | state), in a table of as many columns as there are states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class States:
    """States s = k Q + q, q from 0 to Q - 1: those of a label stand side by side."""

    n_labels: int
    """K."""
    per_label: int = 1
    """Q; with 1 the labels are the states."""
    tempt: bool = False
    """State q of a label tempts to label q, and with its own label to none."""

    @property
    def n(self) -> int:
        """S = K Q."""
        return self.n_labels * self.per_label

    def over(self, table: NDArray[T]) -> NDArray[T]:
        """(..., S) what a table (..., K) says of the label of each state."""
        return table if self.per_label == 1 else np.repeat(table, self.per_label, axis=-1)

    def by_label(self, table: Reals) -> Reals:
        """(..., K) sums of a table (..., S) over the states of each label."""
        if self.per_label == 1:
            return table
        found: Reals = table.reshape(*table.shape[:-1], self.n_labels, self.per_label).sum(axis=-1)
        return found

    def prior(self, pi: Reals, mass: Reals, smoothing: float) -> Reals:
        """(S,) pi[k] psi[s], with psi[s] = (mass[s] + 1) / (mass of its label + Q).

        ``pi`` (K,) is the class prior, ``mass`` (S,) the summed posterior; ``smoothing`` stands for the 1.
        """
        if self.per_label == 1:
            return pi
        psi = normalised((mass + smoothing).reshape(self.n_labels, self.per_label))
        found: Reals = (pi[:, None] * psi).ravel()
        return found

    def log_density(self, prior: Reals) -> float:
        """Log Dirichlet(psi; 2) of the states of every label, in nats, of what ``prior`` (S,) is made of."""
        from scipy.special import gammaln

        K, Q = self.n_labels, self.per_label
        if Q == 1:
            return 0.0
        return float(np.log(prior / np.repeat(self.by_label(prior), Q)).sum() + K * gammaln(2 * Q))
