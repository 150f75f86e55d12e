"""What an explanation holds, and how it shows itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consensus.inputs import shown
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Push:
    """What one judgment, or model, does."""

    who: str
    """Worker, model, or family of models."""
    said: str
    """Label; of a family, those that its models named."""
    push: float
    """Nats towards the label, against the runner-up, as tempered; NaN where no confidence can be stated."""
    flips: str | None
    """The label that would win without it, all else as fitted; None if the label stays."""


@dataclass(frozen=True, slots=True)
class Say:
    """What one of several readings says of an item."""

    reading: str
    label: str
    """The one it finds most probable."""
    confidence: float
    """Its probability by this reading."""
    weight: float
    """How far this reading is believed; the weights of all of them sum to 1."""


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """Why an item has its label. Its parts, ``prior`` to ``calibration``, add up to ``log_odds``.

    Examples
    --------
    >>> why = consensus.run(judgments).explain("img0")
    >>> why.label, [push.who for push in why.votes]
    ('cat', ['ann', 'bob', 'eve'])
    """

    item: str
    label: str
    """The most probable one; of a gold item, as if it were none. Or the one that was asked for."""
    runner_up: str | None
    """The second; None where no other label stands out."""
    confidence: float
    """P(label), as if the item were no gold; NaN where none can be stated."""
    log_odds: float
    """log P(label) / P(runner_up) in nats, tempered; NaN without a runner-up."""
    prior: float
    """What the shares of the labels say."""
    models: tuple[Push, ...]
    votes: tuple[Push, ...]
    gold: str | None
    """Accepted labels of a gold item."""
    power: float
    """What tempering multiplied all of this with: 1 or less."""
    top: tuple[tuple[str, float], ...]
    """The most probable labels, at most five."""
    readings: tuple[Push, ...] = ()
    """Where several readings are averaged, one: what their average adds to what judgments by workers so rated say."""
    calibration: tuple[Push, ...] = ()
    """Where confidences were calibrated on gold, one: what that adds to all the rest."""
    says: tuple[Say, ...] = ()
    """What each of these readings says; of gold items nothing, for they say its gold."""

    @property
    def pushes(self) -> tuple[Push, ...]:
        """All that has a say: models, readings, gold, then judgments."""
        return (*self.models, *self.readings, *self.calibration, *self.votes)

    def to_pandas(self) -> pd.DataFrame:
        """One row for each that has a say, after how common labels are: who, said, odds, without_it.

        ``odds`` is what they multiply the odds of the label against the runner-up with: above 1 they speak for it.
        ``without_it`` is the label that would win without them, missing where the label stays.
        """
        import pandas as pd

        first = Push("everyone", "how common labels are", self.prior, None)
        return pd.DataFrame(
            [(one.who, one.said, math.exp(one.push), one.flips) for one in (first, *self.pushes)],
            columns=["who", "said", "odds", "without_it"],
        )

    def __repr__(self) -> str:
        sure = "" if math.isnan(self.confidence) else f" ({self.confidence:.1%} sure)"
        before = "" if self.runner_up is None else f" before {self.runner_up}"
        gold = "" if self.gold is None else f"; gold says {self.gold}"
        votes = counted(len(self.votes), "judgment")
        return shown.line("Explanation", f"{self.item}: {self.label}{sure}{before}, {votes}{gold}")

    def _repr_html_(self) -> str:
        rows = [(who, f"{said}: odds x {odds:.3g}") for who, said, odds, _ in self.to_pandas().itertuples(index=False)]
        return shown.card(repr(self), rows)
