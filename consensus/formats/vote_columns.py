"""Which column of a table of model votes holds what: a label and its probability, or a column a label."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.formats.tables.roles import NAMES, Roles, candidates_of, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consensus.config import RunConfig

PREFIX = re.compile(rf"(?:{'|'.join(NAMES['probability'])})[^0-9a-z]", re.IGNORECASE)
NO_TEXT = re.compile(r"[\ud800-\udfff]")  # halves of characters, which JSON and frames may hold
VOTE_OPTIONS = {
    "item": "--vote-item",
    "model": "--vote-model",
    "label": "--vote-label",
    "probability": "--vote-score",
}
"""The option that names the column of a role in model votes."""
_OF = "probability of "


def role_of(label: str) -> str:
    """The role of the column of a label."""
    return f'{_OF}"{label}"'


def is_of_label(role: str) -> bool:
    """Whether it is the role of the column of a label."""
    return role.startswith(_OF)


def label_of(role: str) -> str:
    """The label whose column has this role."""
    return role[len(_OF) + 1 : -1]


@dataclass(frozen=True, slots=True)
class VoteRoles(Roles):
    """The columns to look for: item and model, perhaps a family, and either a label or a column of probabilities for
    each label.

    The latter have a common prefix, and what follows it is the label. If two or more columns begin with a name of the
    probability (``p_cat``, ``score.cat``), these are meant and others are passed over. Otherwise all columns that are
    not taken must have a common prefix; it ends with the last character that is no letter or digit.
    """  # noqa: D205

    absent: tuple[str, ...] = ()
    """Labels that mean "no answer": their columns are passed over."""
    strictly: Mapping[str, str | None] = field(default_factory=dict)
    """Columns of some roles that the user named for model votes: each file must have them."""
    question: str | None = None
    """The question that is run, where there are several: a column that is called so holds its labels."""

    @classmethod
    def of(cls, config: RunConfig) -> VoteRoles:
        """Those by the settings of a run."""
        usual = {"item": config.item, "label": config.label}
        return cls(usual, absent=config.abstain, strictly=config.named, question=config.only)

    def positions(self, header: Sequence[str], place: str) -> dict[str, int]:
        """Position in ``header`` of the column of each role; the role of a column for a label is its ``role_of``.

        Raises
        ------
        FormatError
            A column is missing, several could be meant, or two are for one label.
        """
        strictly = {role: name for role, name in self.strictly.items() if name is not None}
        for role, name in strictly.items():
            if name not in header:
                raise FormatError(
                    f'no column "{name}" for the {role}; the columns are: {listed(header)}; correct '
                    f"{VOTE_OPTIONS[role]}",
                    place,
                    code="column_not_found",
                )
        names = dict(NAMES) if candidates_of(header, NAMES["model"]) else {**NAMES, "model": NAMES["worker"]}
        asked = self.question if self.question in header else None
        label = strictly.get("label", asked or self.named.get("label"))
        ids = {"item": strictly.get("item", self.named.get("item")), "model": strictly.get("model"), "family": None}
        if label in header or "probability" in strictly or candidates_of(header, NAMES["label"]):
            long = {**ids, "label": label, "probability": strictly.get("probability")}
            return Roles(long, True, names).positions(header, place)
        if ids["model"] is None and not candidates_of(header, names["model"]):
            ids.pop("model")  # shares of labels alone are those of one model
        found = Roles(ids, True, names).positions(header, place)
        left = [name for n, name in enumerate(header) if n not in found.values()]
        chosen, prefix = _of_labels(left)
        if not prefix:
            if "model" not in ids:
                Roles({"model": None}, True, names).positions(header, place)
            raise FormatError(
                f"no column holds the label, and no columns with a common prefix hold probabilities; the "
                f"columns are: {listed(header)}; name the one of the label with --label, or give some such as p_cat, "
                "p_dog",
                place,
            )
        for name in chosen:
            if NO_TEXT.search(name):
                raise FormatError(f'column "{name}" is not UTF-8, so its label can\'t be told; save it as UTF-8', place)
            if chosen.count(name) > 1:
                raise FormatError(f'{chosen.count(name)} columns are called "{name}"; rename all but one', place)
        labels = {name[len(prefix) :]: header.index(name) for name in chosen}
        return found | {role_of(label): n for label, n in labels.items() if label not in self.absent}


def _of_labels(names: Sequence[str]) -> tuple[list[str], str]:
    """The columns that hold probabilities of labels, and their prefix; none where that can't be told."""
    begins = [match.group() if (match := PREFIX.match(name)) else "" for name in names]
    several = {prefix for prefix in begins if prefix and begins.count(prefix) > 1}
    if len(several) == 1:
        prefix = several.pop()
        return [name for name, begin in zip(names, begins, strict=True) if begin == prefix], prefix
    if len(names) < 2:
        return [], ""
    first, last = min(names), max(names)  # what these share, all others do, too
    n_common = next((n for n, one in enumerate(first) if one != last[n : n + 1]), len(first))
    return list(names), first[: max((n for n in range(1, n_common + 1) if not first[n - 1].isalnum()), default=0)]
