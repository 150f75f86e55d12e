"""Sound exports of platforms to be damaged: the made-up ones of the tests, and other forms of them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consensus.formats import platforms
from tests.fuzz.damage import JSON, LINES, TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


EXAMPLES = Path(__file__).parents[1] / "platforms"
NAMES = (*(one.NAME for one in platforms.PLATFORMS), platforms.NONE)


@dataclass(frozen=True)
class Export:
    """An export, and what a user may say of it."""

    name: str
    platform: str
    form: str
    content: bytes = b""
    ending: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Instead of the content, those of a folder."""
    question: str = "label"
    words: Sequence[str] = ("id",)
    """Columns or keys that may be named."""

    @property
    def several(self) -> bool:
        """Whether it asks several questions."""
        return self.name in {"label-studio-min-several", "argilla-statuses"}


QUESTIONS = {
    "argilla": "mood",
    "crowdflower": "colour",
    "crowdflower-json": "colour",
    "doccano": "label",
    "label-studio": "mood",
    "lewidi": "annotations",
    "mturk": "mood",
    "prodigy": "answer",
    "sagemaker": "crowd-classifier",
    "toloka": "result",
    "zooniverse": "T0",
}


def _examples() -> list[Export]:
    found = []
    for path in sorted(EXAMPLES.iterdir()):
        name, content = path.stem, path.read_bytes()
        form = {".json": JSON, ".jsonl": LINES}.get(path.suffix, TABLE)
        form = LINES if name == "crowdflower-json" else form
        platform = name if name in NAMES else platforms.NONE
        words = tuple(_words(content.decode(), form))
        found.append(
            Export(name, platform, form, content, path.suffix, question=QUESTIONS.get(name, "label"), words=words)
        )
    return found


def _words(text: str, form: str) -> list[str]:
    if form == TABLE:
        first = text.partition("\n")[0]
        return next(csv.reader([first], delimiter="\t" if "\t" in first else ","))
    whole = [json.loads(line) for line in text.splitlines()] if form == LINES else json.loads(text)
    one = whole[0] if isinstance(whole, list) else next(iter(whole.values()))
    inner = [f"{key}.{name}" for key, value in one.items() if isinstance(value, dict) for name in value]
    return [*one, *inner]


def _json(whole: Any) -> bytes:
    return json.dumps(whole).encode()


def _delimited(records: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(records[0]))
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue().encode()


def _label_studio() -> list[Export]:
    """JSON-MIN, and CSV."""
    flat = [
        {"id": n // 3, "text": f"text {n // 3}", "annotation_id": n, "annotator": n % 3 + 1, "lead_time": 2.5 + n,
         "created_at": f"2024-03-01T10:{n:02}:05Z", "updated_at": f"2024-03-01T11:{n:02}:05Z",
         "mood": ("fine", "bad")[n % 5 % 2]}
        for n in range(24)
    ]  # fmt: skip
    words = tuple(flat[0])
    more = [one | {"topics": {"choices": ["a", "b"]}} for one in flat]
    return [
        Export("label-studio-min", "label-studio", JSON, _json(flat), ".json", question="mood", words=words),
        Export("label-studio-min-several", "label-studio", JSON, _json(more), ".json", question="mood", words=words),
        Export("label-studio-csv", "label-studio", TABLE, _delimited(flat), ".csv", question="mood", words=words),
    ]


