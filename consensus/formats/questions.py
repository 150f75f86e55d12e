"""Several questions in one source: which there are, and the readings of one of them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from consensus.config import ReadConfig
from consensus.errors import FormatError
from consensus.formats import export_questions, platforms
from consensus.formats.opening import readings
from consensus.formats.tables.by_column import BY, ByRoles, as_text
from consensus.formats.tables.listing import Listing
from consensus.formats.tables.roles import Roles
from consensus.formats.tables.text_form import TextForm
from consensus.formats.tables.wide import CELL, Shape, WideRoles
from consensus.inputs.counted import counted
from consensus.inputs.judgments import listed
from consensus.inputs.understood import quoted

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from consensus.formats.tables.blocks import Reading

MOST = 500  # questions


def opened(source: Any, roles: Roles, settings: ReadConfig) -> Generator[Reading]:
    """Readings of a source by the settings, with the column of questions, if there is one.

    Raises
    ------
    FormatError
        A source can't be read, or a column can't be found.
    """
    if settings.by is not None:
        if isinstance(roles, WideRoles):
            inner: Roles = ByRoles.beside(roles.inner, settings.by)
            roles = WideRoles.beside(inner, roles.kind, roles.values)
        else:
            roles = ByRoles.beside(roles, settings.by)
    plain = settings.by is not None or not Shape(settings).is_plain
    platform = platforms.NONE if plain and settings.platform is None else settings.platform
    return readings(source, roles, platform, TextForm.of(settings), sheet=settings.sheet)


def asked(source: Any, settings: ReadConfig) -> dict[str, int]:
    """The questions that a source holds, in the order of their names, and the rows (or answers) of each.

    Rows without a question count as those of the question "". Of exports, they are those with fixed answers.

    Raises
    ------
    FormatError
        A source can't be read, the column is missing, or it holds too many values.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if export_questions.are_meant(source, settings):
        return dict(export_questions.asked(source, settings).counts)
    found: dict[str, int] = {}
    shape = Shape(settings)
    if settings.by is None:
        named = shape.named({"item": settings.item, "worker": settings.worker})
        with closing(opened(source, shape.roles(Roles(named)), settings)) as each:
            for reading in each:
                names = {role: name for role, name in reading.columns.items() if role.startswith(CELL)}
                for block in reading.blocks:
                    for role, name in names.items():
                        filled = pc.not_equal(as_text(block.columns[role]), "")
                        found[name] = found.get(name, 0) + (pc.sum(filled).as_py() or 0)
        return {name: found[name] for name in sorted(found, key=str.encode)}
    with closing(opened(source, Roles({}), settings)) as each:
        for reading in each:
            for block in reading.blocks:
                cells = pc.fill_null(as_text(block.columns[BY]), "")
                held = pc.value_counts(cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells)
                for one in held.to_pylist():
                    found[one["values"]] = found.get(one["values"], 0) + one["counts"]
                if len(found) > MOST:
                    raise FormatError(
                        f"{quoted(settings.by)} holds more than {MOST:,} values; --by is for a column "
                        "of questions: name another, or read one of them with --only",
                        reading.file,
                    )
    dropped = {one.removeprefix(f"{settings.by}=") for one in settings.drop if one.startswith(f"{settings.by}=")}
    return {name: found[name] for name in sorted(found, key=str.encode) if name not in dropped}


def covered(source: Any, by: str | None, names: Iterable[str]) -> set[str]:
    """The questions of these ``names`` that a file of gold or votes speaks of: its column of questions, or its columns.

    Raises
    ------
    FormatError
        It can't be read.
    """
    if by == export_questions.BY and export_questions.are_meant(source, settings := ReadConfig.of(None, by=by)):
        return set(names) & set(export_questions.asked(source, settings).kinds)
    headers: list[set[str]] = []
    with closing(readings(source, listing := Listing({}))) as each:
        for reading in each:
            reading.blocks.close()
            headers.append(set(listing.header))
    if by is not None and all(by in header for header in headers):
        return set(names) & set(asked(source, ReadConfig.of(None, by=by)))
    return {name for name in names if all(name in header for header in headers)}


def told(source: Any, settings: ReadConfig) -> str:
    """That several questions can't be read as one."""
    names = [name for name in asked(source, settings) if name]
    if not names:
        where = f"the column {quoted(settings.by)}" if settings.by is not None else "--wide or --questions"
        return f"settings: {where} holds no question; name another column"
    where = (
        f"{quoted(settings.by)} holds" if settings.by is not None else "there is" if len(names) == 1 else "there are"
    )
    where = "the export asks" if export_questions.are_meant(source, settings) else where
    questions = counted(len(names), "question")
    return f"{where} {questions}: {listed(names)}; name one with --only, or do each by itself with consensus run"
