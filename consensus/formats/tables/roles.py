"""Which column holds what: found by name, or named by the user."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consensus.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

WEAK_NAMES: Mapping[str, tuple[str, ...]] = {
    "item": (
        "item_id",
        "hitid",
        "question_id",
        "subject_id",
        "subject_ids",
        "example_id",
        "sample_id",
        "image",
        "image_id",
        "document",
        "document_id",
        "doc_id",
    ),
    "worker": (
        "workerid",
        "annotator_name",
        "rater_id",
        "coder_id",
        "labeler_id",
        "labeller",
        "contributor_id",
        "participant",
        "participant_id",
        "user_name",
        "username",
        "completed_by",
    ),
    "label": ("choice", "verdict", "vote"),
}
"""Names that count where no column has another of the role: beside a task, an image is no second column of items."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "item": (
        "item",
        "task",
        "task_id",
        "unit",
        "unit_id",
        "question",
        "subject",
        "example",
        "hit_id",
        *WEAK_NAMES["item"],
    ),
    "worker": (
        "worker",
        "worker_id",
        "annotator",
        "annotator_id",
        "rater",
        "coder",
        "user",
        "contributor",
        "performer",
        "labeler",
        *WEAK_NAMES["worker"],
    ),
    "label": (
        "label",
        "answer",
        "response",
        "judgment",
        "rating",
        "annotation",
        "category",
        "class",
        *WEAK_NAMES["label"],
    ),
    "timestamp": (
        "timestamp",
        "created_at",
        "submitted_at",
        "submit_time",
        "judged_at",
        "assignment_submit_time",
        "assignmentsubmittime",
    ),
    "duration": (
        "duration",
        "seconds",
        "time_spent",
        "work_time",
        "work_time_in_seconds",
        "worktimeinseconds",
        "lead_time",
        "elapsed",
    ),
    "price": ("price", "payment", "cost", "paid", "reward"),
    "model": (
        "model",
        "model_id",
        "model_name",
        "model_version",
        "judge",
        "llm",
        "system",
        "classifier",
        "source_model",
    ),
    "probability": ("probability", "prob", "score", "confidence", "p"),
    "family": ("family", "model_family", "lineage"),
}
"""Names of the column of each role; case and leading underscores do not matter, a space or hyphen is an underscore. Of
several columns that could hold an optional role, the one named first here does."""

GOLD_NAMES = {**NAMES, "label": (*NAMES["label"], "truth", "true_label", "gold", "gold_label")}
"""Names in a file of gold or truth."""
ANY_NAME = frozenset(name for names in GOLD_NAMES.values() for name in names)
"""All names that are known."""
AMOUNTS = ("duration", "price")
"""Roles of columns of numbers that stand beside a judgment."""
NUMBERS = (*AMOUNTS, "weight")
"""Roles of columns of numbers."""
NAMED_ONLY = ("group", "weight", "cluster")
"""Roles whose columns are read only where they are named, and then must be there."""
OPTIONAL = {"timestamp", *AMOUNTS, "probability", "family", "available", "fee", "skills", "value", "colour", "region"}
DROP = "drop "
"""Begins the roles of columns that tell which rows are left out; one may have another role, too."""
KEEP = "kept "
"""Begins the roles of columns that are carried along. They decide nothing: another role may read the same column."""
OPTIONS = {
    "item": "--item",
    "worker": "--worker",
    "label": "--label",
    "timestamp": "--timestamp",
    "duration": "--duration",
    "price": "--price-column",
    "group": "--group",
    "weight": "--weight",
    "cluster": "--cluster",
    "count": "--counts",
}
"""The option that names the column of a role."""


