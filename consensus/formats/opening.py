"""Sources to readings: who reads each file, and what is said where its columns can't be told."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError, FormatError
from consensus.formats import platforms, sources, steady
from consensus.formats.platforms import judge_panels
from consensus.formats.recorded import Recorded
from consensus.formats.tables import frames, likely_columns, spreadsheets, table_shapes
from consensus.formats.tables.by_column import ByRoles, only
from consensus.formats.tables.file_kinds import is_spreadsheet, reader_of
from consensus.formats.tables.listing import Listing
from consensus.formats.tables.roles import ColumnError
from consensus.formats.tables.text_form import PLAIN
from consensus.formats.tables.wide import WideRoles

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from consensus.formats.platforms.seam import Platform
    from consensus.formats.sources import File
    from consensus.formats.tables.blocks import Block, Reading
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm


def readings(
    source: Any,
    roles: Roles,
    platform: str | None = platforms.NONE,
    form: TextForm = PLAIN,
    *,
    sheet: str | None = None,
    question: tuple[str | None, str] | None = None,
) -> Generator[Reading]:
    """A reading of each file, or of the frame; of exports of a ``platform``, or by their content if it is None.

    The ``form`` is what is known of how text files are written. Of spreadsheets, the ``sheet`` is read, or the first
    one with a table if it is None. Of a source that has the column that a ``question`` names, only its rows are read.

    Each must be read before the next one is asked for. To be closed: what was unpacked is removed then.

    Raises
    ------
    ConfigError
        There is no such platform, or a frame shall be its export.
    FormatError
        A source can't be read, or a column can't be found.
    """
    if isinstance(source, Recorded):
        yield from source.readings()
        return
    chosen = None if platform is None else platforms.named(platform)
    by, value = question or (None, "")
    if by is not None:
        roles = ByRoles.beside(roles, by, optional=True)
    with sources.opened(source) as found:
        if found is None:
            if chosen is not None:
                raise ConfigError(
                    f'setting platform = "{chosen.NAME}": a data frame is a plain table; give the file itself'
                )
            yield only(_framed(source, roles), value, by)
            return
        chosen_files = () if isinstance(source, sources.Opened) else found.notes
        for file in found.files:
            with sources.named(file):
                before = steady.seen(file.path)
                known = _platform_of(file.path) if platform is None else chosen
                if known is None:
                    reading = _opened(_reader(file.path, form, sheet), roles, len(found.files))
                else:
                    reading = known.read(file.path, roles, form)
                reading = steady.watched(reading, file.path, before)
            reading = reading if file.shown == reading.file else _called(reading, file)
            yield only(_noted(reading, chosen_files), value, by)
            chosen_files = ()


def _platform_of(path: Path) -> Platform | None:
    """The platform whose export a file is.

    Raises
    ------
    FormatError
        It holds verdicts of models.
    """
    head = platforms.head_of(path)
    kind = judge_panels.kind_of(head)
    if kind:
        raise judge_panels.refusal(path, kind)
    return platforms.recognised(head)


def columns_of(path: Path, form: TextForm = PLAIN) -> list[str]:
    """Names of the columns of a file (the keys of its first objects, in JSON lines); its rows are not read.

    Of a folder or archive, those of its first file.

    Raises
    ------
    FormatError
        The file can't be read.
    """
    with sources.opened(path) as found:
        assert found is not None
        file = found.files[0]
        head = platforms.head_of(file.path)
        if platforms.recognised(head) is not None:
            return head.columns
        listing = Listing({})
        with sources.named(file):
            _reader(file.path, form)(listing)
        return listing.header


def _reader(path: Path, form: TextForm, sheet: str | None = None) -> Callable[[Roles], Reading]:
    """Who reads a file.

    Raises
    ------
    FormatError
        Its kind is unknown, or a sheet is named and it has none.
    """
    reader = reader_of(path, form)
    if sheet is None:
        return reader
    if not is_spreadsheet(path):
        raise FormatError("this is no spreadsheet, so it has no sheets; leave out --sheet", path)
    return partial(spreadsheets.read, path, sheet=sheet)


def _opened(reader: Callable[[Roles], Reading], roles: Roles, n_files: int = 1) -> Reading:
    """A reading for ``roles`` of one of ``n_files``; where columns are not found, the error lists those that could be
    meant.
    """  # noqa: D205
    try:
        return reader(roles.settled(reader) if isinstance(roles, WideRoles) else roles)
    except ColumnError as error:
        told = likely_columns.message(error, reader, roles)
        if not isinstance(roles, WideRoles):
            told = table_shapes.offered(error, reader, told)
        if n_files > 1 and error.missing.get("worker") == []:
            told += "; if each file holds the judgments of one worker: --worker-from-file"
        found = FormatError(told).about(error)
    raise found


def _framed(frame: Any, roles: Roles) -> Reading:
    """A reading of a frame.

    Raises
    ------
    FormatError
        A column can't be found, perhaps because it is the index.
    """
    try:
        return _opened(partial(frames.read_frame, frame), roles)
    except FormatError as error:
        if not (index := frames.about_index(frame)) or error.code != "column_not_found":
            raise
        raise FormatError(f"{error}{index}").about(error) from None


def _noted(reading: Reading, notes: Sequence[str]) -> Reading:
    """A reading that is told with ``notes`` about the sources."""
    if not notes:
        return reading
    return replace(reading, form_notes=lambda: [*notes, *reading.form_notes()])


def _called(reading: Reading, file: File) -> Reading:
    """A reading of a file that is called otherwise than it lies."""

    def blocks() -> Generator[Block]:
        with sources.named(file), closing(reading.blocks) as inner:
            for block in inner:
                rejects = [replace(one, file=file.shown) for one in block.rejects]
                yield replace(block, rejects=rejects) if rejects else block

    told = reading.not_utf8
    return replace(
        reading,
        file=file.shown,
        blocks=blocks(),
        gold=None if reading.gold is None else _called(reading.gold, file),
        note=lambda: reading.note().replace(reading.file, file.shown),
        form_notes=lambda: [one.replace(reading.file, file.shown) for one in reading.form_notes()],
        not_utf8=None if told is None else lambda: told().replace(reading.file, file.shown),
    )
