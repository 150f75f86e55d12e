"""Results of Mechanical Turk: the batch results of its web site (CSV), and those of its old command line tools (tabs).

An assignment is a row, which may end before its header does. Assumed is:

- An item is what ``Input.`` columns show: the first of those that tell apart what all of them tell apart, ids, names of
  files and addresses before others; two of them, if it takes two; else the HIT. A batch that was published again has
  other HITs for the same things.
- HITs of several items number the columns of inputs and answers alike (``Input.url_3``, ``Answer.mood_3``), or begin
  the name of an answer with the item (``Answer.123_mood``), as requesters of the command line tools did. The seconds
  and the reward of an assignment are shared evenly by its items. A numbered answer that is named (``mood_3``) is one
  about the whole HIT.
- A question may be a column (``Answer.mood``, ``Answer.mood.label``), a column an option that holds true or false
  (``Answer.mood.good``), or JSON (``Answer.taskAnswers``). Several ticks, also between ``|``, are one label: a set, in
  order. A single box is "on" or "off"; it is off where the worker answered anything else.
- Read is the only question with fixed answers, or the only one there is. Other answers are abstains if they are empty.
- Assignments that were rejected, or have a reason in ``Reject``, are rejects. Those that were approved, or are yet to
  be reviewed, count.
- Times are those of the zone that they name: of America, UTC or GMT.
- What a requester wrote to a worker, and whatever else is not named here, is not read.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from pathlib import PurePath
from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.formats.platforms import mturk_answers, questions, records
from consensus.formats.platforms.mturk_answers import ANSWER, INPUT, NOT_TICKED, Answers, Layout
from consensus.formats.platforms.named_columns import refuse_hidden
from consensus.formats.platforms.records import Judged, Table
from consensus.formats.tables.roles import KEEP, listed, missing
from consensus.formats.tables.streams import displayed
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from consensus.formats.platforms.seam import Head
    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

NAME = "mturk"
TITLE = "Mechanical Turk results file"
IDS = ("hitid", "assignmentid", "workerid")
OTHERS = {
    *("hittypeid", "assignmentstatus", "accepttime", "submittime", "approvaltime", "autoapprovaltime", "rejectiontime"),
    *("worktimeinseconds", "lifetimeapprovalrate", "requesterannotation", "maxassignments", "assignmentaccepttime"),
    *("assignmentsubmittime", "assignmentapprovaltime", "reward"),
}
"""Names of columns of the platform, in small letters: those of the command line tools have no others."""
LEAST = 2  # of these make results of a table with the three ids and an answer
TIMES = ("submittime", "assignmentsubmittime")
BEGINS = "assignmentaccepttime"
ZONES = {"UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
REJECTED = "the assignment was rejected"
LIKE_IDS = re.compile(
    r"(?i:(^|[^a-z])(ids?|uid|key|url|uri|link|image|img|video|audio|file|filename)([^a-z]|$))|[a-z](Id|ID|Url|URL)\b"
)
DECIMAL = re.compile(r"[+-]?\d*\.\d+")
MOST_PAIRED = 12  # input columns of which pairs are looked at


@dataclass(frozen=True, slots=True)
class Work:
    """What a file holds."""

    path: Path
    table: Table
    lines: list[int]
    rows: list[dict[str, str]]
    """The cells of each row that are not empty."""
    faults: dict[int, str]
    """Why rows can't be used, by their position."""
    answers: Answers
    layout: Layout
    known: dict[str, str]
    """The column by its name in small letters, as the platform calls it."""

    def column(self, *names: str) -> str | None:
        """The column of the platform that has one of the names."""
        return next((self.known[name] for name in names if name in self.known), None)


def sniff(head: Head) -> bool:
    """Whether a file holds results: by the names of its columns."""
    if ANSWER.encode() not in head.start:
        return False
    names = {name.lower() for name in head.columns}
    has_answers = any(name.startswith(ANSWER) for name in head.columns)
    return has_answers and names.issuperset(IDS) and len(names & OTHERS) >= LEAST


def read(path: Path, roles: Roles, form: TextForm = PLAIN) -> Reading:
    """The judgments of the results on one question.

    Raises
    ------
    FormatError
        The file can't be read or holds no results, it asks several questions and none is named, or a named column is
        missing.
    """
    work = _work(path, form)
    alone = _short(roles.named.get("label") or "")
    if alone in work.answers.names():  # about the whole HIT, whatever its number
        work.layout.columns.setdefault(alone, {"": alone})
    kinds = mturk_answers.kinds_of(work.answers, work.layout)
    question = _question(work, kinds, roles)
    columns, items = _columns(work, question, roles)
    judged = list(_judged(work, columns, items, question, kinds[question]))
    return records.reading(
        path,
        judged,
        tuple(columns),
        digest=work.table.digest,
        platform=TITLE,
        columns=columns,
        header=work.table.names,
        note=lambda: _note(work, columns, question, kinds),
    )