class ColumnError(FormatError):
    """No column, or none of several, can be told to be that of a role."""

    def __init__(
        self, message: str, place: str, header: Sequence[str], missing: Mapping[str, list[str]], taken: set[str]
    ) -> None:
        super().__init__(message, code="column_not_clear" if any(missing.values()) else "column_not_found")
        self.file = place
        self.place, self.header, self.missing, self.taken = place, header, missing, taken
        """Where; all columns; the roles without a column, with those that could be meant; columns of other roles."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns to look for."""

    named: Mapping[str, str | None]
    """Role to the column that the user named for it, or None to find it by ``names``."""
    lenient: bool = False
    """A named column may be missing: then it is found by ``names`` (gold beside differently named judgments)."""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NAMES)
    options: Mapping[str, str] | None = None
    """Of a table beside judgments, the option that names the column of a role; None where there is none."""

    def positions(self, header: Sequence[str], place: str) -> dict[str, int]:
        """Position in ``header`` of the column of each role; optional ones may be missing.

        Raises
        ------
        FormatError
            A column is missing, or several could be meant.
        """
        found: dict[str, int] = {}
        missing: dict[str, list[str]] = {}
        by_name = {name for role, name in self.named.items() if name is not None and not role.startswith((DROP, KEEP))}
        for role, name in self.named.items():
            if name is not None and (name in header or not self.lenient):
                found[role] = _named(header, role, name, place)
                continue
            # a column that the user named for something else is not in question
            taken = by_name if self.is_guessed(role) else self.set_apart
            candidates = [n for n in candidates_of(header, self.names[role]) if header[n] not in taken]
            candidates = [n for n in candidates if _plain(header[n]) not in WEAK_NAMES.get(role, ())] or candidates
            if len(candidates) == 1:
                found[role] = candidates[0]
            elif role not in OPTIONAL:
                missing[role] = [header[n] for n in candidates]
            elif candidates:
                found[role] = min(candidates, key=lambda n: self.names[role].index(_plain(header[n])))
        for role, several in missing.items():
            message = _cannot_tell(header, role, several, place, (self.options or {}).get(role) if self.lenient else "")
            if self.lenient:
                raise FormatError(message)
            raise ColumnError(message, place, tuple(header), missing, {header[n] for n in found.values()})
        read = {position for role, position in found.items() if not role.startswith(DROP)}
        found = {role: position for role, position in found.items() if not (role.startswith(DROP) and position in read)}
        for role, position in found.items():
            if role.startswith(KEEP):
                continue
            others = (other for other in found if other != role and not other.startswith(KEEP))
            twice = [other for other in others if found[other] == position and {role, other} != {"group", "cluster"}]
            if twice:
                raise FormatError(f'column "{header[position]}" can\'t be both {role} and {twice[0]}', place)
        return found

    @property
    def set_apart(self) -> set[str]:
        """Columns that were named for the group, weight or cluster: they hold no items and ask no questions."""
        return {name for role in NAMED_ONLY if (name := self.named.get(role)) is not None}

    def is_guessed(self, role: str) -> bool:
        """Whether it is a role of numbers whose column is found by its name, and passed over if it holds others."""
        return role in AMOUNTS and self.named.get(role) is None


def candidates_of(header: Sequence[str], names: Collection[str]) -> list[int]:
    """Positions in ``header`` of the columns that have one of ``names``."""
    return [n for n, column in enumerate(header) if _plain(column) in names]


def any_known(header: Sequence[str]) -> bool:
    """Whether some column has a name that tells a role."""
    return bool(candidates_of(header, ANY_NAME))


def way_out(role: str) -> str:
    """What to do about a column of ``role`` that holds no single values."""
    if role.startswith(KEEP):
        return "leave it out of --keep"
    return f"choose another with {OPTIONS[role]}" if role in OPTIONS else "give one value a row"


def missing(header: Sequence[str], role: str, name: str, kind: str = "column") -> str:
    """What to say of a column that was named for a role and is not there."""
    purpose, option, most = f"the {role}", OPTIONS.get(role, "it"), 20
    if role.startswith((DROP, KEEP)):
        purpose, option = ("--drop" if role.startswith(DROP) else "--keep"), "it"
    if role.startswith(KEEP):  # it may be any of them
        most = 100
    return f'no {kind} "{name}" for {purpose}; the {kind}s are: {listed(header, most)}; correct {option}'


def listed(header: Sequence[str], most: int = 20, longest: int = 40) -> str:
    """The columns, shortened for a message."""
    shown = ", ".join(name if len(name) <= longest else name[:longest] + "..." for name in header[:most])
    return shown if len(header) <= most else f"{shown}, ... ({len(header):,} columns)"


def _plain(column: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", column.strip().lstrip("_"))  # WorkerId
    return re.sub(r"[\s-]+", "_", words).lower()


def _named(header: Sequence[str], role: str, name: str, place: str) -> int:
    if name not in header:
        raise FormatError(missing(header, role, name), place, code="column_not_found")
    if header.count(name) > 1:
        raise FormatError(f'{header.count(name)} columns are called "{name}"; rename all but one', place)
    return header.index(name)


def _cannot_tell(header: Sequence[str], role: str, candidates: list[str], place: str, option: str | None) -> str:
    """What to say where no column, or none of several, can be told; with an ``option``, or None for a table beside
    judgments.
    """  # noqa: D205
    found = "several columns could hold" if candidates else "no column holds"
    if option != "":
        name = "" if option is None else f"name it with {option}, or "
        return f"{place}: {found} the {role}; the columns are: {listed(header)}; {name}rename one to {role}"
    if len(candidates) > 1 and len({*candidates}) == 1:
        return f'{place}: {len(candidates):,} columns are called "{candidates[0]}"; rename all but one'
    if not candidates:
        return f"{place}: {found} the {role}; the columns are: {listed(header)}; name it with --{role}"
    return (
        f"{place}: {found} the {role}: {listed(candidates)}; choose one with --{role}, such as --{role} {candidates[0]}"
    )
