"""What was taken back: judgments, workers, files. A retraction works on what was there when it came."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.backends import Threads
from consensus.errors import FormatError
from consensus.formats import given
from consensus.formats.opening import readings
from consensus.formats.tables.by_column import as_text
from consensus.formats.tables.coded_rows import Rows
from consensus.formats.tables.roles import NAMES as USUAL
from consensus.formats.tables.roles import Roles, candidates_of, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

NAMES = {"item": USUAL["item"], "worker": USUAL["worker"], "file": ("file", "source", "sha256")}
"""Names of the columns."""
RETRACTION = given.Argument("retract", 'a table of what is taken back, such as [{"item": "img7", "worker": "ann"}]')


@dataclass(frozen=True, slots=True)
class Retraction:
    """The rows of one table of retractions."""

    pairs: frozenset[tuple[str, str]] = frozenset()
    """Item and worker of judgments."""
    workers: frozenset[str] = frozenset()
    """Workers all of whose judgments are taken back."""
    files: frozenset[str] = frozenset()
    """Sources, by name or SHA-256."""

    def __len__(self) -> int:
        return len(self.pairs) + len(self.workers) + len(self.files)

    def takes_file(self, file: str, sha256: str) -> bool:
        """Whether a whole source is taken back."""
        return file in self.files or sha256 in self.files

    def out(self, columns: Mapping[str, Any]) -> NDArray[np.bool_]:
        """(rows,) which rows of item and worker are taken back."""
        import pyarrow as pa
        import pyarrow.compute as pc

        worker = as_text(columns["worker"])
        found = pc.is_in(worker, pa.array(sorted(self.workers), worker.type)).to_numpy(zero_copy_only=False)
        found = np.array(found, np.bool_)
        if self.pairs:
            item = as_text(columns["item"])
            some = pa.array(sorted({one for one, _ in self.pairs}), item.type)
            candidates = np.flatnonzero(pc.is_in(item, some).to_numpy(zero_copy_only=False))
            rows = pa.array(candidates)
            pairs = zip(item.take(rows).to_pylist(), worker.take(rows).to_pylist(), strict=True)
            found[candidates] |= np.array([pair in self.pairs for pair in pairs], np.bool_)
        return found

    def as_json(self) -> bytes:
        """As it is written."""
        told = {"pairs": sorted(map(list, self.pairs)), "workers": sorted(self.workers), "files": sorted(self.files)}
        return (json.dumps(told, ensure_ascii=False) + "\n").encode("utf-8")

    @classmethod
    def from_json(cls, content: bytes) -> Retraction:
        """As it was written."""
        told = json.loads(content)
        pairs = frozenset((item, worker) for item, worker in told["pairs"])
        return cls(pairs, frozenset(told["workers"]), frozenset(told["files"]))


@dataclass(frozen=True, slots=True)
class _Roles(Roles):
    """Any of item, worker and file."""

    def positions(self, header: Sequence[str], place: str) -> dict[str, int]:
        """Position in ``header`` of the columns of what is taken back.

        Raises
        ------
        FormatError
            None of them is there, or one several times.
        """
        found = {role: candidates_of(header, names) for role, names in NAMES.items()}
        twice = next((role for role, some in found.items() if len(some) > 1), None)
        if twice is not None:
            raise FormatError(
                f"several columns could hold the {twice}: {listed([header[n] for n in found[twice]])}; keep one",
                place,
                code="column_not_clear",
            )
        if not (found["worker"] or found["file"]):
            raise FormatError(
                f"no column holds the worker, or the file, of what is taken back; the columns are: {listed(header)}; "
                "give item and worker of judgments, worker for all of theirs, or file (name or SHA-256) of a source",
                place,
                code="column_not_found",
            )
        return {role: some[0] for role, some in found.items() if some}


def read_retraction(source: Any) -> tuple[Retraction, str, str]:
    """What a table takes back, what it is called, and its digest.

    Each row has an item and a worker, for a judgment; a worker alone, for all of theirs; or a file alone, by its name
    or SHA-256, for a whole source.

    Raises
    ------
    FormatError
        It can't be read, no column is there, or a row names something else.
    """
    source = given.table(source, RETRACTION)
    rows = Rows(tuple(NAMES), (), Threads(), None)
    files, digests = [], []
    with closing(readings(source, _Roles(dict.fromkeys(NAMES)))) as found:
        for reading in found:
            rows.add(reading)
            files.append(reading.file)
            digests += [] if reading.source is None else [reading.source.sha256]
    for first in rows.rejects[:1]:
        raise FormatError(f"{first.reason}: {first.row[:60]}; correct it", first.file, first.line, code="bad_row")
    if not rows.n_rows:
        raise FormatError("a header but no rows; expected what is taken back", files[0], code="empty_file")
    columns = [[texts[c].as_py() if c >= 0 else None for c in codes.tolist()] for codes, texts in rows.ranked()]
    pairs, workers, whole = set[tuple[str, str]](), set[str](), set[str]()
    for row, (item, worker, file) in enumerate(zip(*columns, strict=True)):
        if file and not (item or worker):
            whole.add(file)
        elif item and worker and not file:
            pairs.add((item, worker))
        elif worker and not (item or file):
            workers.add(worker)
        else:
            told = [f'{role} "{one}"' for role, one in zip(NAMES, (item, worker, file), strict=True) if one]
            raise FormatError(
                f"it names {' and '.join(told) or 'nothing'}; expected an item and a worker, a worker alone, or a file "
                "alone",
                rows.place(row),
                code="bad_row",
            )
    taken = Retraction(frozenset(pairs), frozenset(workers), frozenset(whole))
    digest = digests[0] if len(digests) == 1 else hashlib.sha256(taken.as_json()).hexdigest()
    return taken, files[0], digest
