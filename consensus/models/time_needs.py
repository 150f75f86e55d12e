"""About how long a run takes, estimated from counts: nothing is timed, so that it can be told at once.

The constants were measured on one core of one machine, and say no more than the order of it for another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consensus.models import choice
from consensus.models.layout import weighs_all_labels

if TYPE_CHECKING:
    from consensus.config import FitConfig
    from consensus.inputs.judgments import Judgments

USUAL_PASSES = 35  # of EM, on large data
A_JUDGMENT_PASSED = 7e-9  # seconds of one core, for a judgment in one pass
A_LABEL_PASSED = 1.1e-9  # for each label that is weighed, besides
A_CELL_PASSED = 0.06e-9  # for each pair of labels: the more there are, the less fits into the processor's cache
A_CANDIDATE_PASSED = 25e-9  # for a judgment and each candidate label, where not all labels are weighed
CANDIDATES = 2.5  # of the usual item there
A_JUDGMENT_TOLD = 2.5e-7  # seconds of one core, for a judgment that is diagnosed, tempered, audited
AN_ITEM_TOLD = 1.5e-6  # seconds, for an item that is summarised, ranked and written
START = 1.0  # seconds of loading libraries


@dataclass(frozen=True, slots=True)
class Seconds:
    """About how long the parts of a run take."""

    passes: int
    """Passes over the judgments."""
    a_pass: float
    """One pass; of all readings together where several are averaged."""
    tables: float
    """Audit, ranking and tables."""

    @property
    def total(self) -> float:
        """All of it, but for reading."""
        return START + self.passes * self.a_pass + self.tables


def of(judgments: Judgments, model: str, settings: FitConfig, n_threads: int) -> Seconds:
    """What a run of ``model`` over ``judgments`` takes on so many threads."""
    J, K = judgments.n_judgments, judgments.n_labels
    rows = min(J, judgments.n_workers * K)
    if weighs_all_labels(judgments.n_items, rows, K):
        each = A_JUDGMENT_PASSED + A_LABEL_PASSED * K + A_CELL_PASSED * K * K
    else:
        each = A_CANDIDATE_PASSED * CANDIDATES
    times = {"majority_vote": 0, choice.USUAL: choice.times_as_long(K)}.get(model, 1)
    told = A_JUDGMENT_TOLD * J / n_threads + AN_ITEM_TOLD * judgments.n_items
    passes = min(USUAL_PASSES, settings.max_iterations) if times else 0
    return Seconds(passes, times * each * J / n_threads, told)
