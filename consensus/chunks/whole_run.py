"""A run over pictures: everything that was found, and the arrays of a picture when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import worker_audit
from consensus.chunks import agreeing, counting, cutting, file_names, fitting, listing
from consensus.chunks import clicks as clicking
from consensus.chunks.clicks import Believed, Click
from consensus.chunks.cuts import Cuts
from consensus.chunks.painting import Painted
from consensus.chunks.people import workers
from consensus.chunks.tables import Gathering, People, Tables
from consensus.config import ChunksConfig
from consensus.errors import ConfigError, FormatError, JudgmentError
from consensus.inputs.counted import counted
from consensus.masks.mask_set import MaskSet
from consensus.masks.reading import read_masks
from consensus.runs.listening import SILENT, Listener

if TYPE_CHECKING:
    import pandas as pd

    from consensus.chunks.clicks import Rows
    from consensus.chunks.counting import Counted
    from consensus.chunks.fitting import Fitted
    from consensus.chunks.listing import Listed
    from consensus.found.result import Consensus

    Sink = Callable[[int, Painted, Listed], None]

Clicks = Mapping[str, Mapping[int, tuple[Click, ...]]]
"""Answers by the name of the picture and the first pixel of the chunk, in row-major order."""


@dataclass(frozen=True, eq=False)  # without slots: tables are made when first asked for
class ChunkRun:
    """Masks merged into one label map for each picture, with what is uncertain as chunks to click."""

    masks: MaskSet
    """What was read; masks are decoded picture by picture."""
    config: ChunksConfig
    cuts: Cuts
    clicks: Clicks
    counted: tuple[Counted, ...]
    """What is kept of each picture: vote patterns and their areas."""
    rows: tuple[Rows, ...]
    """What labels are found for in each picture: its patterns, and the chunks that were clicked."""
    fitted: Fitted
    believed: Believed
    """What clicks make of the chunks that they are on."""
    inputs: Mapping[str, Any] | None = None
    """The arguments that it was read with; None where they were no files, so that it can't be made again."""
    listener: Listener = field(default=SILENT, repr=False)

    @property
    def result(self) -> Consensus:
        """The fit of vote patterns: confusions, n_eff, cautions."""
        return self.fitted.result

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, by code."""
        return self.masks.classes.labels

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the pictures, in order."""
        return tuple(one.name for one in self.masks.pictures)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The place of each picture, by its name."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def files(self) -> list[str]:
        """What the files of each picture are called, without the ending."""
        return file_names.unique(self.names)

    @property
    def ground(self) -> int:
        """Code of the class that has no parts of its own, -1 where there is none."""
        if self.config.background is None:
            return self.masks.classes.ground
        if self.config.background not in self.labels:
            raise ConfigError(
                f'background = "{self.config.background}": there is no such class; there are {", ".join(self.labels)}',
                code="unknown_name",
            )
        return self.labels.index(self.config.background)

    def painted(self, picture: int | str) -> Painted:
        """A picture, by its number or name, with its chunks and what was found of each; its masks are decoded anew.

        Raises
        ------
        ConfigError
            There is no such picture.
        FormatError
            A mask can't be read any more, or has changed.
        """
        number = self.number_of(picture) if isinstance(picture, str) else picture
        one = self.masks.pictures[number]
        seen, pixels = counting.look(one, len(self.labels))
        refuse_change(self.counted[number], seen, one.name)
        cut = cutting.partition(pixels, seen, self.cuts.cut(one), self.config.cut_above)
        posterior = np.vstack([self.fitted.of(number), self.believed.posterior[number]])
        return Painted(one, pixels.ids, seen, cut, self.rows[number], posterior)

    def number_of(self, name: str) -> int:
        """The number of a picture.

        Raises
        ------
        ConfigError
            There is none of this name.
        """
        if name not in self.numbers:
            raise ConfigError(
                f'no picture "{name}" among the {counted(len(self.names), "picture")}, such as "{self.names[0]}"',
                code="unknown_name",
            )
        return self.numbers[name]

    def listed(self, painted: Painted) -> Listed:
        """The chunks of a painted picture that are worth a click."""
        return listing.listed(painted, self.config, self.ground)

    def look_again(self, sink: Sink | None = None) -> None:
        """Paint all pictures, one after the other, give each to the ``sink``, and make the tables on the way."""
        gathering, people, ground = Gathering(self.labels, self.config), People(), self.ground
        codes = {name: code for code, name in enumerate(self.result.judgments.worker_ids.to_pylist())}
        for number in range(len(self.names)):
            self.listener.stage("painting", number / len(self.names))
            painted = self.painted(number)
            listed = self.listed(painted)
            gathering.add(painted, listed, self.files[number])
            reference = agreeing.without_each(painted.counted, painted.rows, self.result, codes)
            people.add(painted, reference, ground, self.config.least_area)
            if sink is not None:
                sink(number, painted, listed)
        self.__dict__["tables"], self.__dict__["people"] = gathering.tables(), people

    @cached_property
    def tables(self) -> Tables:
        """The tables of pictures and chunks."""
        self.look_again()
        return self.__dict__["tables"]  # type: ignore[no-any-return]

    @cached_property
    def people(self) -> People:
        """How everybody paints."""
        self.look_again()
        return self.__dict__["people"]  # type: ignore[no-any-return]

    @property
    def images(self) -> pd.DataFrame:
        """One row a picture (``columns.IMAGES``)."""
        return self.tables.images

    @property
    def chunks(self) -> pd.DataFrame:
        """One row a chunk that is worth a click, those first that repair most (``columns.CHUNKS``)."""
        return self.tables.chunks

    @property
    def escalations(self) -> pd.DataFrame:
        """The same chunks, with the columns that lists of escalations have (``columns.ESCALATIONS``)."""
        return self.tables.escalations

    @cached_property
    def workers(self) -> pd.DataFrame:
        """One row a worker (``columns.WORKERS``)."""
        met: Counter[str] = Counter()
        for one in self.counted:
            met.update({column.name for column in one.columns if column.kind in {"model", "probabilities"}})
        return workers(self.result, self.confusions, self.people, met, self.believed)

    @cached_property
    def confusions(self) -> pd.DataFrame:
        """One row a worker, true label and label given."""
        return worker_audit.confusions(self.result)

    @property
    def cautions(self) -> list[str]:
        """What to know before trusting it, in words."""
        from consensus.chunks import words

        return list(map(str, words.cautions(self)))

    @property
    def n_waiting(self) -> int:
        """Clicks that do not count yet, since a second one is needed."""
        return sum(sum((rows.waiting or {}).values()) for rows in self.rows)

    def with_clicks(self, clicks: Clicks) -> ChunkRun:
        """The same with other ``clicks``; masks of pictures that were clicked in are decoded anew.

        Raises
        ------
        JudgmentError
            No chunk begins at a pixel.
        """
        rows = []
        for number, one in enumerate(self.masks.pictures):
            given = clicks.get(one.name)
            if not given:
                rows.append(clicking.rows(self.counted[number]))
                continue
            cut = self.painted(number).partition
            chunks = {cut.number_of(first, one.name): answers for first, answers in given.items()}
            rows.append(clicking.rows(self.counted[number], cut, chunks, self.config.two_clicks_above))
        return replace(self, clicks=clicks, rows=tuple(rows), believed=_believed(rows, self.fitted))


