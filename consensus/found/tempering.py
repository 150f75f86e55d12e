"""Confidence that is held back, since judgments of one item err together: how a posterior is tempered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Items = slice | NDArray[np.integer]

SMALLEST = 1e-300
UNFOUNDED = 0.05  # power of a posterior that is the echo of its own judgments


@dataclass(frozen=True, slots=True)
class Tempering:
    """What a posterior was raised to before it was normalised again, by a design effect; the label never changes.

    See ``models.held_out_rho``. Calibration on gold comes after it (``found.calibration``).
    """

    rho: float = 0.0
    """Correlation of judgments on one item."""
    rho_range: tuple[float, float] | None = None
    """The lowest and the highest rho of the splits that it is the mean of; None where it was not measured."""
    unfounded: Flags | None = None
    """(I,) items whose label nothing backs, where there are any: tempered by UNFOUNDED at least."""

    def power(self, n_judgments: NDArray[np.int64], items: Items | None = None) -> Reals:
        """1 / (1 + rho (n - 1)) for items (n,) with that many judgments, in the shape of these; above 0.

        ``items`` say which ones, and have to be named where not all are tempered alike.
        """
        found: Reals = 1.0 / (1.0 + self.rho * np.maximum(n_judgments - 1, 0))
        if self.unfounded is None:
            return found
        assert items is not None, "not all items are tempered alike: name them"
        return np.where(self.unfounded[items], np.minimum(found, UNFOUNDED), found)

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