def _work(path: Path, form: TextForm) -> Work:
    table = Table.of(path, form)
    known = {name.lower(): name for name in reversed(table.names)}
    for name in IDS:
        if name not in known or not any(one.startswith(ANSWER) for one in table.names):
            missing = name if name not in known else f"{ANSWER}NAME"
            raise FormatError(f"this is no {TITLE}, for it has no column {missing}; read it with --platform none", path)
    lines, rows, faults = [], [], {}
    for n, row in enumerate(table.rows()):
        lines.append(row.line)
        rows.append({name: cell for name, cell in row.cells.items() if cell.strip()})
        if row.fault:
            faults[n] = row.fault
        elif (
            rows[-1].get(known.get("assignmentstatus", ""), "").lower() == "rejected" or known.get("reject") in rows[-1]
        ):
            faults[n] = REJECTED
    answers = mturk_answers.answers_of(table.names, rows)
    hits = [row.get(known["hitid"], "") for row in rows]
    return Work(path, table, lines, rows, faults, answers, mturk_answers.layout_of(answers, table.names, hits), known)


def _question(work: Work, kinds: Mapping[str, str], roles: Roles) -> str:
    """The question that is meant."""
    named = roles.named.get("label")
    if named is not None:
        named = _short(named) if _short(named) in kinds else named
        if roles.lenient and named not in kinds:
            named = None
    if named is None and len(kinds) == 1:
        return next(iter(kinds))
    return questions.chosen(work.path, TITLE, kinds, named)


def _short(label: str) -> str:
    """The question of a column of answers."""
    return re.sub(r"\.labels?$", "", label.removeprefix(ANSWER))


def _columns(work: Work, question: str, roles: Roles) -> tuple[dict[str, str], Mapping[str, Sequence[str]]]:
    """The column of each role; and of what items are made: by key of an item, the columns that name it."""
    item, by_key = _items(work, question)
    given: dict[str, str] = {}
    for role, name in roles.named.items():
        if name is None or role == "label" or (role == "item" and name == item):
            continue
        by_item = role == "item" or role.startswith(KEEP)
        known = [*work.table.names, *(work.layout.inputs if by_item else ())]
        full = next((one for one in (name, INPUT + name, ANSWER + name) if one in known), None)
        if full is not None:
            given[role] = full
        elif not roles.lenient:
            raise FormatError(f"{missing(known, role, name)}", work.path)
    kept = {role: name for role, name in given.items() if role.startswith(KEEP)}
    refuse_hidden(kept, [*filter(mturk_answers.is_comment, work.table.names)], work.path, TITLE)
    if "item" in given:
        one_each = work.layout.inputs.get(given["item"], {})
        by_key = {key: [one_each.get(key, given["item"])] for key in by_key}
    columns = {"item": item, "worker": work.known["workerid"], "label": _shown(work, question)}
    found = {
        "timestamp": work.column(*TIMES),
        "duration": work.column("worktimeinseconds", BEGINS),
        "price": work.column("reward"),
    }
    columns |= {role: name for role, name in found.items() if name is not None}
    return {**columns, **given}, by_key


def _shown(work: Work, question: str) -> str:
    """The question as its column is called, if it has one of its own."""
    names = (f"{ANSWER}{question}", f"{ANSWER}{question}.label")
    return next((name for name in names if name in work.table.names), question)


def _items(work: Work, question: str) -> tuple[str, dict[str, list[str]]]:
    """What the items are called, and the columns that name each; none where the key itself does."""
    layout, hit = work.layout, work.known["hitid"]
    keys = layout.columns[question]
    if layout.in_names and "" not in keys:
        return f"in the names of columns {ANSWER}ITEM_{question}", {key: [] for key in keys}
    inputs: dict[str, dict[str, str]] = layout.inputs
    if "" in keys:
        inputs = {name: {"": name} for name in work.table.names if name.startswith(INPUT)}
    names = _telling(work, inputs)
    return " and ".join(names or [hit]), {key: [inputs[name][key] for name in names] or [hit] for key in keys}


