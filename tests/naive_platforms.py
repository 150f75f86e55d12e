"""What the examples of platforms hold, counted by plain pandas and json; shares no code with the readers.

    python -m tests.naive_platforms

prints one table of it, and of what ``consensus.read`` makes of the same files.
"""

from __future__ import annotations

import io
import json
import sys
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, Any

import pandas as pd

import consensus
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

EXAMPLES = ROOT / "tests" / "platforms"
Row = tuple[object, object, str | None]


@dataclass(frozen=True)
class Counts:
    """Of one export."""

    rows: int
    """Judgments, or verdicts of models, of whatever kind."""
    used: int
    items: int
    """Of rows that are no rejects; so are workers."""
    workers: int
    labels: int
    gold: int
    """Rows of gold: accepted labels of an item."""
    abstains: int
    rejected: int
    model_votes: int


def _of(rows: Iterable[Row], rejected: int = 0, gold: int = 0, model_votes: int = 0, stranger: str = "\0") -> Counts:
    """Of rows of item, worker and label that are not rejected; all names that begin with ``stranger`` are one."""
    every = list(rows)
    used = [label for _, _, label in every if label]
    items = len({item for item, _, _ in every})
    workers = len({stranger if str(worker).startswith(stranger) else worker for _, worker, _ in every})
    absent = len(every) - len(used)
    return Counts(len(every) + rejected, len(used), items, workers, len({*used}), gold, absent, rejected, model_votes)


def _json(name: str) -> Any:
    return json.loads((EXAMPLES / name).read_text())


def _lines(name: str) -> list[Any]:
    return [json.loads(line) for line in (EXAMPLES / name).read_text().splitlines()]


def _table(name: str, **settings: Any) -> pd.DataFrame:
    frame: pd.DataFrame = pd.read_csv(EXAMPLES / name, dtype=str, keep_default_na=False, index_col=False, **settings)
    return frame


def _triples(frame: pd.DataFrame, *columns: str) -> Iterable[Row]:
    return frame[[*columns]].itertuples(index=False, name=None)


def _argilla() -> Counts:
    records = _json("argilla.json")
    rows = [(one["id"], given["user_id"], given["value"]) for one in records for given in one["responses"]["mood"]]
    return _of(rows, model_votes=sum("mood" in one["suggestions"] for one in records))


def _crowdflower() -> Counts:
    frame = _table("crowdflower.csv")
    tainted = frame["_tainted"] == "true"
    golden = frame[frame["_golden"] == "true"].drop_duplicates("_unit_id")["colour_gold"]
    gold = sum(len(cell.split("\n")) for cell in golden)
    return _of(_triples(frame[~tainted], "_unit_id", "_worker_id", "colour"), int(tainted.sum()), gold)


def _crowdflower_json() -> Counts:
    units = _lines("crowdflower-json.json")
    given = [(unit, one) for unit in units for one in unit["results"]["judgments"]]
    rows = [(unit["id"], one["worker_id"], "".join(one["data"]["colour"])) for unit, one in given if not one["tainted"]]
    golden = [unit["data"]["colour_gold"].split("\n") for unit in units if unit["state"] == "golden"]
    return _of(rows, len(given) - len(rows), sum(map(len, golden)))


def _doccano() -> Counts:
    return _of((one["id"], "doccano", " | ".join(sorted(one["label"]))) for one in _lines("doccano.jsonl"))


def _get_another_label() -> Counts:
    rows = [line.split("\t") for line in (EXAMPLES / "get-another-label.tsv").read_text().splitlines()]
    good = [(row[1], row[0], row[2]) for row in rows if len(row) == 3]
    return _of(good, len(rows) - len(good))


def _label_studio() -> Counts:
    tasks = _json("label-studio.json")
    rows: list[Row] = []
    n_bad = 0
    for task in tasks:
        for one in task["annotations"]:
            if isinstance(one["result"], str):
                n_bad += 1
                continue
            moods = [it["value"]["choices"][0] for it in one["result"] if it["from_name"] == "mood"]
            who = one["completed_by"]
            worker = who.get("id", who["email"]) if isinstance(who, dict) else who
            rows.append((task["id"], worker, moods[0] if moods else None))
    return _of(rows, n_bad, model_votes=sum(len(task["predictions"]) for task in tasks))


def _lewidi() -> Counts:
    return _of(
        (item, worker, label)
        for item, one in _json("lewidi.json").items()
        for worker, label in zip(one["annotators"].split(","), one["annotations"].split(","), strict=True)
    )


def _llm_judges() -> Counts:
    """Each verdict is a vote of a model, and no judgment."""
    records = _json("llm-judges.json")
    said = [
        (f"{one['instruction']} | {one['generator_2']}", one["annotator"], one["preference"])
        for one in records
        if one["preference"]
    ]
    items, judges = len({item for item, _, _ in said}), len({judge for _, judge, _ in said})
    labels = len({preference > 1.5 for _, _, preference in said})
    return Counts(len(records), 0, items, judges, labels, 0, len(records) - len(said), 0, len(said))