def _mturk() -> list[Export]:
    """Of the command-line tools, and with several items a HIT."""
    old = "\r\n".join(
        "\t".join(f'"{cell}"' for cell in row)
        for row in [
            ("hitid", "hittypeid", "title", "reward", "annotation", "assignmentid", "workerid", "assignmentstatus",
             "assignmentaccepttime", "assignmentsubmittime", "Answer.mood", "Answer.note"),
            *[(f"H{n // 3}", "T", "t", "$0.05", f"row{n // 3}", f"A{n}", f"W{n % 3}",
               ("Approved", "Rejected", "Submitted")[n % 7 % 3], "Sat Mar 09 19:00:00 PST 2024",
               f"Sat Mar 09 19:0{n % 9}:20 PST 2024", ("fine", "bad")[n % 5 % 2], "") for n in range(18)],
        ]
    )  # fmt: skip
    several = [
        {"HITId": f"H{n // 3}", "HITTypeId": "T", "Reward": "$0.05", "AssignmentId": f"A{n}", "WorkerId": f"W{n % 3}",
         "AssignmentStatus": "Approved", "AcceptTime": "Sat Mar 09 19:00:00 PST 2024",
         "SubmitTime": "Sat Mar 09 19:00:20 PST 2024", "WorkTimeInSeconds": "20", "Input.url1": f"u{n // 3}a",
         "Input.url2": f"u{n // 3}b", "Answer.mood1": "fine", "Answer.mood2": ("fine", "bad")[n % 2]}
        for n in range(12)
    ]  # fmt: skip
    inner = [
        {**{key: value for key, value in one.items() if not key.startswith("Answer")},
         "Answer.taskAnswers": json.dumps([{"mood": {"fine": n % 2 == 0, "bad": n % 2 == 1}}])}
        for n, one in enumerate(several)
    ]  # fmt: skip
    return [
        Export("mturk-old", "mturk", TABLE, old.encode(), ".tsv", question="mood", words=("hitid", "annotation")),
        Export("mturk-several", "mturk", TABLE, _delimited(several), ".csv", question="mood", words=tuple(several[0])),
        Export("mturk-json", "mturk", TABLE, _delimited(inner), ".csv", question="mood", words=tuple(inner[0])),
    ]


def _sagemaker() -> Export:
    """The folder of a job."""
    files = {
        f"annotations/worker-response/iteration-1/{n}/2024-01-01_00:00:0{n}.json": _json(
            {
                "answers": [
                    {
                        "answerContent": {"crowd-classifier": {"label": ("a", "b")[(n + w) % 3 % 2]}},
                        "submissionTime": f"2024-01-01T00:0{w}:0{n}Z",
                        "timeSpentInSeconds": 3.5 + w,
                        "workerId": f"private.{w}",
                        "workerMetadata": {"identityData": {"sub": "aa@example.org"}},
                    }
                    for w in range(3)
                ]
            }
        )
        for n in range(5)
    }
    lines = [
        json.dumps({"source-ref": f"s3://b/p{n}.png", "job": 0, "job-metadata": {"class-name": "a"}}) for n in range(5)
    ]
    files["manifests/output/output.manifest"] = ("\n".join(lines) + "\n").encode()
    return Export("sagemaker-folder", "sagemaker", JSON, files=files, question="crowd-classifier", words=("workerId",))


def _judges() -> list[Export]:
    """Logs of inspect, and results of promptfoo."""
    scorers = [{"name": "model_graded_qa", "options": {"model": "m/a"}}, {"name": "match", "options": {}}]
    log = {
        "version": 2,
        "status": "success",
        "eval": {"run_id": "r", "task": "t", "model": "maker/one", "scorers": scorers},
        "samples": [
            {
                "id": n,
                "epoch": 1 + n % 2,
                "scores": {"model_graded_qa": {"value": "CI"[n % 2]}, "match": {"value": "C"}},
            }
            for n in range(8)
        ],
    }
    results = [
        {
            "testIdx": n, "promptIdx": 0, "provider": {"id": "maker/one"}, "testCase": {"description": f"d{n}"},
            "gradingResult": {"componentResults": [
                {"pass": n % 2 == 0, "score": 1,
                 "assertion": {"type": "llm-rubric", "value": "is kind", "provider": "m"}}
            ]},
        }
        for n in range(8)
    ]  # fmt: skip
    whole = {"evalId": "e", "results": {"version": 3, "prompts": [], "results": results}}
    return [
        Export("inspect", platforms.NONE, JSON, _json(log), ".json", words=("eval.task", "status")),
        Export("promptfoo", platforms.NONE, JSON, _json(whole), ".json", words=("evalId",)),
    ]


def _argilla() -> Export:
    """Responses with statuses."""
    records = [
        {"id": f"r{n}", "fields": {"text": "t"}, "responses": [
            {"user_id": f"u{w}", "status": ("submitted", "draft", "discarded")[(n + w) % 7 % 3],
             "values": {"mood": {"value": ("pos", "neg")[(n + w) % 3 % 2]}, "topics": {"value": ["a", "b"]}}}
            for w in range(3)
        ], "suggestions": [{"question_name": "mood", "value": "pos", "score": 0.5, "agent": "m"}]}
        for n in range(8)
    ]  # fmt: skip
    return Export(
        "argilla-statuses", "argilla", JSON, _json(records), ".json", question="mood", words=("id", "fields.text")
    )


EXPORTS = (*_examples(), *_label_studio(), *_mturk(), _sagemaker(), *_judges(), _argilla())
