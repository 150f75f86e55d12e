"""How common each label is among all items, with an interval: random gold, helped by the posteriors of all items.

Arrays in, arrays out. The posteriors are those of a fit that has not seen the gold: only then are gold items and others
alike in them, and only then do the errors that gold shows hold for the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_parts
from consensus.intervals import LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

LEAST_GOLD = 10  # items, below which no interval is stated
AS_PREDICTED = 2.0  # pseudo-items on which gold is what the posterior says, in the slope
MOST_SLOPE = 1.5
LEAST_VARIANCE = 1e-4  # of a label in the pseudo-items
SURPRISES = 0.75  # pseudo-items on which the posterior is all wrong, one such part either way
BLOCK = 4_000_000  # cells of gold items and labels that are worked on at once


@dataclass(frozen=True, slots=True, eq=False)
class ClassShares:
    """Share of each label among all items, in [0, 1]; the interval holds it with ``intervals.LEVEL``.

    Each label is estimated for itself, so the shares need not sum to 1 exactly, but with two labels they do.
    """

    share: Reals
    """(K,)."""
    low: Reals
    """(K,)."""
    high: Reals
    """(K,)."""


def class_shares(truth: Reals, predicted: Reals, mean: Reals, n_items: int) -> ClassShares:
    """Shares of the labels among I items, of which G were drawn at random without replacement and are gold.

    Parameters
    ----------
    truth
        (G, K) the gold, Y: rows sum to 1; an item with several right labels may count in parts.
    predicted
        (G, K) posteriors f of the gold items, by a fit that has not seen them as gold; rows sum to 1.
    mean
        (K,) mean F of the posteriors over all I items, gold ones among them.
    n_items
        I, at least G.

    Returns
    -------
    ClassShares
        With G = I the shares of the gold, and intervals of no width.

    Notes
    -----
    The estimate is that of prediction-powered inference with a slope for each label (PPI++: Angelopoulos, Duchi & Zrnic
    2023, arXiv 2311.01453, section 2)::

        lambda = (S_Yf + 2 v) / (S_ff + 2 v), within [0, 1.5];   v = max(F (1 - F), 1e-4);   S: centred sums over gold
        theta  = mean Y + lambda (F - mean f)

    The interval is a score interval (Wilson 1927) for the mean of the centred residuals d of Y - lambda f. At a share
    that is greater by delta the variance is greater by s delta, s their third moment by their second: 1 - 2 p for plain
    shares, as with Wilson; 0 where errors go both ways alike; 1 where they are rare and go one way (Johnson 1978 has
    the same correction for a t interval)::

        M2 = sum d^2 + 2 * .75;   s = sum d^3 / M2, within [-1, 1];   h = t^2 (1 - G/I) / (2 G)
        low, high = theta + s h -+ sqrt((s h)^2 + t^2 (1 - G/I) M2 / G^2)

    with the quantile t of G - 2 degrees of freedom, and 1 - G/I since the items are finite. The pseudo-items that are
    all wrong are needed where errors are too rare to be met in the gold: Wilson's interval with an effective number of
    items (Korn & Graubard 1998) holds the share in far fewer draws there, down to .6. Last, the share can't be less
    than the gold items alone make it, nor more than they leave.

    Raises
    ------
    ValueError
        Less than ``LEAST_GOLD`` gold items: the quantiles mean nothing.
    """
    from scipy.special import stdtrit

    G, K = truth.shape
    if G < LEAST_GOLD:
        raise ValueError(f"{G:,} gold items are too few for shares; {LEAST_GOLD} are the least")
    t = float(stdtrit(G - 2, (1.0 + LEVEL) / 2))
    found = ClassShares(*(np.empty(K) for _ in range(3)))
    for part in even_parts(K, -(-G * K // BLOCK)):
        Y, f = truth[:, part], predicted[:, part]
        slope = _slope(Y, f, mean[part])
        theta = Y.mean(axis=0) + slope * (mean[part] - f.mean(axis=0))
        d = Y - slope * f
        d -= d.mean(axis=0)
        squares = (d * d).sum(axis=0) + 2 * SURPRISES
        skew = np.clip((d * d * d).sum(axis=0) / squares, -1.0, 1.0)
        left = 1.0 - G / n_items
        shift = skew * t**2 * left / (2 * G)
        half = np.sqrt(shift**2 + t**2 * left * squares / G**2)
        least, most = Y.sum(axis=0) / n_items, 1.0 - (1.0 - Y).sum(axis=0) / n_items
        found.low[part] = np.clip(theta + shift - half, least, most)
        found.high[part] = np.clip(theta + shift + half, least, most)
        found.share[part] = np.clip(theta, found.low[part], found.high[part])
    return found


def _slope(Y: Reals, f: Reals, mean: Reals) -> Reals:
    """(K,) what a difference in the posterior is worth, lambda."""
    centred = f - f.mean(axis=0)
    as_predicted = AS_PREDICTED * np.maximum(mean * (1.0 - mean), LEAST_VARIANCE)
    slope = ((Y * centred).sum(axis=0) + as_predicted) / ((centred * centred).sum(axis=0) + as_predicted)
    return np.asarray(np.clip(slope, 0.0, MOST_SLOPE), np.float64)


def in_parts(accepted: NDArray[np.bool_], predicted: Reals) -> Reals:
    """(G, K) gold as shares: an item with several ``accepted`` labels counts for each as the posterior splits it.

    Where the posterior gives none of them anything, they share alike. Rows sum to 1.
    """
    parts = np.where(accepted, predicted, 0.0)
    total = parts.sum(axis=1, keepdims=True)
    alike = accepted / accepted.sum(axis=1, keepdims=True)
    return np.where(total > 0, parts / np.where(total > 0, total, 1.0), alike)
