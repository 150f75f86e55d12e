"""The tables of a run over pictures, row by row as its pictures are painted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.chunks import agreeing, columns, expecting, listing
from consensus.found.result import BETWEEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from consensus.chunks.listing import Listed
    from consensus.chunks.painting import Painted
    from consensus.config import ChunksConfig
    from consensus.runs.columns import Column

SETTLED, BY_CLICKS, REPAINT = IMAGE_STATUSES = ("settled", "clicks", "repaint")
MOST_CANDIDATES = 5
LEAST_CANDIDATE = 0.01  # probability of a label that nobody painted, from which it is offered
DTYPES = {"text": "str", "list": "str", "count": "Int64", "number": "float64", "flag": "bool"}
TOO_FEW_MASKS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """What is told about pictures and chunks; see ``columns``."""

    images: pd.DataFrame
    chunks: pd.DataFrame
    escalations: pd.DataFrame


class Gathering:
    """Rows of all pictures."""

    def __init__(self, labels: Sequence[str], config: ChunksConfig) -> None:
        self._labels, self._config = labels, config
        self._images: list[dict[str, Any]] = []
        self._chunks: list[dict[str, Any]] = []

    def add(self, painted: Painted, listed: Listed, file: str) -> None:
        """Add a picture, whose files are called ``file``."""
        status = image_status(listed, self._config)
        self._images.append(self._image(painted, listed, file, status))
        self._chunks += [self._chunk(painted, listed, place, status) for place in range(len(listed.chunk))]

    def tables(self) -> Tables:
        """All that was added; chunks by priority."""
        images = framed(self._images, columns.IMAGES, [f"expected_iou_{label}" for label in self._labels])
        self._chunks.sort(key=lambda one: (one["status"] == listing.AUDITED, -one["priority"]))
        chunks = framed(self._chunks, columns.CHUNKS)
        return Tables(images, chunks, framed(self._chunks, columns.ESCALATIONS))

    def _image(self, painted: Painted, listed: Listed, file: str, status: str) -> dict[str, Any]:
        counted, picture = painted.counted, painted.picture
        iou, beyond_chance = agreeing.agreement(counted, len(self._labels))
        area, says = painted.rows.area, painted.row_label >= 0
        wrong = np.where(says, 1.0 - painted.row_posterior.max(axis=1), 1.0)
        by_label = zip(self._labels, listed.expected.iou.tolist(), strict=True)
        return {
            "image": picture.name,
            "file": file,
            "height": picture.height,
            "width": picture.width,
            "n_masks": len(counted.of_kind("human")),
            "agreement": iou,
            "agreement_beyond_chance": beyond_chance,
            "expected_foreground_iou": listed.expected.foreground,
            "expected_iou": listed.expected.mean,
            "uncertain_share": float(area @ wrong) / counted.n_pixels,
            "n_chunks": len(painted.label),
            "n_chunks_disputed": int((~listed.audited).sum()),
            "foreground_iou_after_clicks": _after_clicks(painted, listed),
            "clicks_to_target": None if listed.clicks_to_target < 0 else listed.clicks_to_target,
            "status": status,
            "digest": counted.digest,
            "chunks": painted.partition.hash,
            **{f"expected_iou_{label}": value for label, value in by_label},
        }

    def _chunk(self, painted: Painted, listed: Listed, place: int, of_image: str) -> dict[str, Any]:
        chunk = int(listed.chunk[place])
        z = painted.posterior[chunk]
        order = np.argsort(-z, kind="stable")
        opinions = painted.counted.opinions[painted.partition.pattern[chunk]]
        given = Counter(opinions[opinions >= 0].tolist())
        offered = [k for k in order.tolist() if z[k] >= LEAST_CANDIDATE or given[k]][:MOST_CANDIDATES]
        name, audited = painted.partition.name(chunk), bool(listed.audited[place])
        status = listing.AUDITED if audited else listing.REPAINT if of_image == REPAINT else listing.DISPUTED
        expert = bool(listed.hopeless[place])
        reason = "disagreement" if len(given) > 1 else "too_few"
        reason = listing.AUDITED if audited else "needs_expert" if expert else reason
        x0, y0, x1, y1 = listed.box[place].tolist()
        n_clicks = int(painted.n_clicks[chunk])
        return {
            "item": f"{painted.picture.name}#{name}",
            "image": painted.picture.name,
            "chunk": name,
            "label": self._labels[order[0]],
            "confidence": float(z[order[0]]),
            "runner_up": self._labels[order[1]] if len(order) > 1 else None,
            "area": int(painted.partition.regions.area[chunk]),
            "x0": x0,
            "y0": y0,
            "x1": x1,
            "y1": y1,
            "priority": float(listed.priority[place]),
            "judgments": int(listed.clicks[place]),
            "judgments_needed": None if expert else int(listed.needed[place]),
            "n_judgments": given.total() + n_clicks,
            "votes": BETWEEN.join(f"{self._labels[k]}: {n}" for k, n in sorted(given.items(), key=lambda o: -o[1])),
            "n_clicks": n_clicks,
            "status": status,
            "reason": reason,
            "candidates": BETWEEN.join(self._labels[k] for k in offered),
            "crop": None,
        }


def _after_clicks(painted: Painted, listed: Listed) -> float:
    """The foreground IoU that is expected when all clicks were given that are asked for now."""
    chunk = listed.chunk[(listed.clicks > 0) & ~listed.audited]
    area = painted.partition.regions.area[chunk]
    return expecting.after(listed.expected, area, painted.posterior[chunk], painted.label[chunk])


def image_status(listed: Listed, config: ChunksConfig) -> str:
    """Whether a picture is settled, or what will settle it."""
    if listed.expected.foreground >= config.target:
        return SETTLED
    return BY_CLICKS if listed.clicks_to_target >= 0 else REPAINT


def framed(rows: Sequence[dict[str, Any]], known: Sequence[Column], numbers: Sequence[str] = ()) -> pd.DataFrame:
    """Rows as a frame of the ``known`` columns, and of ``numbers`` behind them."""
    import pandas as pd

    kinds = {one.name: DTYPES[one.kind] for one in known} | dict.fromkeys(numbers, "float64")
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in kinds.items()})


class People:
    """How everybody paints, picture by picture."""

    def __init__(self) -> None:
        self._parts: dict[str, list[agreeing.Parts]] = {}
        self._pixels: Counter[str] = Counter()
        self._on_gold: Counter[str] = Counter()
        self._right: Counter[str] = Counter()

    def add(self, painted: Painted, reference: NDArray[np.int64], ground: int, least: int) -> None:
        """Add a picture, with the label of each row by all but one, of each of its people: ``reference`` (R, P)."""
        counted = painted.counted
        gold = counted.gold
        for place, column in enumerate(counted.of_kind("human")):
            name = counted.columns[column].name
            found = agreeing.parts(painted, reference[:, place], column, ground, least)
            self._parts.setdefault(name, []).append(found)
            self._pixels[name] += counted.n_pixels
            known = (gold >= 0) & (counted.votes[:, column] >= 0)
            self._on_gold[name] += int(counted.area[known].sum())
            self._right[name] += int(counted.area[known & (counted.votes[:, column] == gold)].sum())

    def of(self, name: str) -> dict[str, Any]:
        """What is known of how one person paints."""
        parts = self._parts.get(name, [])
        ious = [one.iou for one in parts if not np.isnan(one.iou)]
        outline = sum(one.outline for one in parts)
        return {
            "n_images": len(parts),
            "judged_share": sum(one.judged for one in parts) / self._pixels[name] if parts else None,
            "gold_accuracy": self._right[name] / self._on_gold[name] if self._on_gold[name] else None,
            "iou": float(np.mean(ious)) if ious else None,
            "bias_px": sum(one.grown for one in parts) / outline if outline else None,
            "missed_parts": sum(one.n_missed for one in parts) if parts else None,
            "extra_parts": sum(one.n_extra for one in parts) if parts else None,
        }
