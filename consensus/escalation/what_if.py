"""What a budget would buy: accuracy and cost of other ways to ask, by replay of the judgments that there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from consensus.config import BudgetConfig, EscalateConfig, FitConfig
from consensus.errors import ConfigError
from consensus.escalation.ranking import planned
from consensus.escalation.replay import Replay
from consensus.formats import read_gold, read_model_votes
from consensus.inputs.earlier_run import STATUSES
from consensus.inputs.vocabulary import positions
from consensus.intervals import wilson
from consensus.models.base import fit
from consensus.models.preparing import prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import ModelVotes

    Progress = Callable[[str, float | None], None]

VOTES, TARGETS = (BudgetConfig.model_fields[name].default for name in ("votes", "targets"))
ACCEPTED = STATUSES.index("accepted")
TINY = 1e-300


def plan_budget(
    judgments: Any,
    *,
    gold: Any = None,
    model_votes: Any = None,
    config: EscalateConfig | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """What other ways to ask would have cost, and how right their labels would have been.

    The judgments that there are come one by one, in random order: so many an item, whatever it is; or until the target,
    as ``escalate`` asks for them; or all of them but for some workers, or without the models. Each way is fitted anew.

    Parameters
    ----------
    judgments
        From ``read``, or anything that it reads.
    gold
        Held back, as the truth that labels are held against; without it they are held against those of all judgments
        (and models), of which nobody knows how many are right.
    model_votes
        As in ``fit``.
    config
        ``max_judgments``, and what else ``escalate`` needs; its ``target`` decides what counts as accepted.
    progress
        Called with what is done and the fraction of all ways that is.
    **settings
        Fields of ``BudgetConfig``, such as ``votes=[2, 4]``, ``without={"spammers": ["w1", "w7"]}`` or
        ``price_per_judgment=0.05``; those of ``FitConfig`` are among them.

    Returns
    -------
    pandas.DataFrame
        way
            Such as "3 judgments an item", "target 95%", "all judgments", "without GROUP", "without models"; with
            "(where there are so many)" if most items have fewer.
        target
            Confidence at which it accepts an item.
        judgments, judgments_per_item
            What it would have used.
        cost
            The same in money; missing without any price.
        accepted
            Share of the items that would be accepted; by weight, like all shares here, where items have weights.
        expected_error
            Of these, if the confidences are right; missing without any.
        n_compared, accuracy, accuracy_low, accuracy_high
            Labels held against the reference, the share that is right (of equally probable labels the first), and its
            95 % Wilson interval, of as many items as these count for. Nothing is compared where the way and the
            reference are the same labels.
        reference
            "gold", or "labels of all judgments (unaudited)".

    Raises
    ------
    ConfigError
        A setting is unknown or out of range, or a worker is in no judgment.
    JudgmentError
        The judgments can't be used, as in ``fit``.

    Examples
    --------
    >>> consensus.plan_budget(judgments, votes=[2], targets=[0.9])["way"].tolist()
    ['2 judgments an item', 'target 90%', 'all judgments']
    """
    import pandas as pd

    rule, plan = EscalateConfig.of(config, promise="item"), BudgetConfig.of(None, **settings)
    truth = None if gold is None else read_gold(gold)
    models = None if model_votes is None else read_model_votes(model_votes)
    whole, aligned, _ = prepared(judgments, truth, plan.of_fit(), models)
    chosen = _drawn(whole, plan.most_items, plan.seed)
    of = replace(whole.subset(chosen[whole.item]), gold=None)  # gold judges the replays, and takes no part in them
    groups = {f"without {name}": _without(of, workers) for name, workers in (plan.without or {}).items()}
    full = fit(of, plan.of_fit(), model_votes=models)
    replayed = _Replayed(of, full, chosen, models, aligned)
    ways = _ways(replayed, groups, rule, plan)
    rows: list[dict[str, Any]] = []
    for way in ways:
        result = way.fitted()
        found = replayed.bought(result, EscalateConfig.of(rule, target=way.target), plan.price_per_judgment)
        rows.append({"way": way.name, "target": way.target, **found, **replayed.compared(result)})
        if progress is not None:
            progress(f"replaying: {way.name}", len(rows) / len(ways))
    return pd.DataFrame(rows)


class _Way(NamedTuple):
    """A way to ask."""

    name: str
    target: float
    fitted: Callable[[], Consensus]


@dataclass(frozen=True, slots=True, eq=False)
class _Replayed:
    """What is replayed, and what it is held against."""

    judgments: Judgments
    """Of the chosen items."""
    full: Consensus
    """Of all of them, and models."""
    chosen: NDArray[np.bool_]
    """(I,)"""
    models: ModelVotes | None
    gold: AlignedGold | None

    def bought(self, result: Consensus, rule: EscalateConfig, price: float | None) -> dict[str, Any]:
        """The columns that tell what a way used, and what is accepted of it."""
        judged, n = result.judgments, max(int(self.chosen.sum()), 1)
        status = planned(result, rule, suggest=False).status(result)
        accepted = self.chosen & (status[: judged.n_items] == ACCEPTED)
        weight = _weights(judged)
        return {
            "judgments": judged.n_judgments,
            "judgments_per_item": judged.n_judgments / n,
            "cost": _mean_price(judged, price) * judged.n_judgments,
            "accepted": float(weight[accepted].sum()) / max(float(weight[self.chosen].sum()), TINY),
            "expected_error": 1.0 - float(np.average(result.confidence[accepted], weights=weight[accepted]))
            if accepted.any()
            else np.nan,
        }

    def compared(self, result: Consensus) -> dict[str, Any]:
        """The columns that hold its labels against gold, or against those of all judgments."""
        label = result.consensus_label
        if self.gold is not None:
            known = np.flatnonzero((self.chosen & (label >= 0))[self.gold.items])
            right = self.gold.accepted[known, label[self.gold.items[known]]]
            known = self.gold.items[known].astype(np.intp)
        else:
            full = self.full.consensus_label
            known = np.flatnonzero(self.chosen & (full >= 0) & (label >= 0))
            all_judgments = result.judgments.n_judgments == self.judgments.n_judgments
            if all_judgments and (result.models is None) == (self.models is None):
                known = known[:0]  # the reference itself
            right = full[known] == label[known]
        n = len(known)
        share = float(np.average(right, weights=_weights(result.judgments)[known])) if n else np.nan
        low, high = wilson(int(right.sum()), n) if n else (np.nan, np.nan)
        if n and result.units is not None:
            counted = float(result.units.item[known].sum())
            low, high = wilson(share * counted, counted)
        return {
            "n_compared": n,
            "accuracy": share,
            "accuracy_low": float(low),
            "accuracy_high": float(high),
            "reference": "labels of all judgments (unaudited)" if self.gold is None else "gold",
        }


def _weights(judgments: Judgments) -> NDArray[np.float64]:
    """(I,) what each item counts as."""
    return np.ones(judgments.n_items) if judgments.weight is None else judgments.weight


def _ways(replayed: _Replayed, groups: Mapping[str, Judgments], rule: EscalateConfig, plan: BudgetConfig) -> list[_Way]:
    """All ways of the ``plan``; ``groups`` are the judgments without some workers, by what that is called."""
    of, models, settings, seed = replayed.judgments, replayed.models, plan.of_fit(), plan.seed

    def first(n: int) -> Consensus:
        return next(Replay(of, settings, start=n, seed=seed, model_votes=models)).result

    per_item = of.per_item[replayed.chosen]
    targeted = [EscalateConfig.of(rule, target=target) for target in plan.targets]
    ways = [_Way(_so_many(n, per_item), rule.target, partial(first, n)) for n in plan.votes]
    ways += [
        _Way(f"target {100 * one.target:.3g}%", one.target, partial(_to_target, of, settings, models, one, seed))
        for one in targeted
    ]
    ways.append(_Way("all judgments", rule.target, lambda: replayed.full))
    ways += [_Way(name, rule.target, partial(fit, kept, settings, model_votes=models)) for name, kept in groups.items()]
    if models is not None:
        ways.append(_Way("without models", rule.target, partial(fit, of, settings)))
    return ways


def _so_many(n: int, per_item: NDArray[np.int64]) -> str:
    """What asking for ``n`` judgments of each item is called, where there are ``per_item`` (n_items,)."""
    some = f"{n} judgments an item" if n > 1 else "1 judgment an item"
    return some if 2 * np.count_nonzero(per_item >= n) >= len(per_item) else f"{some} (where there are so many)"


def _mean_price(judgments: Judgments, price: float | None) -> float:
    """What a judgment costs; NaN where that is not known."""
    if price is not None or judgments.price is None:
        return np.nan if price is None else price
    known = judgments.price[~np.isnan(judgments.price)]
    return float(known.mean()) if len(known) else np.nan


def _to_target(
    judgments: Judgments, settings: FitConfig, models: ModelVotes | None, rule: EscalateConfig, seed: int
) -> Consensus:
    """The last fit of a replay in which every item that waits gets a judgment a round."""
    replay = Replay(judgments, settings, start=rule.min_judgments, seed=seed, model_votes=models)
    for step in replay:
        found = planned(step.result, rule, suggest=False)
        replay.ask_codes(np.repeat(found.items, found.judgments))
    return step.result


def _drawn(judgments: Judgments, most: int, seed: int) -> NDArray[np.bool_]:
    """(I,) items that the curves are made of: those that people judged, at most so many."""
    judged = np.flatnonzero(judgments.per_item)
    if len(judged) > most:
        judged = np.random.default_rng(seed).choice(judged, most, replace=False)
    chosen = np.zeros(judgments.n_items, np.bool_)
    chosen[judged] = True
    return chosen


def _without(judgments: Judgments, workers: Sequence[str]) -> Judgments:
    code = positions(workers, judgments.worker_ids)
    for name, at in zip(workers, code.tolist(), strict=True):
        if at < 0:
            raise ConfigError(f'without worker "{name}": nobody of that name has judged')
    return judgments.subset(~np.isin(judgments.worker, code))
