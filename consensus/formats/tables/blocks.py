"""What every reader yields: blocks of rows, as columns of text by role, and where each row stood."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consensus.inputs.judgments import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from hashlib import _Hash

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Reject


AHEAD = 8  # blocks that wait to be worked on: the libraries that do it are loaded while the first ones come


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some rows of a source, in its order."""

    columns: dict[str, pa.Array | pa.ChunkedArray]
    """Cells by role; a null is absent. Bytes are text yet to be checked."""
    lines: int | NDArray[np.int64]
    """Line of each row; or of the first, if each row is a line."""
    describe: Callable[[list[int]], list[str]]
    """The raw text of rows, given by position in ``columns``."""
    rejects: list[Reject]
    """Rows that could not be read at all; they are not in ``columns``."""
    done: float
    """Which fraction of the source was read up to here."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A source that is being read."""

    file: str
    blocks: Generator[Block]
    digest: _Hash | None = field(default_factory=hashlib.sha256)
    """SHA-256 of the bytes of the file, once all blocks were read; None where there is no file."""
    platform: str = ""
    """What the export of a platform is called; empty for a plain table."""
    gold: Reading | None = None
    """Items and accepted labels that a platform's export holds beside the judgments."""
    votes: Reading | None = None
    """What models say of the items there: item, model, label and perhaps probability."""
    note: Callable[[], str] = str
    """What was understood of a platform's export, once all blocks were read, those of ``gold`` and ``votes``, too."""
    form_notes: Callable[[], Sequence[str]] = tuple
    """What was understood of how the file is written, once all blocks were read."""
    not_utf8: Callable[[], str] | None = None
    """What to say where many rows are not UTF-8; None where that can't be."""
    header: Sequence[str] = ()
    """Names of all columns."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Role to the name of its column."""
    because: Mapping[str, str] = field(default_factory=dict)
    """Role to the rule by which its column was taken, where that is not its name, nor that the user named it."""
    time_format: str | None = None
    """How times are written, where the platform states it."""
    anonymous: tuple[str, ...] = ()
    """Workers of a platform's export who stand for many people."""
    label_order: tuple[str, ...] | None = None
    """The categories of the label in their order, where its column declares one."""

    @property
    def source(self) -> Source | None:
        """The file and its digest, once all blocks were read."""
        return None if self.digest is None else Source(self.file, self.digest.hexdigest())


def ahead(blocks: Generator[Block], threads: int) -> Iterator[Block]:
    """The same blocks. With several threads, the next ones are made while one is worked on."""
    with closing(blocks):
        first = next(blocks, None)
        if first is not None:
            yield from _others_ahead(first, blocks, threads)


def _others_ahead(first: Block, blocks: Generator[Block], threads: int) -> Iterator[Block]:
    """The first block and the others."""
    if threads == 1 or first.done >= 1:  # a small source: starting a thread would take longer than to read it
        yield first
        yield from blocks
        return
    with ThreadPoolExecutor(1) as pool:
        coming = deque(pool.submit(next, blocks, None) for _ in range(AHEAD))
        yield first
        while (block := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, blocks, None))
            yield block
