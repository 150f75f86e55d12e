"""What is believed of models and their families before people tell: pseudo-counts, and what agreement supports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

ON_DIAGONAL, OFF_DIAGONAL = 4.0, 0.2  # pseudo-counts of CF and Cm


def pseudo_counts(n_labels: int) -> Reals:
    """(K, K) of CF and Cm."""
    return np.full((n_labels, n_labels), OFF_DIAGONAL) + (ON_DIAGONAL - OFF_DIAGONAL) * np.eye(n_labels)


def unknown_counts(n_labels: int) -> Reals:
    """(K, K) of the Cm of a model that people have not checked: right with .8, however many labels there are."""
    off = 1.0 / max(n_labels - 1, 1)
    found: Reals = np.full((n_labels, n_labels), off) + (ON_DIAGONAL - off) * np.eye(n_labels)
    return found


def one_coin(n_labels: int) -> Reals:
    """(K, K) where CF and Cm begin."""
    return normalised(pseudo_counts(n_labels))


def one_coin_of_agreement(agreeing: int, pairs: int, n_labels: int) -> Reals:
    """(K, K) P(u | true) of models that nobody ever checked: as right as they would be, did they err independently.

    Two that are right with probability p agree with p^2 + (1 - p)^2 / (K - 1). That is the most that agreement can
    support, and the whole family is believed no more than one such model.
    """
    K = n_labels
    if K == 1:
        return np.ones((1, 1))
    g = (agreeing + 1.0) / (pairs + 2.0)
    inside = 1.0 - K * (1.0 - g * (K - 1))
    p = min((1.0 + max(inside, 0.0) ** 0.5) / K, 0.99)
    found: Reals = np.full((K, K), (1.0 - p) / (K - 1)) + (p - (1.0 - p) / (K - 1)) * np.eye(K)
    return found
