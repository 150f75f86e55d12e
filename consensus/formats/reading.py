"""Tables to ``Judgments`` and ``Gold``: whatever the source, one set of rules for what is used and what is rejected."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from consensus.backends import Threads
from consensus.config import FitConfig, ReadConfig
from consensus.errors import ConfigError, FormatError
from consensus.formats import export_questions, given, passed_over, platforms, questions, repeats_alarm, sources, steady
from consensus.formats.gathered import Gathered, GoldRows
from consensus.formats.gold_columns import HEADERLESS, GoldRoles, is_file_of, without_names
from consensus.formats.judgment_roles import roles_of
from consensus.formats.label_map import renaming_of
from consensus.formats.opening import columns_of, readings
from consensus.formats.recorded import Recorded
from consensus.formats.repeats_alarm import Identities
from consensus.formats.tables.coded_rows import NO_TEXT
from consensus.formats.tables.explaining_column import explained
from consensus.formats.tables.keeping import Keeping
from consensus.formats.tables.roles import AMOUNTS, NAMED_ONLY, NUMBERS, Roles
from consensus.formats.tables.row_choice import RowChoice
from consensus.formats.tables.text_form import TextForm
from consensus.formats.tables.wide import COUNTED, Shape
from consensus.inputs import (
    encoding_notices,
    item_columns,
    label_notices,
    label_order,
    look_alike_notices,
    pseudonyms,
    row_order,
)
from consensus.inputs.coding import encode
from consensus.inputs.gold import Gold
from consensus.inputs.renaming import Renaming

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.coded_rows import Progress
    from consensus.formats.tables.explaining_column import Explanation
    from consensus.formats.tables.understanding import Understanding
    from consensus.inputs.judgments import Judgments

    Coded = tuple[NDArray[np.int32], pa.StringArray]


def read(
    source: Any,
    config: ReadConfig | None = None,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Judgments:
    """Read judgments.

    Parameters
    ----------
    source
        A path (CSV, TSV, JSON, Parquet, spreadsheets, told by their content; text may be compressed), a folder or
        archive (.zip) of these, "-" for standard input, a file that is open, or a list of these; or a pandas, polars
        or Arrow table, or a mapping of columns. Ids and labels stay text as written.
    config
        Settings; the defaults suit all data whose columns have usual names.
    threads
        How many threads read; by default as many as there are cores. The result does not depend on it.
    progress
        Is called with a stage, such as "reading judgments.csv" or "sorting", and the fraction of it that is done.
    **settings
        Fields of ``ReadConfig``:

        item, worker, label, timestamp, duration, price_column
            Columns, where the names do not tell (``roles.NAMES``). Those of the time of the judgment, the seconds it
            took and the money paid for it are optional. The last two hold numbers, 0 or more; one that is found by its
            name is passed over in sources where more than half of its filled cells hold something else.
        time_format
            How times are written, where the column does not tell: "month-first", "day-first", "year-first", "excel",
            "epoch", or a pattern of ``strptime``. Times without a zone are UTC.
        group
            Column of the batch, topic or HIT that a judgment belongs to, as text. Only read when named; then every
            source must have it. Where the cell is empty, the judgment is in no group.
        weight, cluster
            Columns of the item's weight (a number above 0: it counts as so many items) and of its cluster (picture,
            document, dialogue), whose items err together. Only read when named; then every source must have them, and
            the rows of an item must agree. Where the cell of the cluster is empty, the item stands for itself.
        repeats
            Which judgment counts when a worker judged an item twice: the "last" or "first" in time (without
            timestamps, in row order), "keep" both, or "error". Where most judgments would give way, it must be given.
        anonymous
            Workers who stand for many people, such as "guest": each judgment of theirs counts as one of a person of its
            own, and none of these persons is audited. Names that say so, such as "not-logged-in", are taken so where
            they judged an item several times and ``repeats`` is not given. With "", also rows without a worker.
        keep
            Columns that are carried to the labels as they are, such as a text or an address: of each item, the first
            value in the order of rows.
        drop
            Rows to leave out, such as "AssignmentStatus=Rejected"; with nothing behind the sign, rows whose cell is
            empty.
        worker_from_file
            The worker is the name of the file without its ending.
        drift_by
            What tells who changed: "time", or, where there are no times, "rows", whose order is then taken for that in
            time. "auto" does the latter only if they are a million at most, and not sorted by item, worker or label.
        encoding, delimiter, no_header
            How text files are written, where their content does not tell: the encoding of those that are not UTF-8,
            such as "cp1252"; what stands between fields, one character; that they have no header, so that their columns
            are called "column 1", "column 2" and so on.
        abstain
            Labels that mean "no answer". An absent label (an empty CSV field without quotes, a null) always does.
        fold
            Which of "labels", "workers" and "items" are folded: texts that differ only by case, spaces, Unicode form, a
            trailing dot, the form of a number or, in labels, quotes, an underscore for a space or the order of a list
            are one.
        label_map
            File of what labels become, with columns from and to; labels that it does not name stay.
        platform
            Whose export the files are, such as "crowdflower"; "none" reads them as plain tables. By default their
            content tells. An export brings its columns, its gold (``Judgments.gold``) and what models say in it
            (``Judgments.model_votes``), and ``Judgments.notes`` says what was understood.
        sheet
            Sheet of a spreadsheet; by default the first one that holds a table.
        by, only
            Column of the question, where a table holds several, and the one that is read (``run_by`` does each). Of an
            export, the column is called "question", and may be left out.
        wide, wide_columns, questions, counts
            What columns hold beside the item: "workers", "questions" or "counts" of labels, and which these are, if not
            those that look like it; columns of questions, of which ``only`` is read; or the column of how many people
            gave the label. What is counted is by a person of its own, and nobody of them is audited.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range, such as ``threads=0``, or the platform is.
    FormatError
        A source can't be read, or a column can't be found; or nothing tells whether times have the month or the day
        first.
    JudgmentError
        ``repeats`` is "error" and a worker judged an item twice; or it is not given and most judgments give way; or
        the rows of an item name different weights or clusters.

    Examples
    --------
    >>> consensus.read("judgments.csv", label="label").n_workers
    3
    """
    chosen = ReadConfig.of(config, **settings)
    source = given.table(source, given.JUDGMENTS)
    backend = Threads(FitConfig.of(None, threads=threads).threads)
    with sources.opened(source) as found:
        one = source if found is None else found
        return _judgments(one, export_questions.settled(one, chosen), backend, progress)


def _judgments(source: Any, settings: ReadConfig, backend: Threads, progress: Progress | None) -> Judgments:
    """What ``read`` returns."""
    if settings.are_several:
        raise ConfigError(questions.told(source, settings))
    choice, keeping, shape = RowChoice(settings), Keeping(settings), Shape(settings)
    roles = roles_of(settings)
    coded = [role for role in NAMED_ONLY if role not in NUMBERS and getattr(settings, role) is not None]
    renaming = renaming_of(settings)
    gathered = Gathered(settings, roles, (*coded, *keeping.roles), backend, progress)
    gathered.notes += source.notes if isinstance(source, (sources.Opened, Recorded)) else ()
    for n, opened in enumerate(questions.opened(source, shape.roles(roles), settings)):
        one = shape.of(keeping.of(choice.of(opened)))
        gathered.add(source.choose(n, one) if isinstance(source, Recorded) else one)
    if not gathered.n_read + choice.n_dropped:
        raise FormatError(
            "a header but no rows; expected one judgment in each row", gathered.files[0], code="empty_file"
        )
    if progress is not None:
        progress("sorting", 0.0)
    counted = (COUNTED,) if shape.is_counted else ()
    found, people = _encoded(gathered, settings, renaming, counted, backend, keeping)
    judgments = label_order.as_declared(found.judgments, gathered.label_orders)
    if progress is not None:
        progress("sorting", 1.0)
    understood, unused = gathered.understanding.of(judgments)
    if not gathered.of_platforms:  # whose readers know what their columns say
        gathered.notes += passed_over.notes(understood, (*unused, *keeping.names))
    judgments = _told(judgments, gathered, settings, () if gathered.of_platforms else unused)
    n_read = gathered.n_read + choice.n_dropped
    judgments = replace(
        judgments,
        tally=replace(judgments.tally, read=n_read, rejected=len(gathered.rows.rejects), dropped=choice.n_dropped),
        notes=(*gathered.said(settings), *choice.notes(), *keeping.notes, *people.note(judgments)),
        understood=understood,
        unused=unused,
        anonymous=people.names,
        cautions=(
            *choice.notices(),
            *passed_over.headers_within(judgments, understood),
            *gathered.clock.notices(settings.time_format),
            *people.notices,
            *people.missing(gathered.rows.rejects, n_read),
            *encoding_notices.of(gathered.rows.not_utf8),
            *(pseudonyms.notices(judgments.worker_ids) if settings.pseudonyms is None else ()),
            *label_notices.of_labels(judgments),
            *look_alike_notices.of_names(judgments),
            *label_notices.of_files(found.label, judgments.labels, gathered.rows.files()),
        ),
        renaming=renaming or Renaming(),
    )
    look = partial(_explained, source, settings, gathered.understanding, (*unused, *keeping.names))
    has_others = shape.is_plain and not isinstance(source, Recorded)  # of which only what is used was kept
    may_refuse = not (isinstance(source, Recorded) and source.is_begun)
    return repeats_alarm.checked(judgments, settings, look if has_others else lambda: None, may_refuse)


class _Encoded(NamedTuple):
    """Judgments, and the labels of the rows that they come from."""

    judgments: Judgments
    label: NDArray[np.int32]
    """(rows,) code of the label, -1 where there is none."""


def _encoded(
    gathered: Gathered,
    settings: ReadConfig,
    renaming: Renaming | None,
    counted: tuple[str, ...],
    backend: Threads,
    keeping: Keeping,
) -> tuple[_Encoded, Identities]:
    """The judgments of all rows, and who of their workers stand for many people."""
    rows, clock = gathered.rows, gathered.clock
    absent = {"label": settings.abstain, **dict.fromkeys((*NAMED_ONLY, *keeping.roles), NO_TEXT)}
    items, workers, labels, *others = rows.ranked(absent)
    if renaming is not None:
        coded = {"items": items, "workers": workers, "labels": labels}
        renamed, done = renaming.applied(coded, settings.abstain)
        items, workers, labels = renamed["items"], renamed["workers"], renamed["labels"]
        gathered.notes += done
        settings = settings.model_copy(update={"anonymous": tuple(renaming.workers(settings.anonymous, workers[1]))})
        counted = tuple(renaming.workers(counted, workers[1]))
    people = Identities(settings, items, workers, labels[0], (*counted, *gathered.anonymous))
    columns: dict[str, NDArray[Any]] = {role: found for role in AMOUNTS if (found := rows.beside(role)) is not None}
    group_ids = None
    if settings.group is not None:
        columns["group"], group_ids = others.pop(0)
    gathered.notes += clock.notes()
    when = rows.beside("timestamp")
    gathered.notes += row_order.notes(settings.drift_by, when is not None)
    columns |= row_order.numbers(settings.drift_by, when is not None, rows.n_rows)
    of_items = _of_items(gathered, settings, items, others)  # before codes are sorted where they are
    of_items["kept"] = keeping.found(others, items[0], len(items[1]))
    judgments = encode(
        items, workers, labels, when, beside=columns, repeats=people.rule, locate=rows.place, backend=backend
    )
    judgments = row_order.guessed(judgments, settings.drift_by)
    return _Encoded(replace(judgments, group_ids=group_ids, **of_items), labels[0]), people


def _of_items(gathered: Gathered, settings: ReadConfig, items: Coded, others: list[Coded]) -> dict[str, Any]:
    """The weight and the cluster of each item, where their columns are named; that of the latter is taken from the
    ``others`` that are coded.
    """  # noqa: D205
    found: dict[str, Any] = {}
    rows = gathered.rows
    if settings.weight is not None:
        weight = rows.beside("weight")
        known = np.full(rows.n_rows, np.nan) if weight is None else weight
        found["weight"] = item_columns.weights(known, items, rows.place)
    if settings.cluster is not None:
        coded = others.pop(0)
        found["cluster"], notes = item_columns.clusters(coded, items, rows.place)
        found["cluster_ids"] = coded[1]
        gathered.notes += notes
    return found


def _told(judgments: Judgments, gathered: Gathered, settings: ReadConfig, unused: tuple[str, ...]) -> Judgments:
    """The judgments, and what else the sources gave."""
    rows = gathered.rows
    return replace(
        judgments,
        reading=settings,
        rejects=tuple(pseudonyms.shown(rows.rejects, settings, unused)),
        sources=tuple(rows.sources),
        unreadable_times=rows.n_unreadable["timestamp"],
        unreadable_time=gathered.clock.unreadable,
        time_format=" / ".join(gathered.clock.formats) or None,
        unreadable_amounts={role: rows.n_unreadable[role] for role in AMOUNTS if rows.n_unreadable[role]},
        gold=gathered.gold(),
        model_votes=gathered.votes(),
    )


def _explained(
    source: Any, settings: ReadConfig, understanding: Understanding, unused: tuple[str, ...]
) -> Explanation | None:
    """The column that would explain the repeats, by a second look at the source."""
    choice = RowChoice(settings)

    def opened(roles: Roles) -> Iterator[Reading]:
        all_roles = replace(roles, named={**roles.named, **choice.roles})
        return map(choice.of, questions.opened(source, all_roles, settings))

    coded = ("item", "label") if settings.worker_from_file else ("item", "worker", "label")
    roles = Roles({role: understanding.named(role) or getattr(settings, role) for role in coded})
    return explained(opened, roles, understanding.others(unused))


def read_gold(
    source: Any,
    *,
    item: str | None = None,
    label: str | None = None,
    named: Mapping[str, str | None] | None = None,
    platform: str | None = None,
    judgments: Judgments | None = None,
    encoding: str | None = None,
    question: tuple[str | None, str] | None = None,
) -> Gold:
    """Read gold labels: item and label; several rows of one item are several accepted labels.

    ``source`` is what ``read`` takes, or was read before; ``item`` and ``label`` name columns, which are found by their
    usual names where those do not exist; the columns of "item" and "label" that are ``named`` must exist. Rows without
    a label say nothing and are passed over. A file of two columns needs no header. Of the export of a ``platform`` (see
    ``read``), its test questions are the gold. If the source is the file of the ``judgments``, a column of it must be
    called gold, or be named. The ``encoding`` is that of files that are not UTF-8. Of several questions, ``question``
    names the column that tells them apart (or None) and the one that is meant: its rows are read, and a column that is
    called like it holds its gold.

    Raises
    ------
    ConfigError
        ``platform`` is unknown.
    FormatError
        A source can't be read, a column can't be found, a row is malformed, or there is no gold label at all.

    Examples
    --------
    >>> consensus.read_gold([{"item": "img0", "label": "cat"}])
    Gold(1 item, 1 label)
    """
    if isinstance(source, Gold):
        return source
    source = given.table(source, given.GOLD)
    gathered = GoldRows(Threads())
    files, exports, notes = [], [], list[str]()
    roles = GoldRoles(
        {"item": item, "label": label},
        strictly=named or {},
        among_judgments=is_file_of(source, judgments),
        question=None if question is None else question[1],
        judgments=judgments,
    )
    if any(roles.strictly.values()):  # columns that are named are those of a plain table
        platform = platforms.NONE
    with closing(_readings_of_gold(source, roles, platform, TextForm(encoding), question)) as found:
        for reading in found:
            exports.append(reading.platform)
            if reading.platform and reading.gold is None:
                raise FormatError(f"no gold in this {reading.platform}; name a table of item and label", reading.file)
            gathered.add(reading.gold or reading)
            files.append((reading.gold or reading).file)
            notes += reading.form_notes()
    for first in gathered.rows.rejects[:1]:  # a malformed row of gold is an error, not a reject: gold is trusted
        raise FormatError(f"{first.reason}: {first.row[:60]}; correct the gold", first.file, first.line, code="bad_row")
    gold = gathered.found(gathered.rows.sources, all(exports))
    if not gold.item:
        raise FormatError("no gold labels in it; expected an item and a label in every row", files[0])
    return replace(gold, notes=(*roles.notes, *notes))


def _readings_of_gold(
    source: Any, roles: GoldRoles, platform: str | None, form: TextForm, question: tuple[str | None, str] | None
) -> Generator[Reading]:
    """``readings``, or that of a file of two columns without a header."""
    if isinstance(source, (str, Path)) and Path(source).suffix.lower() in HEADERLESS and Path(source).is_file():
        before = steady.seen(Path(source))
        found = without_names(Path(source), columns_of(Path(source), form), roles, form)
        if found is not None:
            yield steady.watched(found, Path(source), before)
            return
    yield from readings(source, roles, platform, form, question=question)