def refuse_change(before: Counted, now: Counted, name: str) -> None:
    """Refuse a picture of which something else is said than before.

    Raises
    ------
    FormatError
        It has changed.
    """
    if before.digest != now.digest:
        raise FormatError(f'the masks of "{name}" have changed since they were counted; run it again')


def unjudged(names: Sequence[str]) -> str:
    """What is wrong with pictures of which nobody judged a pixel, and what to look at."""
    more = f" and of {counted(len(names) - 1, 'other picture')}" if len(names) > 1 else ""
    return (
        f'nobody judged a pixel of "{names[0]}"{more}: all in the masks means not judged; see whether --void is right, '
        "whether the classes name a background, and what the regions leave"
    )


def of_masks(
    masks: MaskSet,
    config: ChunksConfig,
    cuts: Cuts,
    *,
    inputs: Mapping[str, Any] | None = None,
    listener: Listener = SILENT,
) -> ChunkRun:
    """Count and fit what was read.

    Raises
    ------
    FormatError
        A mask can't be read.
    JudgmentError
        Nobody judged anything.
    """
    seen = []
    for number, picture in enumerate(masks.pictures):
        listener.stage("counting", number / len(masks.pictures))
        seen.append(counting.look(picture, len(masks.classes.labels))[0])
    if not any(one.is_judged for one in seen):
        names = [one.name for one in masks.pictures]
        raise JudgmentError(f"{unjudged(names)}; without any judgment there is nothing to merge")
    rows = [clicking.rows(one) for one in seen]
    fitted = fitting.fitted(seen, masks.classes.labels, config, listener.fitting)
    found = _believed(rows, fitted)
    return ChunkRun(masks, config, cuts, {}, tuple(seen), tuple(rows), fitted, found, inputs, listener)


