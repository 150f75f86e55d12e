"""What an export asks: which of its questions is meant, and answers of several parts as one label."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.formats.tables.roles import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

ONE, SEVERAL, RATING, TREE = "one choice", "several choices", "rating", "taxonomy"
TICK = "box to tick"
NUMBER, TEXT, REGIONS = "number", "free text", "marked regions"
CLOSED = (ONE, SEVERAL, RATING, TREE, TICK)
"""Kinds of questions whose answers come from a list, and may be labels without anybody saying so."""
SETS = {SEVERAL: "choices", TREE: "paths"}
"""Kinds whose answers are sets, and of what."""
FEW = 30  # different answers that a question may have before half of them being different makes it free text
LONGEST = 80  # characters of the name of a question in a message
MOST_PARTS = re.compile(r"[|;,\[{\n]")  # in a part: then a list needs to be written so that its parts are told apart


def is_open(n_given: int, n_different: int) -> bool:
    """Whether so many answers, of which so many are different, are free text."""
    return n_different > max(FEW, n_given / 2)


def joined(parts: Iterable[str]) -> str | None:
    """A set of parts as one label: in order, each once; None where there is none."""
    each = sorted({part for part in parts if part})
    if len(each) < 2:
        return each[0] if each else None
    if any(MOST_PARTS.search(part) for part in each):
        return json.dumps(each, ensure_ascii=False)
    return " | ".join(each)


class SeveralQuestionsError(FormatError):
    """An export asks several questions, and none is named."""

    def __init__(self, path: Path, title: str, questions: Mapping[str, str]) -> None:
        closed = [name for name, kind in questions.items() if kind in {"", *CLOSED}]
        such_as = _quoted(min(closed, key=lambda name: len(name) > LONGEST))
        example = f", such as --label {such_as}" if len(such_as) <= LONGEST else ""
        super().__init__(
            f"this {title} asks several questions: {_told(questions)}; choose one with --label{example}, or run each "
            "by itself with --by question",
            path,
            code="several_questions",
        )
        self.title, self.questions = title, questions
        """What such exports are called; kind by name of the question, "" where it is unknown."""


def chosen(
    path: Path, title: str, questions: Mapping[str, str], named: str | None = None, names: Collection[str] = ()
) -> str:
    """The question that is meant: the one that is named, or the only one with fixed answers.

    Parameters
    ----------
    path, title
        The export, and what such exports are called.
    questions
        Kind by name of the question.
    named
        What the user named, if anything.
    names
        What may be named besides the questions.

    Raises
    ------
    SeveralQuestionsError
        Several could be meant.
    FormatError
        There is no such question, or none can be a label.
    """
    told = _told(questions)
    if named is not None:
        if named not in questions and named not in names:
            raise FormatError(f'no question "{named}"; this {title} asks: {told}; correct --label or --only', path)
        if questions.get(named) == REGIONS:
            raise FormatError(
                f'answers to "{named}" are regions marked in an item, and no labels; the questions are: {told}'
                "; choose another with --label",
                path,
            )
        return named
    closed = [name for name, kind in questions.items() if kind in CLOSED]
    if len(closed) == 1:
        return closed[0]
    if closed:
        raise SeveralQuestionsError(path, title, questions)
    if not questions:
        raise FormatError(
            f"nobody answered a question in this {title}; name a column with --label, or export again", path
        )
    raise FormatError(f"no question of this {title} has fixed answers: {told}; choose one with --label", path)


def described(question: str, kind: str) -> str:
    """A question in a note: its name, and what its labels are where they are sets."""
    return f"{question} ({kind}: each set of {SETS[kind]} is one label)" if kind in SETS else question


def _told(questions: Mapping[str, str]) -> str:
    return listed([f"{name} ({kind})" if kind else name for name, kind in questions.items()], longest=LONGEST)


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)
