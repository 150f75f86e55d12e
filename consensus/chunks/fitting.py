"""One fit over all pictures: items are vote patterns, weighted by their pixels; those of a picture err together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs.gold import Gold
from consensus.inputs.judgments import Judgments, Tally
from consensus.inputs.model_votes import ModelVotes
from consensus.models import base

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.chunks.counting import Counted, Kind
    from consensus.config import ChunksConfig
    from consensus.found.result import Consensus
    from consensus.models.base import Progress

GOLD = "gold"


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What was found of every vote pattern of every picture."""

    result: Consensus
    item: tuple[NDArray[np.int64], ...]
    """(n,) of each picture: the item of each pattern, -1 where it is none, since nobody says anything there."""
    posterior: NDArray[np.float64]
    """(I, K)"""

    def of(self, picture: int) -> NDArray[np.float64]:
        """(n, K) probability of each label, of each pattern of a picture; of any pixel where nobody says a thing."""
        item = self.item[picture]
        found = np.tile(self.result.prior_shares, (len(item), 1))
        found[item >= 0] = self.posterior[item[item >= 0]]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """The patterns of all pictures, one after the other."""

    counted: Sequence[Counted]
    item: tuple[NDArray[np.int64], ...]
    ids: pa.StringArray
    """(I,) number of the picture and the pattern: in the order of the items."""

    @property
    def n_items(self) -> int:
        """I."""
        return len(self.ids)


def fitted(
    counted: Sequence[Counted], labels: tuple[str, ...], config: ChunksConfig, progress: Progress | None = None
) -> Fitted:
    """Fit what was counted of all pictures.

    Raises
    ------
    JudgmentError
        Nobody judged anything.
    """
    pooled = _pooled(counted)
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


def _pooled(counted: Sequence[Counted]) -> Pooled:
    import pyarrow as pa

    items, ids, n = [], [], 0
    for picture, one in enumerate(counted):
        says = (one.votes >= 0).any(axis=1)
        item = np.where(says, n + np.cumsum(says) - 1, -1)
        n += int(says.sum())
        ids += [f"{picture:07d}.{pattern:07d}" for pattern in np.flatnonzero(says).tolist()]
        items.append(item)
    return Pooled(counted, tuple(items), pa.array(ids, pa.string()))


def _judgments(pooled: Pooled, labels: tuple[str, ...]) -> Judgments:
    """What people painted, in canonical order."""
    import pyarrow as pa

    people = {one.name for picture in pooled.counted for one in picture.columns if one.kind == "human"}
    names = sorted(people, key=str.encode)
    code = {name: position for position, name in enumerate(names)}
    parts = [np.zeros((3, 0), np.int64)]
    weight, cluster = np.empty(pooled.n_items), np.empty(pooled.n_items, np.int32)
    for picture, (counted, item) in enumerate(zip(pooled.counted, pooled.item, strict=True)):
        weight[item[item >= 0]], cluster[item[item >= 0]] = counted.area[item >= 0], picture
        for column in counted.of_kind("human"):
            given = np.flatnonzero(counted.votes[:, column] >= 0)
            worker = np.full(len(given), code[counted.columns[column].name])
            parts.append(np.stack([item[given], worker, counted.votes[given, column].astype(np.int64)]))
    item, worker, label = np.hstack(parts)
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
    for counted, item in zip(pooled.counted, pooled.item, strict=True):
        for column in counted.of_kind(*kinds):
            given = np.flatnonzero(counted.votes[:, column] >= 0)
            row = np.full(len(given), -1)
            if column in counted.means:
                soft.append(counted.means[column][given].astype(np.float32))
                row = n_soft + np.arange(len(given))
                n_soft += len(given)
            model = np.full(len(given), models.index(counted.columns[column].name))
            parts.append(np.stack([item[given], model, counted.votes[given, column].astype(np.int64), row]))
    found = np.hstack(parts)
    item, model, label, row = found[:, np.lexsort((found[1], found[0]))].astype(np.int32)
    return ModelVotes(
        item, model, label, row, np.vstack(soft), pooled.ids, tuple(models), families=tuple(models), labels=labels
    )


def _gold(pooled: Pooled, labels: tuple[str, ...]) -> Gold | None:
    """The true labels of the patterns that lie in a gold mask; None where there is none."""
    items, codes = [], []
    for counted, item in zip(pooled.counted, pooled.item, strict=True):
        known = np.flatnonzero(counted.gold >= 0)
        items.append(item[known])
        codes.append(counted.gold[known])
    item = np.concatenate(items)
    if not len(item):
        return None
    names = tuple(pooled.ids.take(item).to_pylist())
    return Gold(names, tuple(labels[code] for code in np.concatenate(codes).tolist()), (GOLD,) * len(names))
