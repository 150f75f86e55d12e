"""A reader of model votes without arrays, row by row, as the rules are told."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from consensus.inputs.model_votes import OTHERS
from consensus.inputs.vote_tally import VoteTally


class Read(NamedTuple):
    """Votes by item and model: a label, or the probability of each of ``labels``."""

    votes: dict[tuple[str, str], str | list[float]]
    labels: tuple[str, ...]
    tally: VoteTally


def read(files: Sequence[tuple[str, Sequence[Any]]], wide_labels: Sequence[str], abstain: set[str]) -> Read:
    """Files are "long" with rows (item, model, label, score), or "wide": (item, model, score of each label)."""
    known = {row[2] for kind, rows in files if kind == "long" for row in rows} - abstain - {None}
    if any(rows for kind, rows in files if kind == "wide"):
        known |= set(wide_labels)
    scored = [row for kind, rows in files if kind == "long" for row in rows if row[3] is not None]
    labels = sorted(known | {OTHERS}) if len(known) == 1 and scored else sorted(known)
    n_read = n_abstained = n_rejected = n_normalised = n_merged = 0
    groups: dict[tuple[str, str], list[tuple[int, str, Any]]] = {}
    for file, (kind, rows) in enumerate(files):
        for item, model, *rest in rows:
            n_read += 1
            if kind == "wide":
                given = {label: score for label, score in zip(wide_labels, rest, strict=True) if score is not None}
                if not given:
                    n_abstained += 1
                elif sum(given.values()) == 0:
                    n_rejected += 1
                else:
                    groups.setdefault((item, model), []).append((file, kind, given))
            elif rest[0] is None or rest[0] in abstain:
                n_abstained += 1
            else:
                groups.setdefault((item, model), []).append((file, kind, tuple(rest)))
    votes: dict[tuple[str, str], str | list[float]] = {}
    for pair, group in groups.items():
        if all(kind == "long" and content[1] == 0 for _, kind, content in group):
            n_rejected += len(group)
            continue
        n_merged += len(group) - 1
        if len(group) == 1 and group[0][1] == "long" and group[0][2][1] is None:
            votes[pair] = group[0][2][0]
            continue
        lists = [content for _, kind, content in group if kind == "wide"]
        long = [(file, *content) for file, kind, content in group if kind == "long"]
        lists += [dict(named) for named in _lists(long)]
        completed = [_completed(one, labels) for one in lists]
        n_normalised += any(normalised for _, normalised in completed)
        votes[pair] = [sum(one[n] for one, _ in completed) / len(completed) for n in range(len(labels))]
    tally = VoteTally(n_read, len(votes), n_abstained, n_merged, n_rejected, n_normalised)
    return Read(votes, tuple(labels), tally)


def _lists(long: list[tuple[int, str, float | None]]) -> list[list[tuple[str, float]]]:
    """One list if all are scores of different labels; otherwise so for each file; otherwise one a row."""
    if not long:
        return []
    if _differ(long):
        return [[(label, score) for _, label, score in long if score is not None]]
    found = []
    for file in sorted({file for file, _, _ in long}):
        rows = [row for row in long if row[0] == file]
        if _differ(rows):
            found.append([(label, score) for _, label, score in rows if score is not None])
        else:
            found += [[(label, 1.0 if score is None else score)] for _, label, score in rows]
    return found


def _differ(rows: list[tuple[int, str, float | None]]) -> bool:
    labels = [label for _, label, _ in rows]
    return len(set(labels)) == len(labels) and all(score is not None for _, _, score in rows)


def _completed(given: dict[str, float], labels: Sequence[str]) -> tuple[list[float], bool]:
    total = sum(given.values())
    missing = [label for label in labels if label not in given]
    if missing and total < 1:
        return [given.get(label, (1 - total) / len(missing)) for label in labels], False
    if total == 0:
        return [1 / len(labels)] * len(labels), False
    return [given.get(label, 0.0) / total for label in labels], abs(total - 1) > 1e-3
