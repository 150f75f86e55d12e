"""People answer a file that went out: what each platform would export then, written with csv and json alone."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from tests.naive_platforms import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORKER = "9001"
"""Who answers, whom nobody knew before."""


def _table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def _text(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def crowdflower(sent: Path, label: str) -> str:
    """A full report: other units, the columns of the upload behind the field."""
    rows = []
    for n, row in enumerate(_table(sent)):
        own = {"_unit_id": f"{990_000 + n}", "_created_at": "3/9/2017 9:00:00", "_id": f"{700_000 + n}"}
        own |= {"_started_at": "3/9/2017 8:59:00", "_tainted": "false", "_channel": "elite", "_trust": "1"}
        rows.append({**own, "_worker_id": WORKER, "_ip": "198.51.100.9", "colour": label, **row})
    return _text(rows)


def crowdflower_json(sent: Path, label: str) -> str:
    """A JSON report: other units, whose data are the rows of the upload."""
    lines = []
    for n, row in enumerate(_table(sent)):
        one = {"id": 700_000 + n, "unit_id": 990_000 + n, "worker_id": WORKER, "trust": 1, "worker_trust": 1}
        one |= {"created_at": "2017-03-09T09:00:00+00:00", "started_at": "2017-03-09T08:59:00+00:00"}
        one |= {"tainted": False, "rejected": None, "golden": False, "data": {"colour": [label]}}
        lines.append(json.dumps({"id": 990_000 + n, "data": row, "results": {"judgments": [one]}}) + "\n")
    return "".join(lines)


def toloka(sent: Path, label: str) -> str:
    """Assignments."""
    rows = []
    for n, row in enumerate(_table(sent, "\t")):
        shown = {name: cell for name, cell in row.items() if name.startswith("INPUT:")}
        told = {"OUTPUT:result": label, "OUTPUT:contact": "", "GOLDEN:result": "", "ASSIGNMENT:assignment_id": f"zz{n}"}
        told |= {"ASSIGNMENT:worker_id": WORKER, "ASSIGNMENT:status": "APPROVED"}
        rows.append({**shown, **told})
    return _text(rows, "\t")


def mturk(sent: Path, label: str) -> str:
    """Results of a batch."""
    rows = []
    for n, row in enumerate(_table(sent)):
        own = {"HITId": f"3NEW{n}", "HITTypeId": "3TYPE02", "AssignmentId": f"3ASN{n}", "WorkerId": WORKER}
        own |= {"AssignmentStatus": "Submitted", "SubmitTime": "Sun Mar 17 19:00:20 PDT 2024", "WorkTimeInSeconds": "9"}
        rows.append({**own, **{f"Input.{name}": cell for name, cell in row.items()}, "Answer.mood.label": label})
    return _text(rows)


def label_studio(sent: Path, label: str) -> str:
    """Tasks with other ids, and annotations; what was predicted is still there."""
    tasks = json.loads(sent.read_text(encoding="utf-8"))
    for n, task in enumerate(tasks):
        choice = {"from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": [label]}}
        times = {"created_at": "2024-04-01T10:00:00Z", "updated_at": "2024-04-01T10:00:00Z", "lead_time": 3.0}
        one = {"id": 9000 + n, "completed_by": 77, "was_cancelled": False, "result": [choice], **times}
        task |= {"id": 5000 + n, "annotations": [one]}
    return json.dumps(tasks)


def prodigy(sent: Path, label: str) -> str:
    """The same lines with an answer."""
    tasks = [json.loads(line) for line in sent.read_text(encoding="utf-8").splitlines()]
    told = {"accept": [label], "answer": "accept", "_timestamp": 1_700_900_000, "_annotator_id": "animals-new"}
    return "".join(json.dumps({**task, **told}) + "\n" for task in tasks)


def argilla(sent: Path, label: str) -> str:
    """Records of another data set, as ``to_json`` writes them: the suggestions that went out are in it."""
    records = json.loads(sent.read_text(encoding="utf-8"))
    for n, record in enumerate(records):
        answer = {"value": label, "user_id": "40000000-0000-4000-8000-000000000000"}
        record |= {"responses": {"mood": [answer]}, "status": "completed", "_server_id": f"srv-new-{n}"}
    return json.dumps(records)


def doccano(sent: Path, label: str) -> str:
    """The examples with other ids, and what one annotator said."""
    examples = [json.loads(line) for line in sent.read_text(encoding="utf-8").splitlines()]
    told = [{"id": 5000 + n, **one, "label": [label], "Comments": []} for n, one in enumerate(examples)]
    return "".join(json.dumps(one) + "\n" for one in told)


def sagemaker(sent: Path, label: str, element: str = "crowd-classifier", worker: str = WORKER) -> dict[str, str]:
    """The folder of another job: answers below the number of their line, and the manifest with its own labels."""
    made, lines = {}, []
    for n, line in enumerate(sent.read_text(encoding="utf-8").splitlines()):
        content = {element: {"label": label}}
        told = {"answerContent": content, "submissionTime": "2024-05-01T10:00:00.000Z", "workerId": worker}
        made[f"annotations/worker-response/iteration-1/{n}/1.json"] = json.dumps({"answers": [told]})
        metadata = {"class-name": label, "confidence": 0.0, "type": "groundtruth/text-classification"}
        metadata |= {"job-name": "labeling-job/again", "human-annotated": "yes"}
        lines.append(json.dumps({**json.loads(line), "again": 0, "again-metadata": metadata}) + "\n")
    return {**made, "manifests/output/output.manifest": "".join(lines)}


def lay(path: Path, answers: str | dict[str, str]) -> None:
    """Write answers, a file or a folder of files, to a ``path``."""
    for name, text in {"": answers}.items() if isinstance(answers, str) else answers.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def zooniverse(sent: Path, label: str, *, uploaded: bool = False) -> str:
    """A new export: the old classifications, and others of subjects that were linked again or ``uploaded`` anew."""
    rows = _table(EXAMPLES / "zooniverse.csv")
    for n, row in enumerate(_table(sent)):
        subject = f"{990 + n}" if uploaded else row["#consensus_subject"]
        fields = {name: cell for name, cell in row.items() if uploaded or not name.startswith("#consensus_")}
        own = {"classification_id": f"{8000 + n}", "user_name": WORKER, "user_id": "77", "subject_ids": subject}
        own |= {"created_at": "2021-06-05 10:00:00 UTC", "gold_standard": "", "expert": "", "metadata": "{}"}
        own["annotations"] = json.dumps([{"task": "T0", "task_label": "Is there an animal?", "value": label}])
        own["subject_data"] = json.dumps({subject: {"retired": None, **fields}})
        rows.append({**rows[0], **own})
    return _text(rows)


ANSWERED: dict[str, Callable[[Path, str], str | dict[str, str]]] = {
    "argilla": argilla,
    "crowdflower": crowdflower,
    "crowdflower-json": crowdflower_json,
    "doccano": doccano,
    "label-studio": label_studio,
    "mturk": mturk,
    "prodigy": prodigy,
    "sagemaker": sagemaker,
    "toloka": toloka,
    "zooniverse": zooniverse,
}