def _believed(rows: Sequence[Rows], fitted: Fitted) -> Believed:
    return clicking.believed(rows, [fitted.of(number) for number in range(len(rows))])


def run(
    source: Any,
    config: ChunksConfig | None = None,
    *,
    classes: Any = None,
    gold: Any = None,
    models: Any = (),
    cuts: Any = None,
    listener: Listener = SILENT,
    reading: Mapping[str, Any] | None = None,
    **settings: Any,
) -> ChunkRun:
    """Merge masks into one label map for each picture, and find the chunks that are worth a click.

    Parameters
    ----------
    source, classes, gold, models
        As ``consensus.masks.reading.read_masks`` takes them; or a ``MaskSet`` alone.
    config
        See ``ChunksConfig``.
    cuts
        Folder that ``make`` wrote, or arrays (H, W) of whole numbers by the name of the picture.
    listener
        Is told how it goes on.
    reading
        Further arguments of ``read_masks``, such as ``{"images": "photos"}``.
    **settings
        Fields of ``ChunksConfig``, such as ``clicks=20``.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range, or a library is missing.
    FormatError
        Masks, gold or cuts can't be read.
    JudgmentError
        Nobody judged anything.
    """
    config = ChunksConfig.of(config, **settings)
    if isinstance(source, MaskSet):
        return of_masks(source, config, Cuts.of(cuts), listener=listener)
    given = {"source": source, "classes": classes, "gold": gold, "models": models, **(reading or {})}
    listener.stage("reading")
    masks = read_masks(**given)
    is_telling = masks.key is not None and given.get("worker_from_file")  # files are called like people
    kept = None if is_telling else stored({**given, "cuts": cuts})
    return of_masks(masks, config, Cuts.of(cuts), inputs=kept, listener=listener)


def stored(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Arguments as JSON can hold them, with paths made absolute; None where one is no path, flag or number.

    Of classes also labels by value, as a list of pairs.
    """

    def kept(one: Any) -> Any:
        if one is None or isinstance(one, (bool, int)):
            return one
        if isinstance(one, (str, Path)):
            return str(Path(one).absolute())
        if isinstance(one, (list, tuple)):
            return [kept(part) for part in one]
        raise TypeError

    try:
        return {
            name: {"pairs": [list(pair) for pair in one.items()]}
            if isinstance(one, dict) and name in PAIRS
            else kept(one)
            for name, one in given.items()
        }
    except TypeError:
        return None


PAIRS = ("classes", "columns")
"""Arguments that may be a mapping of texts and numbers."""
