"""Counting every group of workers who copy as one worker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import models
from consensus.config import CollusionConfig, FitConfig
from consensus.found.cautions import Caution
from consensus.found.posterior import DensePosterior
from consensus.models.dense_layout import Rows
from consensus.probabilities import normalised
from consensus.worker_audit.copying.copying_groups import found_copies
from consensus.worker_audit.copying.counted_apart import compared
from consensus.worker_audit.copying.merged_judgments import merged

if TYPE_CHECKING:
    from collections.abc import Callable

    from consensus.backends import Backend
    from consensus.config import Collusion
    from consensus.found.copies import Copies
    from consensus.found.result import Consensus
    from consensus.inputs.judgments import Judgments
    from consensus.models.base import Progress
    from consensus.models.carried import Carried

MOST_NAMED = 6  # workers in a message
MOST_COMPARED = 2_000_000  # judgments up to which workers are compared without being asked to


def fit_without_copies(
    judgments: Any,
    config: FitConfig | None = None,
    *,
    collusion: Collusion | None = "merge",
    model_votes: Any = None,
    gold: Any = None,
    backend: Backend | None = None,
    progress: Progress | None = None,
    carried: Carried | None = None,
    **settings: Any,
) -> Consensus:
    """Fit, look for workers who copy, and count each group of them as one worker.

    Parameters
    ----------
    judgments, config, model_votes, gold, backend, progress, **settings
        As in ``consensus.fit``.
    carried
        Parameters of an earlier fit, which EM begins with.
    collusion
        "merge" fits again with each group as one (see ``merged``); "auto" does so with those that are sure beyond doubt
        (see ``group_scan``) and reports the others; "report" only says what was found, as a warning; "off" does not
        look. None: "auto", in up to two million judgments. Gold has no say in who copies.

    Returns
    -------
    Consensus
        ``copies`` holds what was found. Where groups were merged, ``judgments`` are those that counted, a group's
        under its first worker; ``members`` has all of them, and every worker is rated with its own.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range.
    JudgmentError
        As in ``consensus.fit``.
    """
    chosen = CollusionConfig.of(None, collusion=collusion).collusion
    config = FitConfig.of(config, **settings)

    def fit(judged: Any, gold: Any = gold, **more: Any) -> Consensus:
        given = {"model_votes": model_votes, "gold": gold, "backend": backend, "progress": progress}
        given["carried"] = carried
        return models.fit(judged, config, **given, **more)

    def looked_at(judged: Any, result: Consensus | None = None) -> Copies:
        """Those found by one reading: others take a ring's mistakes for those that all make on some items.

        It has not seen gold, for whoever is merged decides what ``Consensus.unaided`` says.
        """
        if result is None or result.readings is not None or gold is not None:
            result = fit(judged, None, **({} if config.model == "majority_vote" else {"model": "dawid_skene"}))
        return found_copies(result)

    result = fit(judgments)
    if chosen is None:
        chosen = "auto" if result.judgments.n_judgments <= MOST_COMPARED else "off"
    if chosen == "off":
        return _not_looked_for(result)
    if progress is not None:
        progress("comparing workers", 0, np.nan, np.nan)
    copies = replace(looked_at(result.judgments, result), collusion=chosen)
    if copies.n_groups > 1:
        copies = _seen_again(result, copies, looked_at)
    return _not_looked_for(_with_groups(result, copies, fit))


def _with_groups(result: Consensus, copies: Copies, fit: Callable[[Any], Consensus]) -> Consensus:
    """The result with what is done about its groups: those to merge count as one in a new fit, the others are told."""
    if not copies.n_groups:
        return replace(result, copies=copies)
    as_one = {"merge": np.ones(copies.n_groups, np.bool_), "auto": copies.sure}.get(
        copies.collusion, np.zeros(copies.n_groups, np.bool_)
    )
    others = copies.only(~as_one)
    told = (_copying(result.judgments, others),) if others.n_groups else ()
    if not as_one.any():
        return replace(result, copies=copies, warnings=(*result.warnings, *told))
    to_merge = copies.only(as_one)
    again = compared(result, fit(merged(result.judgments, to_merge)))
    copies = replace(copies, n_merged=result.judgments.n_judgments - again.judgments.n_judgments)
    return replace(
        again,
        copies=copies,
        members=_of_members(again, result, copies),
        warnings=(*again.warnings, _merged_copies(result.judgments, to_merge, copies.n_merged), *told),
    )


def _seen_again(result: Consensus, copies: Copies, looked_at: Callable[[Any], Copies]) -> Copies:
    """The group that copies most closely, and those others that are still found when it counts as one worker.

    A ring that has become the consensus on many items makes honest workers look alike: they are wrong together, by it.
    """
    closest = np.lexsort((-copies.sizes, np.round(copies.n_effective, 2)))[0]
    surest = np.arange(copies.n_groups) == closest
    again = looked_at(merged(result.judgments, copies.only(surest)))
    pairs = {*zip(again.worker_a.tolist(), again.worker_b.tolist(), strict=True)}
    kept = surest.copy()
    for a, b in zip(copies.worker_a.tolist(), copies.worker_b.tolist(), strict=True):
        kept[copies.group[a]] |= (a, b) in pairs
    return copies.only(kept)


def _of_members(result: Consensus, before: Consensus, copies: Copies) -> Consensus | None:
    """The consensus of ``result``, and all workers with their own judgments, those of ``before``, rated by it.

    Beliefs are tempered by the number of all judgments of an item, as they are taken to be elsewhere. With very many
    labels there is no such view: then the first member stands for its group.
    """
    if not isinstance(result.beliefs, DensePosterior):
        return None
    judgments, backend = before.judgments, result.backend
    power = result.tempering.power(result.judgments.per_item, slice(None))
    with np.errstate(divide="ignore"):
        logs = np.log(result.posterior) / power[:, None]
    logs -= logs.max(axis=1, keepdims=True)
    rows = Rows.numbered(judgments, before.row, before.confusions.row_worker, before.confusions.row_label)
    rows = replace(rows, units=before.units)
    tables = rows.tables()
    untempered = normalised(np.exp(logs))
    rows.count(untempered, np.zeros(judgments.n_items, np.int32), tables, backend)
    if before.gold_aware is not None and before.gold is not None:  # what they say of gold counts for nothing
        known = before.gold_aware.known(judgments, before.gold)
        np.subtract.at(tables.N, rows.row[known], untempered[judgments.item[known]])
        np.maximum(tables.N, 0.0, out=tables.N)
    silences = before.confusions.silences
    if silences is not None:
        tables.N[np.arange(len(silences)), rows.label] += silences
    power = result.tempering.power(judgments.per_item, slice(None))
    tempered = normalised(np.exp(logs * power[:, None]))
    return replace(
        result,
        judgments=judgments,
        beliefs=DensePosterior(tempered),
        confusions=replace(
            result.confusions,
            row_worker=rows.worker,
            row_label=rows.label,
            cell_start=np.arange(len(rows.worker) + 1, dtype=np.int64) * judgments.n_labels,
            true=np.tile(np.arange(judgments.n_labels, dtype=np.int32), len(rows.worker)),
            counts=tables.N.ravel(),
            silences=silences,
            as_one=before.confusions.as_one,
        ),
        row=rows.row,
        units=before.units,
        one_label=before.one_label,
        gold_aware=before.gold_aware,
        copies=copies,
    )


def _not_looked_for(result: Consensus) -> Consensus:
    """The result; where items of a cluster err together, with a caution that says what was not looked for in them."""
    ids = result.judgments.cluster_ids
    if ids is None:
        return result
    copying = "" if result.copies is None else f"copying is looked for on one item of each of {len(ids):,} clusters; "
    caution = Caution(
        "err_together",
        f"items of a cluster err together: {copying}changes over time, streaks and tiredness are not looked for",
        {"n_clusters": float(len(ids))},
    )
    return replace(result, warnings=(*result.warnings, caution))


def _copying(judgments: Judgments, copies: Copies) -> Caution:
    return Caution(
        "copying",
        f"{_told(judgments, copies)}; `consensus audit --table copying` shows who agrees with whom, "
        "--collusion merge counts each group as one worker",
        _values(copies),
    )


def _merged_copies(judgments: Judgments, copies: Copies, n_merged: int) -> Caution:
    by_members = int((copies.group[judgments.worker] >= 0).sum())
    return Caution(
        "merged_copies",
        f"{_told(judgments, copies)}; each group counts as one worker, so that {by_members:,} judgments count as "
        f"{by_members - n_merged:,}; --collusion report counts them apart",
        {**_values(copies), "judgments_merged": float(n_merged)},
    )


def _told(judgments: Judgments, copies: Copies) -> str:
    members = np.flatnonzero(copies.group >= 0)
    names = ", ".join(f'"{judgments.worker_ids[code].as_py()}"' for code in members[:MOST_NAMED].tolist())
    more = f" and {len(members) - MOST_NAMED:,} more" if len(members) > MOST_NAMED else ""
    groups = "a group" if copies.n_groups == 1 else f"{copies.n_groups:,} groups"
    return (
        f"workers {names}{more} give the same labels far more often than independent people would: {groups} of "
        f"{len(members):,} workers, who count as {copies.n_effective.sum():.1f} votes"
    )


def _values(copies: Copies) -> dict[str, float]:
    return {
        "groups": float(copies.n_groups),
        "workers": float(copies.sizes.sum()),
        "pairs": float(len(copies.worker_a)),
        "n_effective": float(copies.n_effective.sum()),
    }
