"""Whether a worker changed more than the other judges of the same items did: else the items may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.worker_audit.accuracy import against_others

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.worker_audit.over_time.timelines import Timelines

    Flags = NDArray[np.bool_]
    Offsets = NDArray[np.int64]
    Reals = NDArray[np.float64]

SURE = 3.0  # deviations by which a worker must change more than the others
LEAST, MOST = 0.02, 0.98  # of mean shares right: log odds stay finite
LIKE_OTHERS = 1e-6  # how near to 0 and 1 the others' share on an item may be
LEAST_SLOPE, MOST_SLOPE = 0.3, 3.0  # of a worker's share right over that of the others, from item to item
LEAST_VARIANCE = 0.25  # of that of as many coins


def exceeding(result: Consensus, lines: Timelines, right: Reals, changed: Flags, n_before: Offsets) -> Flags:
    """Those of the workers who ``changed`` (W,) who did so by more than the other judges of the same items.

    ``right`` (J,) in [0, 1]. A worker on whose items too few others judged to tell does not.
    """
    exceeds = np.zeros_like(changed)
    own = np.flatnonzero(changed).tolist()
    if not own:
        return exceeds
    judgment = [lines.judgment[lines.first[w] : lines.start[w + 1]] for w in own]
    others = against_others.right_of_others(result, np.concatenate(judgment).astype(np.int64))
    by_worker = np.split(others, np.cumsum([len(one) for one in judgment])[:-1])
    for w, at, of_others in zip(own, judgment, by_worker, strict=True):
        exceeds[w] = beyond_others(right[at], of_others, np.arange(len(at)) >= n_before[w]) > SURE
    return exceeds


def beyond_others(x: Reals, o: Reals, late: Flags) -> float:
    """By how many deviations ``x`` (n,) changed more than ``o`` (n,), in the direction of ``x``; -inf if nobody knows.

    x are the shares right of a worker, o those of the others on the same items (NaN where there are none). From o, the
    log odds of which are shifted by what the worker is better or worse on the whole, follows what x would be if only
    the items had changed. The change of x beyond this is held against the variance of x less that part of it which goes
    along with o.
    """
    known = ~np.isnan(o)
    x, o, late = x[known], o[known], late[known]
    n_late = int(late.sum())
    n_early = len(late) - n_late
    if not n_early or not n_late:
        return -np.inf
    p, q = (float(np.clip(share.mean(), LEAST, MOST)) for share in (x, o))
    near = np.clip(o, LIKE_OTHERS, 1.0 - LIKE_OTHERS)
    odds = near / (1.0 - near) * (p / (1.0 - p)) * ((1.0 - q) / q)
    expected = odds / (1.0 + odds)
    change = x[late].mean() - x[~late].mean()
    beyond = change - (expected[late].mean() - expected[~late].mean())
    slope = np.clip(p * (1.0 - p) / (q * (1.0 - q)), LEAST_SLOPE, MOST_SLOPE)
    rest = x - slope * o
    variance = rest[~late].var() / n_early + rest[late].var() / n_late
    coins = LEAST_VARIANCE * p * (1.0 - p) * (1.0 / n_early + 1.0 / n_late)
    return float(np.sign(change) * beyond / np.sqrt(max(variance, coins)))
