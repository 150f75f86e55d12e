"""Notices of labels that are none: texts for no answer, lists, numbers, free text."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs import look_alikes
from consensus.inputs.counted import counted
from consensus.inputs.judgments import listed
from consensus.inputs.label_teams import LEAST_LABELS, MOST_LABELS
from consensus.inputs.notices import Notice
from consensus.inputs.renaming import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments

NO_ANSWERS = frozenset(
    {"nan", "none", "null", "nil", "na", "n/a", "n.a", "#n/a", "<na>", "{}", "[]", "()", "-", "--", "-1", "-99", "-999"}
    | {"?", "??", "???", "error", "#error", "skip", "skipped", "unclear", "undefined", "missing", "unanswered"}
    | {
        "blank",
        "(blank)",
        "[blank]",
        "empty",
        "no answer",
        "not answered",
        "no response",
        "...",
        "\u2026",
        "\\n",
        "nat",
    }
    | {"unsure", "not sure", "i'm not sure", "don't know", "dont know", "i don't know", "i do not know", "idk"}
    | {"can't tell", "cannot tell", "can't say", "no idea", "no opinion", "not applicable", "unlabeled", "unlabelled"}
    | {"timeout", "timed out", "\\n", "nat"}
)
"""Texts, in lower case, that mean no answer more often than anything else."""
NUMBER = re.compile(r"\s*[+-]?[$€£]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?\s*%?\s*", re.IGNORECASE)
MOST_SHARE = 0.5  # of the judgments: a text that is given more often is an answer, blank ones aside
FEW_LABELS = 20  # up to which labels are no numbers and no free text
LEAST_PAIRS = 30  # of different labels of one item, from which it is seen whether they are near each other as numbers
NEAR = 0.5  # of what labels of different items differ by, in the median, up to which they are
MOST_PAIRS = 1_000_000  # that are looked at
NUMBERS = 0.9  # share of the labels that are numbers, from which they are meant as such
MOST_NAMED = 8  # texts in a message


def of_labels(judgments: Judgments) -> list[Notice]:
    """What the labels look like, other than labels."""
    found = [_no_answers(judgments), _lists(judgments), _many_values(judgments)]
    return [one for one in found if one is not None]


def of_files(label: NDArray[np.int32], labels: Sequence[str], files: Mapping[str, slice]) -> list[Notice]:
    """Files that use different labels: the same answers, perhaps, by other names, such as yes and no, 1 and 0.

    ``label`` has the code of each row (rows,), -1 for none, ``files`` the rows of each file.
    """
    import pyarrow as pa

    if len(files) < 2 or not 2 * LEAST_LABELS <= len(labels) <= MOST_LABELS:
        return []
    alike = look_alikes.alike(pa.array(labels, pa.string()), is_label=True)
    group = np.arange(len(labels)) if alike is None else alike
    teams: list[tuple[set[int], str, set[int]]] = []  # groups of labels, the first file, its labels
    for file, rows in files.items():
        seen = np.zeros(len(labels) + 1, np.bool_)
        seen[label[rows]] = True  # -1 is the last
        used = set(np.flatnonzero(seen[:-1]).tolist())
        groups = set(group[sorted(used)].tolist())
        meeting = [team for team in teams if team[0] & groups]
        teams = [team for team in teams if not team[0] & groups]
        teams.append(
            (
                groups.union(*(team[0] for team in meeting)),
                meeting[0][1] if meeting else file,
                used.union(*(team[2] for team in meeting)),
            )
        )
    place = {file: n for n, file in enumerate(files)}
    teams = sorted((team for team in teams if len(team[0]) >= LEAST_LABELS), key=lambda team: place[team[1]])
    if len(teams) < 2:
        return []
    told = "; ".join(f"{PurePath(file).name}: {listed([labels[k] for k in sorted(used)])}" for _, file, used in teams)
    return [
        Notice(
            "other_label_names",
            f"files share no label: {told}; if these mean the same, say what each is called with --label-map, a file "
            "of from and to",
            {"n_teams": len(teams)},
        )
    ]


def no_answers(judgments: Judgments) -> list[int]:
    """Codes of the labels that are texts that mean no answer, as far as can be seen."""
    odd = [(n, text) for n, text in enumerate(judgments.labels) if _is_no_answer(text)]
    # of -1, 0 and 1 the first is an answer, unless it is rare
    scale = {"1", "+1", "1.0"} & set(judgments.labels)
    found = []
    for n, text in odd:
        share = judgments.per_label[n] / max(judgments.n_judgments, 1)
        most = MOST_SHARE / judgments.n_labels if scale and text.strip() in {"-1", "-1.0"} else MOST_SHARE
        if share and (not text.strip() or share <= most):
            found.append(n)
    return found


def _no_answers(judgments: Judgments) -> Notice | None:
    """Which labels are texts that mean no answer."""
    told = sorted(
        ((int(judgments.per_label[n]), judgments.labels[n]) for n in no_answers(judgments)),
        key=lambda one: (-one[0], one[1]),
    )
    if not told:
        return None
    named = ", ".join(f"{shown(text)} ({n:,})" for n, text in told[:MOST_NAMED])
    more = f" and {len(told) - MOST_NAMED:,} more" if len(told) > MOST_NAMED else ""
    n_all = sum(n for n, _ in told)
    flags = " ".join(f"--abstain{_typed(text)}" for _, text in told)
    return Notice(
        "no_answer_texts",
        f"{n_all:,} of {counted(judgments.n_judgments, 'judgment has', 'judgments have')} labels that "
        f"look like no answer: {named}{more}; they "
        f"count as labels like any other; if they mean no answer, pass {flags}",
        {"n_judgments": n_all, "n_texts": len(told)},
        tuple(word for _, text in told for word in ("--abstain", text)),
    )


def _is_no_answer(text: str) -> bool:
    plain = text.strip().lower().replace("\u2019", "'")
    return not plain or plain in NO_ANSWERS or plain.rstrip(".") in NO_ANSWERS


def _typed(text: str) -> str:
    """How a text is typed behind the name of an option."""
    if re.fullmatch(r"[A-Za-z0-9][\w./-]*", text, re.ASCII):
        return f" {text}"
    if text.startswith("-") and re.fullmatch(r"[\w./-]+", text, re.ASCII):
        return f"={text}"
    if not text.isprintable():
        return f" $'{shown(text)[1:-1]}'"
    quoted = re.sub(r'(["$`\\])', r"\\\1", text)
    return f' "{quoted}"'


def _lists(judgments: Judgments) -> Notice | None:
    """Labels that are lists: the same parts in several orders, or in JSON."""
    several = [(n, parts) for n, text in enumerate(judgments.labels) if (parts := look_alikes.parts_of(text))]
    if len(several) < 2:
        return None
    counts = judgments.per_label
    sets: dict[frozenset[str], set[tuple[str, ...]]] = {}
    example: dict[frozenset[str], list[str]] = {}
    for n, _ in several:
        order = look_alikes.order_of(judgments.labels[n])
        sets.setdefault(frozenset(order), set()).add(order)
        example.setdefault(frozenset(order), []).append(judgments.labels[n])
    orders = [names for key, names in example.items() if len(sets[key]) > 1]
    n_lists = sum(int(counts[n]) for n, _ in several)
    n_as_sets = judgments.n_labels - len(several) + len(sets)
    values: dict[str, float] = {"n_judgments": n_lists, "n_lists": len(several), "n_as_sets": n_as_sets}
    if orders:
        most = max(orders, key=len)
        return Notice(
            "list_labels",
            f"{n_lists:,} judgments have lists as labels, and {sum(map(len, orders)):,} labels have the same parts in "
            f"another order, such as {shown(most[0])} and {shown(most[1])}; if the order means nothing, pass --fold "
            f"labels (it makes {n_as_sets:,} of {judgments.n_labels:,} labels)",
            values,
        )
    if any(look_alikes.is_json(judgments.labels[n]) for n, _ in several):
        return Notice(
            "list_labels",
            f"{n_lists:,} judgments have lists or objects as labels, such as {shown(judgments.labels[several[0][0]])}; "
            f"each of the {len(several):,} is a label of its own; if one part is the answer, give that a column",
            values,
        )
    return None


def _near_as_numbers(judgments: Judgments) -> bool:
    """Whether different labels of one item are near each other: those of a slider are, codes of classes are not."""
    values = np.array([_value(text) for text in judgments.labels])
    item, value = judgments.item[:MOST_PAIRS], values[judgments.label[:MOST_PAIRS]]

    def apart(shift: int, same_item: bool) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore"):  # of infinities
            gap = np.abs(np.roll(value, shift) - value)
        kept: NDArray[np.float64] = gap[(gap > 0) & ((np.roll(item, shift) == item) == same_item)]
        return kept

    own, others = apart(1, True), apart(len(item) // 2, False)
    return len(own) >= LEAST_PAIRS and len(others) > 0 and bool(np.median(own) <= NEAR * np.median(others))


def _value(text: str) -> float:
    """The number that a label is, NaN where it is none."""
    return float(re.sub(r"[^\d.eE+-]", "", text.replace(",", "."))) if NUMBER.fullmatch(text) else np.nan


def _many_values(judgments: Judgments) -> Notice | None:
    """Labels that are nearly as many as judgments: numbers, or free text."""
    K, J = judgments.n_labels, judgments.n_judgments
    if K <= FEW_LABELS:
        return None
    are_numbers = [text for text in judgments.labels if NUMBER.fullmatch(text)]
    if len(are_numbers) >= NUMBERS * K:
        n_broken = sum(not re.fullmatch(r"\s*[+-]?\d+\s*", text) for text in are_numbers)
        if J < 10 * K or 2 * n_broken > K or _near_as_numbers(judgments):
            return Notice(
                "number_labels",
                f"{K:,} values for {J:,} judgments, such as {shown(are_numbers[0])} and {shown(are_numbers[-1])} look "
                "like measured numbers, not labels; put them into a few classes with --label-map, or take their "
                "median instead",
                {"n_labels": K, "n_judgments": J},
            )
    elif J < 3 * K:
        longest = max(judgments.labels, key=len)
        return Notice(
            "free_text_labels",
            f"{K:,} texts for {J:,} judgments, such as {shown(longest)} look like free text, not labels; name another "
            "column with --label, or put the texts into classes with --label-map",
            {"n_labels": K, "n_judgments": J},
        )
    return None
