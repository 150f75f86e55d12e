"""What posteriors are made of: the class prior and the likelihood of every judgment, as EM left them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.posterior import SparsePosterior

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.confusions import Confusions
    from consensus.found.posterior import Posterior

    Reals = NDArray[np.float64]
    Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What a fit counted, and what its judgments counted for, where that is told in other units (``label_units``)."""

    N: Reals
    """(R, K) expected judgments by row of the confusions."""
    n: Reals
    """(W, K) their sums by worker."""
    judgment: Reals
    """(J,) units of each judgment."""


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """The parameters of the last E step: the confusions of a result hold the counts of the M step after it."""

    C: Reals
    """(R, K) or wider, P(observed | true) by row of the confusions; or (cells,) its logarithms by cell."""
    pi: Reals
    """(K,) the class prior, above 0."""
    priors: Reals | None = None
    """(I, K) the prior of each item, whatever gold says of it, or (candidates,) of each candidate of a
    ``SparsePosterior``, where items have priors of their own that no models gave; None where that is ``pi``."""
    counted: Counted | None = None
    """Of a fit that saw gold; None where the confusions of the result have the same counts, and without gold."""

    def log_priors(self, items: NDArray[np.integer], beliefs: Posterior) -> Reals:
        """(n, K) logarithms of the priors of some ``items`` (n,), save what gold and models say."""
        found = np.tile(np.log(self.pi), (len(items), 1))
        if self.priors is not None and isinstance(beliefs, SparsePosterior):
            for n, item in enumerate(items.tolist()):
                own = slice(beliefs.start[item], beliefs.start[item + 1])
                found[n, beliefs.candidate[own]] = np.log(self.priors[own])
        elif self.priors is not None:
            found = np.log(self.priors[items])
        return found

    def log_likelihoods(self, confusions: Confusions, worker: Codes, label: Codes) -> Reals:
        """(n, K) log P(label | true label k) of some judgments (n,); 0 where the layout does not weigh k."""
        K = confusions.n_labels
        rows = confusions.rows_of(worker, label)
        if self.C.ndim == 2:
            found: Reals = np.log(self.C[rows, :K])
            return found
        sparse = np.zeros((len(rows), K))
        for n, row in enumerate(rows.tolist()):
            cells = slice(confusions.cell_start[row], confusions.cell_start[row + 1])
            sparse[n, confusions.true[cells]] = self.C[cells]
        return sparse
