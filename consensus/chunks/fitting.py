"""One fit over all pictures: items are vote patterns, weighted by their pixels; those of a picture err together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.chunks.clicks import CLICKING
from consensus.inputs.gold import Gold
from consensus.inputs.judgments import Judgments, Tally
from consensus.inputs.model_votes import ModelVotes
from consensus.models import base

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.chunks.clicks import Rows
    from consensus.chunks.counting import Counted, Kind
    from consensus.config import ChunksConfig
    from consensus.found.result import Consensus
    from consensus.models.base import Progress

GOLD = "gold"


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What was found of every row of every picture."""

    result: Consensus
    item: tuple[NDArray[np.int64], ...]
    """(R,) of each picture: the item of each row, -1 where it is none, since nobody says anything of it."""
    posterior: NDArray[np.float64]
    """(I, K)"""

    def of(self, picture: int) -> NDArray[np.float64]:
        """(R, K) probability of each label, of each row of a picture; where nobody says anything, that of any pixel."""
        item = self.item[picture]
        found = np.tile(self.result.prior_shares, (len(item), 1))
        found[item >= 0] = self.posterior[item[item >= 0]]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """The rows of all pictures, one after the other."""

    counted: Sequence[Counted]
    rows: Sequence[Rows]
    item: tuple[NDArray[np.int64], ...]
    ids: pa.StringArray
    """(I,) number of the picture and the row: in the order of the items."""

    @property
    def n_items(self) -> int:
        """I."""
        return len(self.ids)


def fitted(
    counted: Sequence[Counted],
    rows: Sequence[Rows],
    labels: tuple[str, ...],
    config: ChunksConfig,
    progress: Progress | None = None,
) -> Fitted:
    """Fit what was counted of all pictures.

    Raises
    ------
    JudgmentError
        Nobody judged anything.
    """
    pooled = _pooled(counted, rows)
    result = base.fit(
        _judgments(pooled, labels),
        model="dawid_skene",
        labels=labels,
        rho=config.rho,
        calibration="none",
        seed=config.seed,
        threads=config.threads,
        model_votes=_model_votes(pooled, labels),
        gold=_gold(pooled, labels),
        progress=progress,
    )
    return Fitted(result, pooled.item, result.posterior)


def _pooled(counted: Sequence[Counted], rows: Sequence[Rows]) -> Pooled:
    import pyarrow as pa

    items, ids, n = [], [], 0
    for picture, one in enumerate(rows):
        says = (one.votes >= 0).any(axis=1) & (one.area > 0)
        item = np.where(says, n + np.cumsum(says) - 1, -1)
        n += int(says.sum())
        ids += [f"{picture:07d}.{row:07d}" for row in np.flatnonzero(says).tolist()]
        items.append(item)
    return Pooled(counted, rows, tuple(items), pa.array(ids, pa.string()))


def _judgments(pooled: Pooled, labels: tuple[str, ...]) -> Judgments:
    """What people painted and clicked, in canonical order."""
    import pyarrow as pa

    names = sorted(
        {
            *(one.name for picture in pooled.counted for one in picture.columns if one.kind == "human"),
            *(click.worker + CLICKING for one in pooled.rows for given in one.clicks for click in given),
        },
        key=str.encode,
    )
    code = {name: position for position, name in enumerate(names)}
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    weight, cluster = np.empty(pooled.n_items), np.empty(pooled.n_items, np.int32)
    for picture, (counted, rows, item) in enumerate(zip(pooled.counted, pooled.rows, pooled.item, strict=True)):
        weight[item[item >= 0]], cluster[item[item >= 0]] = rows.area[item >= 0], picture
        for column in counted.of_kind("human"):
            given = np.flatnonzero((rows.votes[:, column] >= 0) & (item >= 0))
            worker = np.full(len(given), code[counted.columns[column].name])
            parts.append((item[given], worker, rows.votes[given, column].astype(np.int64), np.full(len(given), np.nan)))
        for row, clicks in enumerate(rows.clicks, len(rows.area) - len(rows.clicks)):
            workers = np.array([code[one.worker + CLICKING] for one in clicks], np.int64)
            given_labels = np.array([one.label for one in clicks], np.int64)
            parts.append((np.full(len(clicks), item[row]), workers, given_labels, np.ones(len(clicks))))
    none = np.zeros(0, np.int64)
    item, worker, label = (np.concatenate([none, *(part[n] for part in parts)]) for n in range(3))
    own = np.concatenate([np.zeros(0), *(part[3] for part in parts)])
    order = np.lexsort((worker, item))
    start = np.zeros(pooled.n_items + 1, np.int64)
    np.cumsum(np.bincount(item, minlength=pooled.n_items), out=start[1:])
    return Judgments(
        item[order].astype(np.int32),
        worker[order].astype(np.int32),
        label[order].astype(np.int32),
        start,
        pooled.ids,
        pa.array(names, pa.string()),
        labels,
        weight=weight,
        cluster=cluster,
        cluster_ids=pa.array([f"{picture:07d}" for picture in range(len(pooled.counted))], pa.string()),
        judgment_weight=None if np.isnan(own).all() else own[order],
        tally=Tally(len(item), len(item)),
        labels_ordered=True,
    )


def _model_votes(pooled: Pooled, labels: tuple[str, ...]) -> ModelVotes | None:
    """What models painted, and how sure they were on the mean; None where there are no models."""
    kinds: tuple[Kind, ...] = ("model", "probabilities")
    models = sorted({one.name for picture in pooled.counted for one in picture.columns if one.kind in kinds})
    if not models:
        return None
    parts, soft, n_soft = [], [np.zeros((0, len(labels)), np.float32)], 0
    for counted, rows, item in zip(pooled.counted, pooled.rows, pooled.item, strict=True):
        for column in counted.of_kind(*kinds):
            given = np.flatnonzero((rows.votes[:, column] >= 0) & (item >= 0))
            row = np.full(len(given), -1)
            if column in counted.means:
                soft.append(counted.means[column][rows.pattern[given]].astype(np.float32))
                row = n_soft + np.arange(len(given))
                n_soft += len(given)
            model = np.full(len(given), models.index(counted.columns[column].name))
            parts.append(np.stack([item[given], model, rows.votes[given, column].astype(np.int64), row]))
    found = np.hstack(parts)
    item, model, label, row = found[:, np.lexsort((found[1], found[0]))].astype(np.int32)
    return ModelVotes(
        item, model, label, row, np.vstack(soft), pooled.ids, tuple(models), families=tuple(models), labels=labels
    )


def _gold(pooled: Pooled, labels: tuple[str, ...]) -> Gold | None:
    """The true labels of the patterns that lie in a gold mask; None where there is none."""
    items, codes = [], []
    for counted, rows, item in zip(pooled.counted, pooled.rows, pooled.item, strict=True):
        gold = counted.gold[rows.pattern]
        known = np.flatnonzero((gold >= 0) & (item >= 0))
        items.append(item[known])
        codes.append(gold[known])
    item = np.concatenate(items)
    if not len(item):
        return None
    names = tuple(pooled.ids.take(item).to_pylist())
    return Gold(names, tuple(labels[code] for code in np.concatenate(codes).tolist()), (GOLD,) * len(names))
