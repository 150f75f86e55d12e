"""What goes out: the items of an escalation list that people are asked about, in its order; or all with labels."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consensus.inputs.counted import counted

if TYPE_CHECKING:
    import pandas as pd

    from consensus.runs import Run

RETEST, EXPERT = "retest", "needs_expert"


@dataclass(frozen=True, slots=True)
class Task:
    """An item that people are asked about, or that is reported."""

    item: str
    reason: str
    """too_few, weak_workers, disagreement or audit; of a report, the status of the label."""
    judgments: int
    """To ask for, at least 1; of a report, 0."""
    label: str | None
    """The most likely one; None where it is open."""
    confidence: float | None
    """Its probability, 0 to 1."""
    n_judgments: int
    """That there are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The tasks, and what is left out."""

    tasks: tuple[Task, ...]
    left_out: tuple[str, ...]
    """In words, with numbers."""


def of_run(run: Run, *, until_settled: bool, top: int | None) -> Asked:
    """The tasks of a run, the most valuable one first.

    Parameters
    ----------
    until_settled
        Ask at once for as many judgments of an item as it is expected to need, rounded up; else for those that the
        escalation list asks for now.
    top
        Tasks at most.
    """
    listed = run.escalations
    by_reason = listed["reason"].value_counts()
    open_ones = listed[~listed["reason"].isin([RETEST, EXPERT])]
    chosen = open_ones if top is None else open_ones.head(top)
    names = ("item", "reason", "judgments", "judgments_needed", "label", "confidence", "n_judgments")
    tasks = []
    known = labelled(run)
    open_items = set(known["item"][known["label"].isna()])
    for item, reason, now, needed, label, confidence, n in zip(*(chosen[name].tolist() for name in names), strict=True):
        wanted = math.ceil(needed) if until_settled and math.isfinite(needed) else now
        sure = None if math.isnan(confidence) else float(confidence)
        is_open = not isinstance(label, str) or item in open_items
        tasks.append(Task(item, reason, max(wanted, 1), None if is_open else label, None if is_open else sure, n))
    said = []
    n_experts, n_tests = int(by_reason.get(EXPERT, 0)), int(by_reason.get(RETEST, 0))
    if n_experts:
        said.append(f"{counted(n_experts, 'item needs', 'items need')} an expert, whom no crowd replaces: left out")
    if n_tests:
        said.append(f"{counted(n_tests, 'retest')} of workers: left out, for no file names the worker who gets a task")
    if len(chosen) < len(open_ones):
        said.append(f"{counted(len(open_ones) - len(chosen), 'item')} behind the first {len(chosen):,}: left out")
    return Asked(tuple(tasks), tuple(said))


def with_labels(run: Run) -> tuple[Task, ...]:
    """All items with their labels, in the order of the judgments: what a platform shows them as is one of tasks."""
    labels = labelled(run)
    columns = (labels[name] for name in ("item", "status", "label", "confidence", "n_judgments"))
    return tuple(
        Task(item, status, 0, label if isinstance(label, str) else None, None if math.isnan(sure) else float(sure), n)
        for item, status, label, sure, n in zip(*(one.tolist() for one in columns), strict=True)
    )


def labelled(run: Run) -> pd.DataFrame:
    """The labels of the items that are in the judgments; none, and no confidence, where nobody said anything."""
    labels = run.labels.iloc[: run.result.judgments.n_items]
    unsaid = (labels["n_judgments"] + labels["n_model_votes"] == 0) & (labels["status"] != "gold")
    return labels.assign(label=labels["label"].mask(unsaid), confidence=labels["confidence"].mask(unsaid))


def digest_of(run: Run) -> str:
    """8 digits that tell a run by what it read."""
    sources = run.result.judgments.sources
    return hashlib.sha256("".join(one.sha256 for one in sources).encode()).hexdigest()[:8]
