"""What would change if some gold items were none: before anything is changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import models, wording
from consensus.errors import ConfigError
from consensus.found.result import framed, named
from consensus.inputs.gold import Gold
from consensus.inputs.model_votes import ModelVotes
from consensus.worker_audit.accuracy.workers_table import worker_columns
from consensus.worker_audit.audit_of_result import WorkerAudit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from consensus.found.result import Columns, Consensus
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.model_votes import AlignedVotes

FIELDS = ("verdict", "gold_accuracy", "accuracy")
LEAST_CHANGE = 0.001  # of a share, to be listed

Change = tuple[str, str, str, str | None, str | None]


def forgive(result: Consensus | WorkerAudit, items: Sequence[str]) -> pd.DataFrame:
    """Fit again without the gold of some items, and tell what that changes; ``result`` stays as it is.

    Parameters
    ----------
    result
        A fit with gold.
    items
        Ids of gold items.

    Returns
    -------
    pandas.DataFrame
        One row a change, labels first:

        kind, id
            "label" of an item, or "worker".
        field
            ``label``; or ``verdict``, ``gold_accuracy``, ``accuracy`` of a worker.
        before, after
            As text; shares with three decimals, listed where they change by .001 or more. Missing where there is none.

    Raises
    ------
    ConfigError
        There is no gold, or an item is none of it.
    """
    return framed(forgiven_columns(WorkerAudit.of(result), items))


def forgiven_columns(audit: WorkerAudit, items: Sequence[str]) -> Columns:
    """The columns that ``forgive`` shows."""
    import pyarrow as pa

    result = audit.result
    left, judgments = _without(result, items), replace(result.judgments, gold=None)
    votes = None if result.models is None else _unaligned(result.models.votes, result)
    after = models.fit(judgments, result.config, model_votes=votes, gold=left, backend=result.backend)
    changes = [*_labels(result, after, items), *_workers(audit, WorkerAudit(after, audit.config))]
    columns = zip(*changes, strict=True) if changes else [()] * 5
    names = ("kind", "id", "field", "before", "after")
    return {name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)}


def _without(result: Consensus, items: Sequence[str]) -> Gold | None:
    """The gold but for ``items``; None if nothing is left."""
    if result.gold is None:
        raise ConfigError(
            "there is no gold, so no item of it can be left out; give its file with --gold", code="missing_input"
        )
    accepted = _accepted(result, result.gold)
    for item in items:
        if item not in accepted:
            meant = wording.aside(item, list(accepted))
            raise ConfigError(
                f'"{item}" is no gold item{meant}; consensus audit --table gold lists those that were judged',
                code="unknown_name",
            )
    kept = [(item, label) for item, labels in accepted.items() if item not in items for label in labels]
    left, accepting = tuple(item for item, _ in kept), tuple(label for _, label in kept)
    return Gold(left, accepting, ("gold",) * len(kept)) if kept else None


def _accepted(result: Consensus, gold: AlignedGold) -> dict[str, tuple[str, ...]]:
    """Accepted labels of every gold item, judged or not."""
    import pyarrow as pa

    labels = result.judgments.labels
    ids = result.judgments.item_ids.take(pa.array(gold.items)).to_pylist()
    judged = {item: tuple(labels[k] for k in np.flatnonzero(row)) for item, row in zip(ids, gold.accepted, strict=True)}
    return judged | gold.unjudged


def _unaligned(votes: AlignedVotes, result: Consensus) -> ModelVotes:
    """The votes as they are before they are aligned with judgments."""
    return ModelVotes(
        item=votes.item,
        model=votes.model,
        label=votes.label,
        row=votes.row,
        probability=votes.probability,
        item_ids=result.judgments.item_ids,
        models=votes.models,
        families=tuple(votes.families[f] for f in votes.family),
        labels=result.judgments.labels,
        tally=votes.tally,
    )


def _labels(before: Consensus, after: Consensus, items: Sequence[str]) -> Iterator[Change]:
    """Labels that change: of judged items, then of gold that nobody judged and that has a label no more."""
    import pyarrow as pa

    names = before.judgments.labels
    changed = np.flatnonzero(before.consensus_label != after.consensus_label)
    was, now = (named(one.consensus_label[changed], names).to_pylist() for one in (before, after))
    ids = before.judgments.item_ids.take(pa.array(changed)).to_pylist()
    yield from (("label", *change) for change in zip(ids, ["label"] * len(ids), was, now, strict=True))
    assert before.gold is not None
    for item, accepted in before.gold.unjudged.items():
        if item in items:
            yield "label", item, "label", min(accepted, key=names.index), None


def _workers(before: WorkerAudit, after: WorkerAudit) -> Iterator[Change]:
    was, now = worker_columns(before), worker_columns(after)
    ids = before.result.judgments.worker_ids.to_pylist()
    for field in FIELDS:
        old, new = (columns[field][: len(ids)] for columns in (was, now))  # models come last
        if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
            same = (np.abs(old - new) < LEAST_CHANGE) | (np.isnan(old) & np.isnan(new))
            changed = np.flatnonzero(~same).tolist()
        else:
            changed = [w for w in range(len(ids)) if _shown(old[w]) != _shown(new[w])]
        yield from (("worker", ids[w], field, _shown(old[w]), _shown(new[w])) for w in changed)


def _shown(cell: Any) -> str | None:
    """A number or an Arrow text as text; None where it is missing."""
    if isinstance(cell, float):
        return None if np.isnan(cell) else f"{cell:.3f}"
    text: str | None = cell.as_py()
    return text
