"""Rows that are left out on demand, and workers who are told by the name of a file."""

from __future__ import annotations

import shlex
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import ConfigError
from consensus.formats.tables.by_column import BY, as_text, chosen, holds
from consensus.formats.tables.roles import DROP
from consensus.formats.tables.streams import COMPRESSION
from consensus.inputs.counted import counted
from consensus.inputs.notices import Notice
from consensus.inputs.understood import one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Generator

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.config import ReadConfig
    from consensus.formats.tables.blocks import Block, Reading

LOOKED_AT = 10_000  # cells of a block that are looked at for what a column holds, where it never holds what was named
NAMED = 6  # values in a message
OF_FILE = "name of the file"


class RowChoice:
    """What the settings of reading leave out, and whom they name by the file; counted."""

    def __init__(self, settings: ReadConfig) -> None:
        self._wanted: dict[str, dict[str, int]] = {}  # of each column, how many rows hold each of the values
        for one in settings.drop:
            column, _, value = one.partition("=")
            self._wanted.setdefault(column, {})[value] = 0
        self._held: dict[str, Counter[str]] = {column: Counter() for column in self._wanted}
        self._from_file = settings.worker_from_file
        self._nobody = "" in settings.anonymous
        self._files: dict[str, set[str]] = {}  # of each worker
        self._question = settings.only if settings.by is not None else None
        self._by = settings.by
        self._n_other = 0  # rows of other questions
        self.n_dropped = 0
        """Rows that were left out."""

    @property
    def roles(self) -> dict[str, str]:
        """Roles of the columns that it looks at, and the columns; that of questions has one by itself."""
        return {DROP + column: column for column in self._wanted if column != self._by}

    def of(self, reading: Reading) -> Reading:
        """The reading with the rows that are chosen."""
        if not (self._wanted or self._from_file or self._nobody or self._question is not None):
            return reading
        worker = self._worker(reading) if self._from_file else None
        columns = dict(reading.columns) if worker is None else {**reading.columns, "worker": OF_FILE}
        because = reading.because if worker is None else {**reading.because, "worker": "as named"}
        return replace(reading, blocks=self._blocks(reading, worker), columns=columns, because=because)

    def notes(self) -> list[str]:
        """What was left out, and which files were taken for one person's."""
        said = [
            f"{one_line(f'{column}={value}')} {n:,}"
            for column, values in self._wanted.items()
            for value, n in values.items()
            if n
        ]
        told = [f"{counted(self.n_dropped - self._n_other, 'row')} left out: {', '.join(said)}"] if said else []
        if self._question is not None:
            told.append(
                f"{quoted(str(self._by))} is {quoted(self._question)}: "
                f"{counted(self._n_other, 'row of other questions is', 'rows of other questions are')} "
                "left out"
            )
        for worker, files in self._files.items():
            if len(files) > 1:
                told.append(f"{len(files):,} files are called {quoted(worker)}: they count as one worker")
        return told

    def notices(self) -> list[Notice]:
        """Values that were to be left out and never occur."""
        found = []
        for column, values in self._wanted.items():
            for value, n in values.items():
                if not n:
                    held = [quoted(one) for one, _ in self._held[column].most_common(NAMED)]
                    message = (
                        f"--drop {shlex.quote(one_line(f'{column}={value}'))}: no row has this, so none is left out; "
                        f"the column holds {', '.join(held) or 'nothing'}"
                    )
                    found.append(Notice("option_without_effect", message, {"n_rows": 0}))
        return found

    def _worker(self, reading: Reading) -> str:
        if reading.digest is None:
            raise ConfigError("setting worker_from_file: a data frame has no file whose name tells the worker")
        path = PurePath(reading.file)
        name = PurePath(path.stem).stem if path.suffix.lower() in COMPRESSION else path.stem
        self._files.setdefault(name, set()).add(reading.file)
        return name

    def _blocks(self, reading: Reading, worker: str | None) -> Generator[Block]:
        import pyarrow as pa
        import pyarrow.compute as pc

        role_of = {name: role for role, name in reading.columns.items()}
        with closing(reading.blocks) as blocks:
            for block in blocks:
                n_rows = len(next(iter(block.columns.values())))
                out = np.zeros(n_rows, np.bool_)
                if self._question is not None:
                    out |= ~holds(block.columns[BY], self._question)
                    self._n_other += int(out.sum())
                own = ~out
                for column, values in self._wanted.items():
                    cells = block.columns.get(role_of[column])
                    if cells is not None:
                        out |= self._out(cells, column, values, own)
                cells = {role: cells for role, cells in block.columns.items() if not role.startswith((DROP, BY))}
                if worker is not None:
                    codes = pa.array(np.zeros(n_rows, np.int32))
                    cells["worker"] = pa.chunked_array([pa.DictionaryArray.from_arrays(codes, pa.array([worker]))])
                if self._nobody and "worker" in cells:
                    cells["worker"] = pc.fill_null(as_text(cells["worker"]), "")
                self.n_dropped += int(out.sum())
                yield chosen(block, cells, np.flatnonzero(~out)) if out.any() else replace(block, columns=cells)

    def _out(
        self, cells: pa.ChunkedArray, column: str, values: dict[str, int], own: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """(rows,) where a column holds one of the values, of its ``own`` rows; an absent cell is an empty text."""
        import pyarrow.compute as pc

        text = pc.fill_null(as_text(cells), "")
        if len(self._held[column]) <= NAMED:
            self._held[column].update(text.slice(0, LOOKED_AT).to_pylist())
        out = np.zeros(len(text), np.bool_)
        for value in values:
            here = pc.equal(text, value).to_numpy() & own
            values[value] += int(here.sum())
            out |= here
        return out
