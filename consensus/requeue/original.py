"""What the export of a platform held beside the judgments: its source columns, one value an item, as they stood."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from consensus.errors import RunError
from consensus.formats import platforms, read, sources
from consensus.formats.opening import columns_of
from consensus.formats.tables.text_form import TextForm
from consensus.inputs.vocabulary import positions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consensus.inputs.judgments import Judgments


@dataclass(frozen=True, slots=True)
class Original:
    """The files that judgments were read from, and the columns that are the same in all rows of an item."""

    files: tuple[Path, ...]
    item: str
    """The column of the item."""
    question: str
    """The column, or field, of the label."""
    columns: dict[str, list[str | None]]
    """Of each item in the order of the judgments; None where a cell is empty."""
    answers: tuple[str, ...]
    """Columns that tell different things in rows of one item, so that they are no source."""
    in_some: tuple[str, ...]
    """Columns that not all files have, which are left out, too."""

    def said(self) -> list[str]:
        """What is left out, in words."""
        differ = f"differ between judgments of an item, so they are answers and left out: {', '.join(self.answers)}"
        some = f"not in all files, so they are left out: {', '.join(self.in_some)}"
        return [*([differ] if self.answers else []), *([some] if self.in_some else [])]


def files_of(judgments: Judgments, given: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The files of the judgments, after a check that they are as they were: those ``given``, or where they were read.

    Raises
    ------
    RunError
        One is gone or has changed, or judgments were tables in memory.
    """
    if not judgments.sources:
        raise RunError("its judgments were tables in memory; write them to a file, and run that", "the run")
    by_digest = {sources.digest_of(path): path for path in given if sources.is_named(path)}
    found = []
    for source in judgments.sources:
        path = by_digest.get(source.sha256, Path(source.file))
        if source.sha256 not in by_digest:
            if not sources.is_named(path):
                raise RunError(f"its input {path} is not there; name where it is now with --source", source.file)
            if sources.digest_of(path) != source.sha256:
                raise RunError(
                    f"its input {path} has changed since; name the one that was read with --source", source.file
                )
        found.append(path)
    return tuple(found)


def is_read(judgments: Judgments, path: Path) -> bool:
    """Whether a ``path`` is, or lies in, what the judgments were read from."""
    read_ones = [Path(source.file) for source in judgments.sources]
    beside = [platforms.also_read(one) for one in read_ones if one.is_dir()]
    known = [*read_ones, *(one for one in beside if one is not None)]
    return any(path.resolve().is_relative_to(one.resolve()) for one in known)


def platform_of(files: Sequence[Path]) -> str | None:
    """The name of the platform whose export the first file is; None for a plain table."""
    with sources.opened(files[0]) as found:
        assert found is not None  # it is no table in memory
        known = platforms.recognised(platforms.head_of(found.files[0].path))
    return None if known is None else known.NAME


def original(judgments: Judgments, files: tuple[Path, ...], is_source: Callable[[str], bool]) -> Original:
    """Read the source columns of ``files``: those that ``is_source`` tells by their names."""
    understood = {column.role: column.name for column in judgments.understood}
    assert judgments.reading is not None
    form = TextForm.of(judgments.reading)
    by_file = [dict.fromkeys(filter(is_source, columns_of(path, form))) for path in files]
    every = dict.fromkeys(name for one in by_file for name in one)
    names = [name for name in every if all(name in one for one in by_file)]
    item = understood.get("item", "")
    kept = tuple(name for name in names if name not in {item, understood.get("label"), understood.get("worker")})
    columns: dict[str, list[str | None]] = {}
    answers = []
    if kept:
        again = read(list(files), judgments.reading.model_copy(update={"keep": kept}))
        at = positions(judgments.item_ids, again.item_ids).tolist()
        for column in again.kept:
            if column.n_several:
                answers.append(column.name)
                continue
            cells = column.of(slice(0, again.n_items)).to_pylist()
            columns[column.name] = [cells[n] if n >= 0 else None for n in at]
    ids = judgments.item_ids.to_pylist()
    found = {name: ids if name == item else columns[name] for name in names if name == item or name in columns}
    in_some = tuple(name for name in every if name not in names)
    return Original(files, item, understood.get("label", "label"), found, tuple(answers), in_some)


def next_step(files: Sequence[Path], options: str = "") -> str:
    """How answers come back to the items that they are of."""
    return " ".join(["when the answers are there: consensus run", *map(str, files), "ANSWERS", options]).rstrip()
