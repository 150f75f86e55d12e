"""What a model is, which there are, and how one is fitted: the inputs are prepared once, for whichever it is."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from consensus.backends import Threads
from consensus.config import FitConfig
from consensus.models.preparing import prepared, with_gold_workers

if TYPE_CHECKING:
    from consensus.backends import Backend
    from consensus.found.result import Consensus
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import AlignedVotes
    from consensus.models.carried import Carried
    from consensus.models.choice import Choice
    from consensus.models.held import Held

MODELS = {
    "average": "consensus.models.average",
    "dawid_skene": "consensus.models.dawid_skene",
    "majority_vote": "consensus.models.majority_vote",
}
"""Every model by its name, and the module that is imported when it is first asked for."""

Progress = Callable[[str, int, float, float], None]
"""Called after every pass with: stage, passes done, objective per judgment (nats), its gain (nats); and where a stage
without passes begins, with 0 passes done and NaN."""


@dataclass(frozen=True, slots=True, eq=False)
class Execution:
    """How a fit is carried out. Of this only the seed, and by a little what is carried, can change a result."""

    backend: Backend
    progress: Progress | None = None
    seed: int = 0
    carried: Carried | None = None
    """Parameters of an earlier fit that EM begins with, and where those of this one are kept; None: neither."""

    def tell(self, stage: str, done: int = 0, objective: float = np.nan, gain: float = np.nan) -> None:
        """Report a pass, or without more than its name that a stage begins."""
        if self.progress is not None:
            self.progress(stage, done, objective, gain)


class Model(Protocol):
    """What the module of a model offers."""

    def fit(
        self,
        judgments: Judgments,
        votes: AlignedVotes | None,
        gold: AlignedGold | None,
        settings: FitConfig,
        run: Execution,
        held: Held | None = None,
    ) -> Consensus:
        """Merge ``judgments`` over the label set, beside ``votes`` and ``gold`` that are aligned with them.

        Or without gold, which is ``held`` back.

        Raises
        ------
        ConsensusError
            The model can't be fitted to these.
        """


def named(model: str) -> Model:
    """The model of a name."""
    return cast("Model", importlib.import_module(MODELS[model]))


def chosen(judgments: Judgments, votes: AlignedVotes | None, settings: FitConfig) -> Choice:
    """The model that finds the labels of ``judgments``, which are over the label set already, and why.

    It is the one that the settings name. Where they name none, the size of the data decides.
    """
    from consensus.models import choice  # which needs the loops

    return choice.chosen(judgments, votes, settings)


def fit(
    judgments: Any,
    config: FitConfig | None = None,
    *,
    model_votes: Any = None,
    gold: Any = None,
    gold_worker: str | Sequence[str] = (),
    backend: Backend | None = None,
    progress: Progress | None = None,
    carried: Carried | None = None,
    **settings: Any,
) -> Consensus:
    """What ``consensus.fit`` calls, with the same arguments and errors; its warnings are in the result alone.

    Beside these, what is ``carried`` from an earlier fit to the next.
    """
    config = FitConfig.of(config, **settings)
    if gold_worker:
        judgments, gold = with_gold_workers(judgments, gold, gold_worker)
    run = Execution(backend or Threads(config.threads), progress, config.seed, carried)
    judgments, aligned, votes = prepared(judgments, gold, config, model_votes)
    choice = chosen(judgments, votes, config)
    model = named(choice.name)
    if aligned is None:
        found = model.fit(judgments, votes, None, config, run)
    else:
        from consensus.models import beside_gold  # which needs the loops

        found = beside_gold.fit(beside_gold.Beside(model, judgments, votes, aligned, config, run))
    return replace(found, chosen_because=choice.because) if choice.because and found.model == choice.name else found
