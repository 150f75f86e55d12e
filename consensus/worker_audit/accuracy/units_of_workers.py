"""What the judgments of workers count for where items have weights, or err together in clusters.

A judgment enters a likelihood with its unit as a power, and a count with its unit: where items of a cluster err
together, they say less than as many separate ones. What is counted so are all accuracies and their intervals, and how
much a verdict rests on. Where there are no units, each judgment counts as one, and all is as without this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.found.units import ONE_EACH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.found.units import Each

    Counts = NDArray[np.int64]
    Reals = NDArray[np.float64]

LEAST_CLUSTERS = 5  # that a verdict needs: fewer do not tell how far a worker's accuracy varies between them


def of_judgments(result: Consensus) -> Each:
    """(J,) what each judgment counts for; (0,) where each counts as one, as the loops take it."""
    return ONE_EACH if result.units is None else result.units.judgment


def per_worker(result: Consensus) -> Counts | Reals:
    """(W,) judgments of each worker in units: whole numbers where each counts as one."""
    return result.judgments.per_worker if result.units is None else result.units_per_worker


def summed(result: Consensus, worker: NDArray[np.integer], judgment: NDArray[np.integer]) -> Counts | Reals:
    """(W,) units of some judgments (n,), given by their positions, of each ``worker`` (n,)."""
    weights = None if result.units is None else result.units.judgment[judgment]
    found: Counts | Reals = np.bincount(worker, weights, result.judgments.n_workers)
    return found


def told(units: float) -> str:
    """Such as ``12`` or ``12.4``: so many judgments, as they count."""
    return f"{units:,.0f}" if float(units).is_integer() else f"{units:,.1f}"
