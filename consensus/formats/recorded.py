"""What was read of a source, kept as Parquet, and read again as if it were the source: cells by role, as they stood.

A recording holds only the columns that have a role, so nothing else of a source is kept; of a row that may be rejected,
also the whole of it, as rejects.csv does. Whatever is made of cells (times, amounts, names that become one) is made
again each time, so that it can depend on all sources. Ids and labels are coded once: their rows hold numbers, and their
distinct texts stand in a file beside.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from consensus.formats import sealed
from consensus.formats.tables.blocks import Block, Reading
from consensus.formats.tables.by_column import as_text, chosen
from consensus.inputs.judgments import Reject
from consensus.inputs.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from hashlib import _Hash
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

LINE, RAW = "line", "raw"
"""Columns of a recording beside the cells: where each row stood, and the whole of it if it may be rejected."""
CELLS = "cells "
"""Begins the names of columns of cells; the role follows."""
ID = "judgment id"
"""The role of the id of a judgment, which no reader asks for: it is kept beside the others."""
GROUP = 1 << 20  # rows of a row group at most
PAGES: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True}
NEEDED = ("item", "worker", "model")
"""Roles without which a row may be rejected."""
CODED = ("item", "worker", "label", "group", "cluster")
"""Roles whose texts are kept once, where they are texts."""
TEXTS = "texts-of-"
"""Begins the name of the file of the distinct texts of a role, behind that of the recording."""


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """Sources that were recorded, to be read instead of them."""

    parts: tuple[Path, ...]
    """Their recordings, without the ending, in order."""
    notes: tuple[str, ...] = ()
    """What was understood of how files were chosen, in words."""
    is_begun: bool = False
    """Whether their columns were found right before, so that repeats in them are corrections, however many."""
    choose: Callable[[int, Reading], Reading] = lambda _, reading: reading
    """Leaves out rows of the reading (item, worker, label by row) of the part at a position."""

    def readings(self) -> Iterator[Reading]:
        """One reading a part."""
        return map(replayed, self.parts)

    def of_exports(self) -> bool:
        """Whether all of them are exports of platforms."""
        return all(known_of(part)["platform"] for part in self.parts)


def record(reading: Reading, path: Path, *, every: bool = False) -> tuple[str, int]:
    """Read a source to its end and keep it in two files; the digest of what it was, and how many rows it has.

    Parameters
    ----------
    reading
        Of the source.
    path
        Of the files, without an ending: ``.parquet`` for rows, ``.json`` for what is known of them.
    every
        Any row may be rejected, so the whole of each is kept, and nothing is coded.
    """
    told: dict[str, Any] = {}
    n_rows = _rows_into(path, reading.blocks, told, every)
    for name in ("gold", "votes"):
        beside = getattr(reading, name)
        told[name] = None if beside is None else path.name + f"-{name}"
        if beside is not None:
            record(beside, path.with_name(path.name + f"-{name}"), every=True)
    told |= {
        "file": reading.file,
        "sha256": None if reading.digest is None else reading.digest.hexdigest(),
        "platform": reading.platform,
        "note": reading.note(),
        "form_notes": list(reading.form_notes()),
        "not_utf8": None if reading.not_utf8 is None else _said(reading.not_utf8),
        "header": list(reading.header),
        "columns": dict(reading.columns),
        "because": dict(reading.because),
        "time_format": reading.time_format,
        "anonymous": list(reading.anonymous),
        "label_order": None if reading.label_order is None else list(reading.label_order),
    }
    path.with_suffix(".json").write_bytes(sealed.sealed(json.dumps(told, ensure_ascii=False).encode("utf-8")))
    return (_digest_of_rows(path) if reading.digest is None else reading.digest.hexdigest()), n_rows


def replayed(path: Path) -> Reading:
    """The reading of what was recorded at a ``path``."""
    told = known_of(path)
    beside = {name: None if told[name] is None else replayed(path.with_name(told[name])) for name in ("gold", "votes")}
    order, message = told["label_order"], told["not_utf8"]
    return Reading(
        told["file"],
        _blocks(path, told),
        None if told["sha256"] is None else cast("_Hash", _Known(told["sha256"])),
        told["platform"],
        beside["gold"],
        beside["votes"],
        note=lambda: str(told["note"]),
        form_notes=lambda: list(told["form_notes"]),
        not_utf8=None if message is None else lambda: str(message),
        header=told["header"],
        columns=told["columns"],
        because=told["because"],
        time_format=told["time_format"],
        anonymous=tuple(told["anonymous"]),
        label_order=None if order is None else tuple(order),
    )


def files_of(path: Path) -> list[Path]:
    """The files of a recording."""
    told = known_of(path)
    found = [
        path.with_suffix(".parquet"),
        path.with_suffix(".json"),
        *(_texts_at(path, role) for role in told["coded"]),
    ]
    for name in ("gold", "votes"):
        found += [] if told[name] is None else files_of(path.with_name(told[name]))
    return found


def column_of(path: Path, role: str) -> pa.ChunkedArray | None:
    """All cells of a role in a recording, as text; None where it has no such column."""
    coded, at = known_of(path)["coded"], path.with_suffix(".parquet")
    with sealed.whole(at), sealed.rows(at) as file:
        if CELLS + role not in file.schema_arrow.names:
            return None
        return as_text(_decoded(file.read([CELLS + role]).column(0), _texts(path, role) if role in coded else None))


def without(reading: Reading, out: Callable[[Mapping[str, Any]], NDArray[np.bool_]]) -> Reading:
    """The reading without the rows where ``out`` of its columns by role (rows,) is true."""

    def blocks() -> Generator[Block]:
        with closing(reading.blocks) as inner:
            for block in inner:
                gone = out(block.columns)
                yield chosen(block, block.columns, np.flatnonzero(~gone)) if gone.any() else block

    return replace(reading, blocks=blocks())


def known_of(path: Path) -> dict[str, Any]:
    """What is known of a recording beside its rows.

    Raises
    ------
    StateError
        It is gone or damaged.
    """
    return sealed.told(path.with_suffix(".json"))


class _Known:
    """A digest that was computed before."""

    def __init__(self, hexdigest: str) -> None:
        self._hexdigest = hexdigest

    def hexdigest(self) -> str:
        return self._hexdigest

    def digest(self) -> bytes:
        return bytes.fromhex(self._hexdigest)


def _rows_into(path: Path, blocks: Generator[Block], told: dict[str, Any], every: bool) -> int:
    """Write the rows of all ``blocks``; what each is made of is ``told``."""
    import pyarrow as pa
    from pyarrow import parquet

    file, coding = path.with_suffix(".parquet"), _Coding(() if every else CODED)
    n_rows, writer = 0, None
    told["blocks"] = []
    try:
        with closing(blocks) as each:
            for block in each:
                table = _table(block, every, coding)
                if writer is None:
                    writer = parquet.ParquetWriter(file, table.schema, **_stored(table.schema))
                elif table.schema != writer.schema:
                    table = table.cast(writer.schema)
                n_groups = 0
                for begin in range(0, max(len(table), 1), GROUP):
                    writer.write_table(table.slice(begin, GROUP), row_group_size=GROUP)
                    n_groups += 1
                n_rows += len(table)
                rejects = [asdict(one) for one in block.rejects]
                told["blocks"].append({"groups": n_groups, "rejects": rejects, "done": block.done})
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        parquet.write_table(pa.table({LINE: pa.array([], pa.int64())}), file)
    told["names"] = parquet.read_schema(file).names
    told["coded"] = list(coding.vocabularies)
    for role, vocabulary in coding.vocabularies.items():
        texts = pa.table({role: vocabulary.texts()})
        parquet.write_table(texts, _texts_at(path, role), **PAGES, use_dictionary=False)
    return n_rows


def _stored(schema: pa.Schema) -> dict[str, Any]:
    """How columns are stored: codes differ from row to row, lines count up."""
    import pyarrow as pa

    return {
        **PAGES,
        "use_dictionary": [one.name for one in schema if not pa.types.is_integer(one.type)],
        "column_encoding": {LINE: "DELTA_BINARY_PACKED"},
    }


class _Coding:
    """Codes of cells, by the texts of their role in all blocks until now.

    Parameters
    ----------
    roles
        That may be coded: a role is, where it holds texts in the first block that has it.
    """

    def __init__(self, roles: Sequence[str]) -> None:
        self.vocabularies: dict[str, Vocabulary] = {}
        self._roles = roles
        self._left: set[str] = set()

    def of(self, role: str, cells: Any) -> Any:
        """The cells as they are kept."""
        import pyarrow as pa

        if role not in self._roles or role in self._left:
            return _plain(cells)
        if role not in self.vocabularies:
            if not _is_text(_plain_type(cells.type)):
                self._left.add(role)
                return _plain(cells)
            self.vocabularies[role] = Vocabulary()
        codes = self.vocabularies[role].add(cells)
        return pa.array(codes, mask=codes < 0)


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return kind in {pa.string(), pa.binary(), pa.large_string(), pa.large_binary()}


def _texts_at(path: Path, role: str) -> Path:
    return path.with_name(f"{path.name}-{TEXTS}{role}.parquet")


def _table(block: Block, every: bool, coding: _Coding) -> pa.Table:
    import pyarrow as pa

    n_rows = len(next(iter(block.columns.values())))
    lines = np.arange(block.lines, block.lines + n_rows) if isinstance(block.lines, int) else block.lines
    cells = {CELLS + role: coding.of(role, column) for role, column in block.columns.items()}
    shown = np.ones(n_rows, np.bool_) if every else _may_be_rejected(block.columns, n_rows)
    rows = np.flatnonzero(shown)
    texts = np.full(n_rows, None, object)
    if len(rows):
        texts[rows] = block.describe(rows.tolist())
    return pa.table({**cells, LINE: pa.array(lines, pa.int64()), RAW: pa.array(texts, pa.string(), from_pandas=True)})


def _plain(column: Any) -> Any:
    """Without a dictionary: that of each block is another."""
    return column.cast(_plain_type(column.type))


def _plain_type(kind: Any) -> Any:
    import pyarrow as pa

    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _may_be_rejected(columns: Mapping[str, Any], n_rows: int) -> NDArray[np.bool_]:
    """(rows,) where something that is needed is absent, or a cell is no text."""
    import pyarrow as pa

    found = np.zeros(n_rows, np.bool_)
    for role, column in columns.items():
        if role in NEEDED and column.null_count:
            found |= column.is_null().to_numpy()
        plain = _plain(column)
        if pa.types.is_binary(plain.type) or pa.types.is_large_binary(plain.type):
            try:
                plain.cast(pa.large_string())
            except pa.ArrowInvalid:
                found |= np.array([one is not None and not _decodes(one) for one in plain.to_pylist()], np.bool_)
    return found


def _decodes(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _blocks(path: Path, told: Mapping[str, Any]) -> Generator[Block]:
    texts = {CELLS + role: _texts(path, role) for role in told["coded"]}
    at = path.with_suffix(".parquet")
    with sealed.whole(at):
        file = sealed.rows(at)
        if file.schema_arrow.names != told["names"]:
            raise ValueError("other columns")
    with file:
        group = 0
        for one in told["blocks"]:
            with sealed.whole(at):
                table = file.read_row_groups(list(range(group, group + one["groups"])))
                columns = {
                    name.removeprefix(CELLS): _decoded(table.column(name), texts.get(name))
                    for name in table.schema.names
                    if _is_read(name)
                }
                raw, lines = table.column(RAW), table.column(LINE).to_numpy()
            group += one["groups"]
            yield Block(
                columns,
                lines,
                lambda chosen, raw=raw: [raw[n].as_py() for n in chosen],  # type: ignore[misc]
                [Reject(**reject) for reject in one["rejects"]],
                one["done"],
            )


def _texts(path: Path, role: str) -> Any:
    """The distinct texts of a role, by code."""
    at = _texts_at(path, role)
    with sealed.whole(at), sealed.rows(at) as file:
        return file.read().column(0).combine_chunks()


def _decoded(column: pa.ChunkedArray, texts: Any) -> pa.ChunkedArray:
    """Cells as a dictionary, where they are codes of ``texts``."""
    import pyarrow as pa

    if texts is None:
        return column
    kind = pa.dictionary(pa.int32(), texts.type)
    return pa.chunked_array([pa.DictionaryArray.from_arrays(one, texts) for one in column.chunks], kind)


def _is_read(name: str) -> bool:
    return name.startswith(CELLS) and name != CELLS + ID


def _said(message: Callable[[], str]) -> str:
    return message()


def _digest_of_rows(path: Path) -> str:
    """The digest of a table in memory, which has none of its own: of its cells, however they are stored."""
    import hashlib

    from pyarrow import parquet

    digest = hashlib.sha256()
    for name in parquet.read_schema(path.with_suffix(".parquet")).names:
        if name.startswith(CELLS):
            column = column_of(path, name.removeprefix(CELLS))
            assert column is not None
            text = column.combine_chunks()
            digest.update(f"{name}\n{len(text)}\n".encode())
            digest.update("\0".join("" if one is None else f"={one}" for one in text.to_pylist()).encode())
    return digest.hexdigest()