def _telling(work: Work, inputs: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The input, or the two, that tell apart what all of them do; none if there are none."""
    shown: dict[tuple[str, ...], None] = {}
    for row in work.rows:
        for key in next(iter(inputs.values()), ()):
            shown.setdefault(tuple(row.get(columns[key], "") for columns in inputs.values()))
    things = [one for one in shown if any(one)]
    names = list(inputs)
    decimal = [any(DECIMAL.fullmatch(one[n]) for one in things) for n in range(len(names))]
    order = sorted(range(len(names)), key=lambda n: (decimal[n], not LIKE_IDS.search(names[n].removeprefix(INPUT))))
    for several in [*combinations(order, 1), *combinations(order[:MOST_PAIRED], 2)]:
        if things and len({tuple(one[n] for n in several) for one in things}) == len(things):
            return [names[n] for n in sorted(several)]
    return []


def _judged(
    work: Work, columns: Mapping[str, str], items: Mapping[str, Sequence[str]], question: str, kind: str
) -> Iterator[Judged]:
    """The judgments of all rows."""
    names = work.layout.columns[question]
    in_names = work.layout.in_names and "" not in names
    asked = _asked(work, names) if in_names else {}
    inputs = {role: work.layout.inputs[name] for role, name in columns.items() if name in work.layout.inputs}
    one_each = {role: one for role, one in inputs.items() if role.startswith(KEEP)}
    named_by = {tuple(columns) for columns in items.values()}
    alike = len(names) > 1 and len(named_by) == 1 and () not in named_by
    for n, (line, cells) in enumerate(zip(work.lines, work.rows, strict=True)):
        given = work.answers.rows[n]
        if in_names:
            keys = asked.get(cells.get(work.known["hitid"], ""), [])
        else:
            keys = [key for key in names if any(one in cells for one in items[key])]
        own = _own(work, columns, cells, len(keys))
        for key in keys or [""]:
            item = " | ".join(cells[one] for one in items.get(key, ()) if one in cells) or key or None
            item = f"{item}#{key}" if alike else item
            label = questions.joined(given.get(names.get(key, ""), ()))
            if label is None and kind == questions.TICK and given:
                label = NOT_TICKED
            own |= {role: cells.get(each.get(key, "")) for role, each in one_each.items()}
            yield Judged(line, {**own, "item": item, "label": label}, work.faults.get(n, ""))


def _asked(work: Work, names: Mapping[str, str]) -> dict[str, list[str]]:
    """The items of each HIT, where answers name them: those that anybody said anything about."""
    key_of = {name: key for columns in work.layout.columns.values() for key, name in columns.items() if key in names}
    found: dict[str, dict[str, None]] = {}
    for cells, given in zip(work.rows, work.answers.rows, strict=True):
        hit = cells.get(work.known["hitid"], "")
        found.setdefault(hit, {}).update((key_of[name], None) for name in given if name in key_of)
    return {hit: list(keys) for hit, keys in found.items()}


def _own(work: Work, columns: Mapping[str, str], cells: Mapping[str, str], n_items: int) -> dict[str, str | None]:
    """The cells of an assignment by role, but for items and labels; what it took and cost by item."""
    found = {role: cells.get(name) for role, name in columns.items() if role not in {"item", "label"}}
    if "timestamp" in found:
        found["timestamp"] = _utc(found["timestamp"])
    if BEGINS in work.known and columns.get("duration") == work.known[BEGINS]:
        found["duration"] = _seconds(found["duration"], cells.get(work.column(*TIMES) or ""))
    if found.get("price"):
        found["price"] = re.sub(r"[$\s]|USD", "", found["price"] or "")
    for role in {"duration", "price"}.intersection(found) if n_items > 1 else ():
        found[role] = _shared(found[role], n_items)
    return found


def _shared(amount: str | None, n_items: int) -> str | None:
    """An amount of an assignment for one of its items; what is no number stays, to be told."""
    try:
        return None if amount is None else repr(float(amount) / n_items)
    except ValueError:
        return amount


def _seconds(begin: str | None, end: str | None) -> str | None:
    try:
        times = [datetime.datetime.fromisoformat(_utc(one) or "") for one in (begin, end)]
        return str((times[1] - times[0]).total_seconds())
    except (ValueError, TypeError):  # one of them without its zone, too
        return None


def _utc(text: str | None) -> str | None:
    """A time in ISO 8601, such as that of ``Sat Mar 09 19:17:00 PST 2024``; what is none stays, to be told."""
    if text is None:
        return None
    for pattern, form in (
        (r"\s*\w+ (\w+ \d+ [\d:]+) (\w+) (\d+)\s*", "%b %d %H:%M:%S %Y"),
        (r"\s*(\d+-\d+-\d+ [\d:]+) (\w+)()\s*", "%Y-%m-%d %H:%M:%S"),
    ):
        found = re.fullmatch(pattern, text)
        if found and found[2] in ZONES:
            try:
                local = datetime.datetime.strptime(f"{found[1]} {found[3]}".strip(), form)
                zone = datetime.timezone(datetime.timedelta(hours=ZONES[found[2]]))
                return local.replace(tzinfo=zone).astimezone(datetime.UTC).isoformat()
            except (ValueError, OverflowError):  # of a day that is none, or the last one of the year 9999
                continue
    return text


def _note(work: Work, columns: Mapping[str, str], question: str, kinds: Mapping[str, str]) -> str:
    """What was understood, in a line."""
    label = questions.described(question, kinds[question])
    said = [
        f"{PurePath(displayed(work.path)).name} is a {TITLE}: item {columns['item']}, worker {columns['worker']}, "
        f"label {label}"
    ]
    keys = work.layout.columns[question]
    if "" not in keys:
        where = counted(len(keys), "column")
        where = f"items named in {where}" if work.layout.in_names else f"up to {counted(len(keys), 'item')}"
        said.append(f"a HIT asks about several items ({where}), which share its seconds and its reward evenly")
    if kinds[question] == questions.TICK:
        said.append(f"a box without a tick is the label {NOT_TICKED}")
    others = [name for name, kind in kinds.items() if name != question and kind in questions.CLOSED]
    if others:
        said.append(f"other questions, for --label, or all with --by question: {listed(others, 5)}")
    told = Counter(work.faults.values())
    if told[REJECTED]:
        said.append(f"assignments left out as rejected: {told[REJECTED]:,}")
    return "; ".join([*said, "--platform none reads it as a plain table"])