def _mace() -> Counts:
    lines = (EXAMPLES / "mace.csv").read_text().splitlines()
    n_workers = lines[0].count(",") + 1
    frame = pd.read_csv(io.StringIO("\n".join(line for line in lines if line.count(",") < n_workers)), header=None)
    rows = [(item, worker, label) for item, row in frame.iterrows() for worker, label in row.dropna().items()]
    return _of(rows, sum(line.count(",") >= n_workers for line in lines))


def _mturk() -> Counts:
    frame = _table("mturk.csv")
    rejected = frame["AssignmentStatus"] == "Rejected"
    return _of(_triples(frame[~rejected], "Input.id", "WorkerId", "Answer.mood.label"), int(rejected.sum()))


def _prodigy() -> Counts:
    tasks = _lines("prodigy.jsonl")
    answered = [one for one in tasks if one.get("answer") in {"accept", "reject", "ignore"}]
    rows = [
        (one["_input_hash"], one["_annotator_id"], one["accept"][0] if one["answer"] == "accept" else None)
        for one in answered
    ]
    return _of(rows, len(tasks) - len(answered))


def _sagemaker() -> Counts:
    given = [(one["datasetObjectId"], it) for one in _json("sagemaker.json") for it in one["annotations"]]
    rows = [
        (name, it["workerId"], json.loads(it["annotationData"]["content"])["crowd-classifier"]["label"])
        for name, it in given
        if "content" in it["annotationData"]
    ]
    return _of(rows, len(given) - len(rows))


def _toloka() -> Counts:
    frame = _table("toloka.tsv", sep="\t")
    status = frame["ASSIGNMENT:status"]
    gold = frame[frame["GOLDEN:result"] != ""].drop_duplicates(["INPUT:image", "GOLDEN:result"])
    labels = frame["OUTPUT:result"].where(status.isin(["APPROVED", "SUBMITTED"]), "")
    frame = frame.assign(label=labels)[status != "REJECTED"]
    rejected = int((status == "REJECTED").sum())
    return _of(_triples(frame, "INPUT:image", "ASSIGNMENT:worker_id", "label"), rejected, len(gold))


def _zooniverse() -> Counts:
    frame = _table("zooniverse.csv")
    value = frame["annotations"].map(lambda cell: json.loads(cell)[0]["value"] or "")
    again = frame["metadata"].map(lambda cell: json.loads(cell).get("seen_before", False)).astype(bool)
    expert = frame["gold_standard"] == "true"
    kept = frame.assign(value=value)[~again & ~expert]
    rows = _triples(kept, "subject_ids", "user_name", "value")
    return _of(rows, len(frame) - len(kept), int(expert.sum()), stranger="not-logged-in")


EXPECTED: dict[str, Callable[[], Counts]] = {
    "argilla.json": _argilla,
    "crowdflower.csv": _crowdflower,
    "crowdflower-json.json": _crowdflower_json,
    "doccano.jsonl": _doccano,
    "get-another-label.tsv": _get_another_label,
    "label-studio.json": _label_studio,
    "lewidi.json": _lewidi,
    "llm-judges.json": _llm_judges,
    "mace.csv": _mace,
    "mturk.csv": _mturk,
    "prodigy.jsonl": _prodigy,
    "sagemaker.json": _sagemaker,
    "toloka.tsv": _toloka,
    "zooniverse.csv": _zooniverse,
}
"""A counter for each example."""


def read(path: Path) -> Counts:
    """What the engine makes of an export, without any setting."""
    if path.stem == "llm-judges":
        votes = consensus.read_model_votes(path)
        told, n = votes.tally, (len(votes.item_ids), len(votes.models), len(votes.labels))
        return Counts(told.read, 0, *n, 0, told.abstained, told.rejected, votes.n_votes)
    found = consensus.read(path)
    tally, gold, beside = found.tally, found.gold, found.model_votes
    return Counts(
        rows=tally.read,
        used=tally.used,
        items=found.n_items,
        workers=found.n_workers,
        labels=found.n_labels,
        gold=len(gold.item) if gold else 0,
        abstains=tally.abstained,
        rejected=tally.rejected,
        model_votes=beside.n_votes if beside else 0,
    )


def markdown() -> str:
    """A row an example; where the engine and the plain count differ, both."""
    names = [one.name.replace("_", " ") for one in fields(Counts)]
    lines = [f"| export | {' | '.join(names)} |", f"|---|{'--:|' * len(names)}"]
    for name, plain in EXPECTED.items():
        pairs = zip(astuple(read(EXAMPLES / name)), astuple(plain()), strict=True)
        told = [f"{ours:,}" if ours == theirs else f"{ours:,} (plain: {theirs:,})" for ours, theirs in pairs]
        lines.append(f"| {name} | {' | '.join(told)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(markdown() + "\n")
