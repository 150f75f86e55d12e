"""What a budget would buy: accuracy and cost of other ways to ask, by replay of the judgments that there are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.config import EscalateConfig, FitConfig
from consensus.errors import ConfigError
from consensus.escalation.ranking import planned
from consensus.escalation.replay import Replay
from consensus.formats import read_gold, read_model_votes
from consensus.intervals import wilson
from consensus.models.base import fit
from consensus.models.inputs import prepared
from consensus.previous import STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from consensus.judgments import Judgments
    from consensus.result import Consensus
    from consensus.votes import ModelVotes

    Progress = Callable[[str, float | None], None]

VOTES = (2, 3, 5)
TARGETS = (0.9, 0.95, 0.99)
MOST_ITEMS = 5_000  # items, drawn at random, that the curves are made of
ACCEPTED = STATUSES.index("accepted")


def plan_budget(
    judgments: Any,
    *,
    gold: Any = None,
    model_votes: Any = None,
    votes: Sequence[int] = VOTES,
    targets: Sequence[float] = TARGETS,
    without: Mapping[str, Sequence[str]] | None = None,
    price: float | None = None,
    most_items: int = MOST_ITEMS,
    seed: int = 0,
    config: EscalateConfig | None = None,
    progress: Progress | None = None,
    **fit_settings: Any,
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
        (and models), which nothing has audited.
    model_votes
        As in ``fit``.
    votes
        Numbers of judgments an item.
    targets
        Confidences, each from two judgments an item to ``max_judgments``.
    without
        Groups of workers by name, each of them left out once.
    price
        Of a judgment, in any unit; without, what the judgments have beside them.
    most_items
        Items that the curves are made of, drawn at random.
    seed
        Of that draw, and of the order of the judgments.
    config
        ``max_judgments``, and what else ``escalate`` needs; its ``target`` decides what counts as accepted.
    progress
        Called with what is done and the fraction of all ways that is.
    **fit_settings
        Fields of ``FitConfig``.

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
            Share of the items that would be accepted.
        expected_error
            Of these, if the confidences are right; missing without any.
        n_compared, accuracy, accuracy_low, accuracy_high
            Labels held against the reference, the share that is right (of equally probable labels the first), and its
            95 % Wilson interval. Nothing is compared where the way and the reference are the same labels.
        reference
            "gold", or "labels of all judgments (unaudited)".

    Raises
    ------
    ConfigError
        A number is out of range, or a worker is in no judgment.
    JudgmentError
        The judgments can't be used, as in ``fit``.
    """
    import pandas as pd

    rule = config or EscalateConfig()
    settings = FitConfig.of(None, **fit_settings)
    if not all(n >= 1 for n in votes):
        raise ConfigError(f"votes = {list(votes)}: input should be 1 or more")
    truth = None if gold is None else read_gold(gold)
    models = None if model_votes is None else read_model_votes(model_votes)
    whole, aligned, _ = prepared(judgments, truth, settings, models)
    chosen = _drawn(whole, most_items, seed)
    of = replace(whole.subset(chosen[whole.item]), gold=None)  # gold judges the replays, and takes no part in them
    groups = {f"without {name}": _without(of, workers) for name, workers in (without or {}).items()}
    ways = [
        *(_so_many(n, whole.per_item[chosen]) for n in votes),
        *(f"target {100 * target:.3g}%" for target in targets),
        "all judgments",
        *groups,
        *(["without models"] if models is not None else []),
    ]
    rows: list[dict[str, Any]] = []

    def tell(result: Consensus, target: float) -> None:
        judged = result.judgments
        label = result.consensus_label
        compared = np.flatnonzero(chosen & (row >= 0) & (label >= 0))
        if aligned is None and judged.n_judgments == of.n_judgments and (result.models is None) == (models is None):
            compared = compared[:0]  # the reference itself
        n, given = len(compared), label[compared]
        if aligned is None:
            right = int((full.consensus_label[compared] == given).sum())
        else:
            right = int(aligned.accepted[row[compared], given].sum())
        low, high = wilson(right, n) if n else (np.nan, np.nan)
        status = planned(result, EscalateConfig.of(rule, target=target), suggest=False).status(result)
        accepted = chosen & (status[: judged.n_items] == ACCEPTED)
        rows.append(
            {
                "way": ways[len(rows)],
                "target": target,
                "judgments": judged.n_judgments,
                "judgments_per_item": judged.n_judgments / max(int(chosen.sum()), 1),
                "cost": _mean_price(judged, price) * judged.n_judgments,
                "accepted": float(accepted.sum()) / max(int(chosen.sum()), 1),
                "expected_error": float(1.0 - result.confidence[accepted].mean()) if accepted.any() else np.nan,
                "n_compared": n,
                "accuracy": right / n if n else np.nan,
                "accuracy_low": float(low),
                "accuracy_high": float(high),
                "reference": reference,
            }
        )
        if progress is not None:
            progress(f"replaying: {ways[len(rows) - 1]}", len(rows) / len(ways))

    full = fit(of, settings, model_votes=models)
    if aligned is None:
        reference = "labels of all judgments (unaudited)"
        row = np.where(full.consensus_label >= 0, np.arange(whole.n_items), -1)
    else:
        reference, row = "gold", np.full(whole.n_items, -1)
        row[aligned.items] = np.arange(len(aligned.items))
    for n in votes:
        tell(next(Replay(of, settings, start=n, seed=seed, model_votes=models)).result, rule.target)
    for target in targets:
        tell(_to_target(of, settings, models, EscalateConfig.of(rule, target=target), seed), target)
    tell(full, rule.target)
    for kept in groups.values():
        tell(fit(kept, settings, model_votes=models), rule.target)
    if models is not None:
        tell(fit(of, settings), rule.target)
    return pd.DataFrame(rows)


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
    import pyarrow as pa
    import pyarrow.compute as pc

    code = pc.index_in(pa.array(list(workers), pa.string()), judgments.worker_ids).to_pylist()
    for name, at in zip(workers, code, strict=True):
        if at is None:
            raise ConfigError(f'without worker "{name}": nobody of that name has judged')
    return judgments.subset(~np.isin(judgments.worker, np.array(code, np.int64)))
