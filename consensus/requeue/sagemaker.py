"""SageMaker Ground Truth: an input manifest of the objects to label again, and the output manifest with our labels.

Assumed is (developer guide: "Input manifest files", "Chaining labeling jobs", "Labeling job output data"):

- Attributes of a line beside ``source`` and ``source-ref`` come back unchanged. No name begins with ``$``; ours end
  neither in ``-ref`` nor in ``-metadata``. A line has at most 100,000 characters, an attribute 20,000.
- A chained job passes over objects that have a label already. So the label of the job whose answers were read, and its
  ``-metadata``, do not go out again; labels of other jobs do.
- Answers come back below the number of their line in the new manifest. ``consensus_item`` stands on that line, and the
  reader takes it for the item.
- All objects of a job go to as many workers: ``consensus_judgments`` tells how many are wanted.
- A label is the number of its class in the list of the job, which no file of the folder holds: numbers are those that
  stand beside ``class-name`` in the manifest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import ConfigError, RunError
from consensus.formats.platforms.sagemaker import NAME
from consensus.formats.platforms.seam import ITEM
from consensus.inputs.counted import counted
from consensus.requeue import manifests, original, tasks
from consensus.requeue.manifests import METADATA, written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from consensus.inputs.judgments import Judgments
    from consensus.requeue.manifests import Entry, Manifest
    from consensus.requeue.tasks import Task
    from consensus.runs import Run

__all__ = ["ENDING", "NAME", "TAKES_GOLD", "again", "report"]

ENDING = ".manifest"
TAKES_GOLD = False
OURS = (ITEM, "consensus_judgments", "consensus_reason")
LONGEST_LINE, LONGEST_VALUE = 100_000, 20_000
UNKNOWN = "consensus"
"""The label attribute, and the job, where nothing tells them."""
SEVERAL = "multilabel"
TYPES = {
    "crowd-image-classifier": "groundtruth/image-classification",
    "crowd-classifier": "groundtruth/text-classification",
    "crowd-image-classifier-multi-select": f"groundtruth/image-classification-{SEVERAL}",
    "crowd-classifier-multi-select": f"groundtruth/text-classification-{SEVERAL}",
}
CUSTOM = "groundtruth/custom"


def again(run: Run, files: tuple[Path, ...], asked: Sequence[Task], _gold: bool) -> tuple[bytes, list[str]]:
    """A manifest of the objects, the most valuable one first.

    Raises
    ------
    ConfigError
        There is no manifest beside the answers, or items are named by what the answers of another job do not tell.
    RunError
        No line is about an item.
    """
    named = _named(run.result.judgments)
    held = manifests.manifests_of(files, named)
    if named is not None and any(one.usual != named for one in held):
        raise ConfigError(
            f"--to {NAME}: items are named by {named}, which the answers of another job do not tell; run without --item"
        )
    by_item = {one.item: (manifest, one) for manifest, one in manifests.entries_of(held) if one.item is not None}
    _check({task.item for task in asked}, by_item, files)
    made, n_long = [], 0
    for task in asked:
        manifest, entry = by_item[task.item]
        values = (task.item, task.judgments, task.reason)
        ours = zip(OURS, map(written, values), strict=True)
        text = manifests.line([*entry.without({*manifest.label(), *OURS}), *ours])
        n_long += len(text) > LONGEST_LINE or len(task.item) > LONGEST_VALUE
        made.append(text)
    said = []
    if n_long:
        whose = counted(n_long, "line is", "lines are")
        said.append(
            f"{whose} longer than a job takes ({LONGEST_LINE:,} characters, {LONGEST_VALUE:,} an attribute): shorten "
            "what is not needed"
        )
    if len({task.judgments for task in asked}) > 1:
        said.append("all objects of a job go to as many workers; consensus_judgments tells how many each needs")
    said.append("ANSWERS is the folder of the new job, with its output manifest, which tells the items")
    return _bytes(made), [*said, original.next_step(files)]


@dataclass(frozen=True, slots=True)
class _Labels:
    """How labels are written."""

    attribute: str
    numbers: dict[str, str]
    """By class, as JSON; empty where no number is known, so that classes are called by their names."""
    kind: str
    job: str
    guessed: tuple[str, ...]
    """In words."""


def report(run: Run, files: tuple[Path, ...]) -> tuple[bytes, list[str]]:
    """All lines, with the label, its confidence and when it was last judged; open labels are left out.

    Raises
    ------
    ConfigError
        There is no manifest beside the answers, or an object has several classes.
    RunError
        No line is about an item.
    """
    judgments, labels = run.result.judgments, tasks.labelled(run)
    held = manifests.manifests_of(files, _named(judgments))
    every = list(manifests.entries_of(held))
    _check(labels["item"], {one.item for _, one in every}, files)
    how = _how(run, held, labels["label"].dropna().unique())
    dates = _dates(judgments)
    columns = (labels[name] for name in ("item", "label", "confidence", "status", "n_judgments"))
    found = {
        item: (label, sure, status == "gold" or n > 0) for item, label, sure, status, n in zip(*columns, strict=True)
    }
    made, n_open, n_others, n_undated = [], 0, 0, 0
    for manifest, one in every:
        if one.item is None or one.item not in found:
            made.append(manifests.line(one.pairs))
            n_others += 1
            continue
        label, sure, is_human = found[one.item]
        pairs = list(one.without({*manifest.label(), how.attribute, how.attribute + METADATA}))
        if isinstance(label, str):
            metadata = {
                "class-name": label,
                "confidence": None if math.isnan(sure) else round(float(sure), 6),
                "type": _type_of(manifest, one) or how.kind,
                "job-name": how.job,
                "human-annotated": "yes" if is_human else "no",
                "creation-date": dates.get(one.item),
            }
            number = how.numbers.get(label, written(label))
            known = {key: value for key, value in metadata.items() if value is not None}
            pairs += [(how.attribute, number), (how.attribute + METADATA, written(known))]
            n_undated += "creation-date" not in known
        else:
            n_open += 1
        made.append(manifests.line(pairs))
    return _bytes(made), [*how.guessed, *_said(n_open, n_others, n_undated)]


def _said(n_open: int, n_others: int, n_undated: int) -> list[str]:
    said = ["confidence is the probability of the label, creation-date the time of its last judgment"]
    if n_open:
        said.append(f"{counted(n_open, 'object')} whose label is open: without a label")
    if n_others:
        said.append(f"{counted(n_others, 'object')} that nobody judged: as the manifest has them")
    if n_undated:
        said.append(f"{counted(n_undated, 'label')} without creation-date, for no judgment tells its time")
    return said


def _named(judgments: Judgments) -> str | None:
    """The field that the user named for items."""
    assert judgments.reading is not None  # they were read from files
    return judgments.reading.item


def _check(wanted: Iterable[str], known: Collection[str | None], files: tuple[Path, ...]) -> None:
    gone = set(wanted) - set(known)
    if gone:
        raise RunError(
            f'no line of a manifest is about item "{min(gone)}" ({len(gone):,} items are missing); read the export '
            "without --fold and without another field for --item",
            files[0],
        )


def _how(run: Run, held: Sequence[Manifest], labels: Iterable[str]) -> _Labels:
    """How the job of the first manifest that has labels writes them.

    Raises
    ------
    ConfigError
        Its objects have several classes.
    """
    guessed = []
    first = next((one for one in held if one.attribute is not None), None)
    attribute = None if first is None else first.attribute
    told = [] if first is None else list(first.told())
    question = next(one.name for one in run.result.judgments.understood if one.role == "label")
    kinds = [kind for _, metadata in told if isinstance(kind := metadata.get("type"), str)]
    kinds = kinds or [TYPES.get(question, CUSTOM)]
    if any(kind.endswith(SEVERAL) for kind in kinds):
        raise ConfigError(f"--to {NAME}: an object has several classes, and a label is one; use labels.csv")
    if attribute is None:
        guessed.append(f'nothing tells the label attribute and the job: both are "{UNKNOWN}"')
    numbers: dict[str, str] = {}
    for one, metadata in told:
        name = metadata.get("class-name")
        value = next((value for key, value in one.pairs if key == attribute), None)
        if isinstance(name, str) and value is not None and value.strip('"').isdecimal():
            numbers.setdefault(name, value)
    new = sorted(set(labels) - set(numbers))
    if not numbers:
        guessed.append("nothing tells the numbers of the classes: labels are their names")
    elif new:
        numbers |= _new_numbers(new, numbers)
        called = ", ".join(f"{name} = {numbers[name]}" for name in new)
        guessed.append(f"the manifest does not tell the numbers of some classes, which are guessed: {called}")
    jobs = (str(metadata.get("job-name", metadata.get("job_name", UNKNOWN))) for _, metadata in told)
    return _Labels(attribute or UNKNOWN, numbers, kinds[0], next(jobs, UNKNOWN), tuple(guessed))


def _new_numbers(names: Sequence[str], numbers: dict[str, str]) -> dict[str, str]:
    """The lowest numbers that are free, written as the others are."""
    quote = '"' if next(iter(numbers.values())).startswith('"') else ""
    taken = {int(value.strip('"')) for value in numbers.values()}
    free = (n for n in range(len(taken) + len(names)) if n not in taken)
    return {name: f"{quote}{n}{quote}" for name, n in zip(names, free, strict=False)}


def _type_of(manifest: Manifest, one: Entry) -> str | None:
    """The type of the label that a line had."""
    metadata: Any = None if manifest.attribute is None else one.value(manifest.attribute + METADATA)
    kind = metadata.get("type") if isinstance(metadata, dict) else None
    return kind if isinstance(kind, str) else None


def _dates(judgments: Judgments) -> dict[str, str]:
    """By item, when it was last judged (UTC), of those whose judgments tell."""
    if judgments.timestamp is None:
        return {}
    known = ~np.isnat(judgments.timestamp)
    last = np.full(judgments.n_items, np.datetime64("NaT", "us"))
    np.fmax.at(last, judgments.item[known], judgments.timestamp[known])
    texts = np.datetime_as_string(last, unit="us").tolist()
    return {item: text for item, text in zip(judgments.item_ids.to_pylist(), texts, strict=True) if text != "NaT"}


def _bytes(lines: Iterable[str]) -> bytes:
    """The file. Halves of pairs of UTF-16 are escaped, as JSON has them."""
    return "".join(lines).encode("utf-8", "backslashreplace")
