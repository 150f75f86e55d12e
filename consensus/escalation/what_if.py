"""What a budget would buy: accuracy and cost of other ways to ask, by replay of the judgments that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.config import EscalateConfig, FitConfig
from consensus.errors import ConfigError
from consensus.escalation.ranking import planned
from consensus.escalation.reasons import STATUSES
from consensus.escalation.replay import Replay
from consensus.formats import read_gold, read_model_votes
from consensus.intervals import wilson
from consensus.judgments import Gold
from consensus.models import dawid_skene
from consensus.models.inputs import prepared
from consensus.votes import ModelVotes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from consensus.judgments import Judgments
    from consensus.result import Consensus

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
        Of a judgment, in any unit.
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
            Such as "3 judgments an item", "target 95%", "all judgments", "without GROUP", "without models".
        judgments, judgments_per_item
            What it would have used.
        cost
            The same in money; missing without ``price``.
        accepted
            Share of the items that would be accepted.
        expected_error
            Of these, if the confidences are right; missing without any.
        n_compared, accuracy, accuracy_low, accuracy_high
            Labels held against the reference, the share that is right (of equally probable labels the first), and its
            95 % Wilson interval.
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
    known = gold if gold is None or isinstance(gold, Gold) else read_gold(gold)
    models = (
        model_votes if model_votes is None or isinstance(model_votes, ModelVotes) else read_model_votes(model_votes)
    )
    whole, aligned, _ = prepared(judgments, known, settings, models)
    chosen = _drawn(whole, most_items, seed)
    of = whole.subset(chosen[whole.item])
    truth = np.full(whole.n_items, -1)
    if aligned is not None:
        truth[aligned.items] = aligned.accepted.argmax(axis=1)
        reference = "gold"
    groups = {f"without {name}": _without(of, workers) for name, workers in (without or {}).items()}
    ways = [
        *(f"{n} judgments an item" if n > 1 else "1 judgment an item" for n in votes),
        *(f"target {100 * target:.3g}%" for target in targets),
        "all judgments",
        *groups,
        *(["without models"] if models is not None else []),
    ]
    rows: list[dict[str, Any]] = []

    def tell(result: Consensus, target: float) -> None:
        judged = result.judgments
        label, right_of = result.consensus_label, truth >= 0
        compared = chosen & right_of & (label >= 0)
        n, right = int(compared.sum()), int((label == truth)[compared].sum())
        low, high = wilson(right, n)
        status = planned(result, EscalateConfig.of(rule, target=target), suggest=False).status(result)
        accepted = chosen & (status[: judged.n_items] == ACCEPTED)
        rows.append(
            {
                "way": ways[len(rows)],
                "judgments": judged.n_judgments,
                "judgments_per_item": judged.n_judgments / max(int(chosen.sum()), 1),
                "cost": np.nan if price is None else price * judged.n_judgments,
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

    full = dawid_skene.fit(of, settings, model_votes=models)
    if aligned is None:
        truth, reference = full.consensus_label.astype(np.int64), "labels of all judgments (unaudited)"
    for n in votes:
        tell(next(Replay(of, settings, start=n, seed=seed, model_votes=models)).result, rule.target)
    for target in targets:
        tell(_to_target(of, settings, models, EscalateConfig.of(rule, target=target), seed), target)
    tell(full, rule.target)
    for kept in groups.values():
        tell(dawid_skene.fit(kept, settings, model_votes=models), rule.target)
    if models is not None:
        tell(dawid_skene.fit(of, settings), rule.target)
    return pd.DataFrame(rows)


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
