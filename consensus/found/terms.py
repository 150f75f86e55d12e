"""What posteriors are made of: the class prior and the likelihood of every judgment, as EM left them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.confusions import Confusions

    Reals = NDArray[np.float64]
    Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """The parameters of the last E step: the confusions of a result hold the counts of the M step after it."""

    C: Reals
    """(R, K) or wider, P(observed | true) by row of the confusions; or (cells,) its logarithms by cell."""
    pi: Reals
    """(K,) the class prior, above 0."""

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
