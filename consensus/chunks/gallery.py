"""The pictures that go with a run: an overlay of each, crops of the chunks to ask about, and those of the page.

They are drawn while the run paints its pictures, one after the other: what is kept is what is shown.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.chunks import drawing
from consensus.formats import writing

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from consensus.chunks.listing import Listed
    from consensus.chunks.painting import Painted
    from consensus.chunks.whole_run import ChunkRun

OVERLAYS, CROPS = "overlay", "crops"
"""Folders that they are written to."""
MOST_CROPS = 200
ON_PAGE = (320, 480)
"""Pixels of the longer side of a picture on the page, at least and at most."""
PAGE_QUALITY = 78
LINE = 2
MOST_PAINTERS = 12
"""People and models whose outlines are shown of a picture."""


@dataclass(frozen=True, slots=True)
class Painter:
    """What one person or model painted."""

    name: str
    kind: str
    """human, model, probabilities or gold."""
    outlines: bytes
    """PNG, to lie upon the picture."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as the page shows it; all layers are of its size."""

    number: int
    """Of the picture in the run."""
    height: int
    width: int
    """Pixels of what is shown."""
    picture: bytes
    """JPEG."""
    is_there: bool
    """The picture itself was found; else it is grey."""
    merged: bytes
    """PNG: the outlines of the merged labels, and the disputed parts."""
    unsure: bytes
    """PNG: how unsure each pixel is."""
    painters: tuple[Painter, ...]
    n_more: int
    """Painters that are not among them."""


@dataclass(slots=True)
class Gallery:
    """Takes the painted pictures of a ``run``, and writes overlays and crops into ``folder``."""

    run: ChunkRun
    folder: Path
    most_crops: int = MOST_CROPS
    most_shown: int = 0
    colours: NDArray[np.uint8] = field(init=False)
    """(K, 3) of the classes."""
    expected_area: NDArray[np.float64] = field(init=False)
    """(K,) pixels that each class is expected to have."""
    missing: list[str] = field(default_factory=list)
    """Names of pictures that were not found, or can't be read."""
    _crops: list[tuple[float, int, str, str, bytes]] = field(default_factory=list)
    _shown: list[tuple[float, int, Shown]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.colours = drawing.shown_colours(self.run.masks.classes)
        self.expected_area = np.zeros(len(self.run.labels))

    def add(self, number: int, painted: Painted, listed: Listed) -> None:
        """Draw a picture (a ``Sink`` of a run)."""
        one = painted.picture
        picture = drawing.opened(one.path, one.height, one.width)
        is_there = picture is not None
        if picture is None:
            self.missing.append(one.name)
            picture = drawing.blank(one.height, one.width)
        label = painted.pixels[0]
        self.expected_area += painted.partition.regions.area @ painted.posterior
        disputed = np.isin(painted.chunk_of_pixel, listed.chunk[~listed.audited])
        drawn = drawing.overlay(picture, label, disputed, self.run.ground, self.colours)
        (self.folder / OVERLAYS).mkdir(exist_ok=True)
        writing.write_bytes(drawing.photographed(drawn), self.folder / OVERLAYS / f"{self.run.files[number]}.jpg")
        self._crop(picture, painted, listed, number)
        iou = listed.expected.foreground
        entry = (-iou if iou == iou else 0.0, -number)
        if len(self._shown) < self.most_shown or (self._shown and entry > self._shown[0][:2]):
            shown = self._on_page(number, painted, picture, label, disputed, is_there=is_there)
            push = heapq.heappush if len(self._shown) < self.most_shown else heapq.heapreplace
            push(self._shown, (*entry, shown))

    def shown(self) -> list[Shown]:
        """The pictures of the page, those first that are expected to be worst."""
        return [shown for *_, shown in sorted(self._shown, key=lambda one: one[:2], reverse=True)]

    def finish(self) -> list[str | None]:
        """Write the crops; the file of each chunk of the run's table, None where there is none."""
        files = {}
        for _, number, chunk, name, jpeg in self._crops:
            (self.folder / CROPS).mkdir(exist_ok=True)
            writing.write_bytes(jpeg, self.folder / CROPS / name)
            files[self.run.names[-number], chunk] = f"{CROPS}/{name}"
        return [files.get(one) for one in zip(self.run.chunks["image"], self.run.chunks["chunk"], strict=True)]

    def _crop(self, picture: NDArray[np.uint8], painted: Painted, listed: Listed, number: int) -> None:
        """Keep the crops of a picture, as far as they are among those that are wanted most."""
        for place in range(len(listed.chunk)):
            if not listed.clicks[place]:
                continue
            chunk = int(listed.chunk[place])
            entry = (float(listed.priority[place]), -number)
            if len(self._crops) == self.most_crops and (not self._crops or entry <= self._crops[0][:2]):
                continue
            box = tuple(listed.box[place].tolist())
            jpeg = drawing.photographed(drawing.crop(picture, painted.chunk_of_pixel, chunk, box))
            name = painted.partition.name(chunk)
            file = f"{self.run.files[number]}-{name.replace(',', '_')}.jpg"
            push = heapq.heappush if len(self._crops) < self.most_crops else heapq.heapreplace
            push(self._crops, (*entry, name, file, jpeg))

    def _on_page(
        self,
        number: int,
        painted: Painted,
        picture: NDArray[np.uint8],
        label: NDArray[Any],
        disputed: NDArray[np.bool_],
        *,
        is_there: bool,
    ) -> Shown:
        """What the page shows of a picture."""

        def outlined(codes: NDArray[Any]) -> NDArray[np.uint8]:
            return drawing.outlines(drawing.scaled(codes, *ON_PAGE), self.run.ground, self.colours, LINE)

        shown = drawing.scaled(picture, *ON_PAGE)
        merged = drawing.stacked(drawing.hatched(drawing.scaled(disputed, *ON_PAGE)), outlined(label))
        counted = painted.counted
        columns = sorted(range(len(counted.columns)), key=lambda c: counted.columns[c].kind != "gold")
        painters = tuple(
            Painter(one.name, one.kind, drawing.encoded(outlined(counted.votes[:, c][painted.ids])))
            for c, one in ((c, counted.columns[c]) for c in columns[:MOST_PAINTERS])
        )
        return Shown(
            number,
            shown.shape[0],
            shown.shape[1],
            drawing.photographed(shown, PAGE_QUALITY),
            is_there,
            drawing.encoded(merged),
            drawing.encoded(drawing.unsure(drawing.scaled(painted.pixels[1], *ON_PAGE))),
            painters,
            max(len(columns) - MOST_PAINTERS, 0),
        )
