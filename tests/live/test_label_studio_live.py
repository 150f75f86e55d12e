"""A real Label Studio, from its own package, on loopback: two rounds of annotations, a kill, and what they bring."""

from __future__ import annotations

import os
import random
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

from consensus.live import label_studio_server as serving
from consensus.state import State
from tests.live.stand_in import result
from tests.live.studio import COMMAND, CONFIG, LABELS, Studio, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.skipif(
        COMMAND is None, reason="label-studio is not installed; CONSENSUS_LABEL_STUDIO names its command"
    ),
]
SKILLS = {"first": 0.9, "second": 0.8, "third": 0.55}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with started(tmp_path_factory.mktemp("label_studio")) as server:
        yield server


def _project(studio: Studio, rng: random.Random, truth: list[str]) -> tuple[int, list[int]]:
    """A project with a task a label of ``truth``, and the votes of two models; its id, and those of the tasks."""
    project = studio.ask("POST", "/api/projects/", json={"title": "rounds", "label_config": CONFIG})["id"]
    tasks = []
    for n, label in enumerate(truth):
        votes = [("good", 0.75), ("weak", 0.5)]
        given = [(name, label if rng.random() < skill else rng.choice(LABELS), skill) for name, skill in votes]
        tasks.append(
            {
                "data": {"text": f"text {n}"},
                "predictions": [
                    {"model_version": name, "score": skill, "result": result(said)} for name, said, skill in given
                ],
            }
        )
    studio.ask("POST", f"/api/projects/{project}/import", json=tasks)
    found = studio.ask("GET", "/api/tasks/", params={"project": project, "page_size": len(truth), "page": 1})
    return int(project), sorted(task["id"] for task in found["tasks"])


def _said(rng: random.Random, label: str, skill: float) -> str:
    return label if rng.random() < skill else rng.choice([one for one in LABELS if one != label])


def _accuracy(folder: Path, truth: dict[str, str]) -> float:
    labels = State.open(folder).last().labels
    n_right = sum(truth[item] == label for item, label in zip(labels["item"], labels["label"], strict=True))
    return int(n_right) / len(truth)


class KilledError(BaseException):
    pass


class Killed(serving.Server):
    """Ends in the middle of what tasks are told."""

    n_left = 7

    def change(self, task: str, fields: Any) -> None:
        if not self.n_left:
            raise KilledError
        self.n_left -= 1
        super().change(task, fields)


@pytest.mark.parametrize("seed", [int(one) for one in os.environ.get("CONSENSUS_LIVE_SEEDS", "11").split(",")])
def test_two_rounds(
    studio: Studio, tmp_path: Path, seed: int, record_property: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(seed)
    truth = [rng.choice(LABELS) for _ in range(200)]
    project, tasks = _project(studio, rng, truth)
    known = dict(zip(map(str, tasks), truth, strict=True))
    users = {name: studio.user(f"{name}-{seed}") for name in SKILLS}
    for task in tasks:
        for name in rng.sample(list(SKILLS), 2):
            studio.annotate(task, users[name], _said(rng, known[str(task)], SKILLS[name]))
    asked, drawn = tmp_path / "asked", tmp_path / "drawn"
    first = studio.sync(project, asked)
    assert (first.new, first.predictions, first.told) == (400, 200, 200)
    before = _accuracy(asked, known)
    shutil.copytree(asked, drawn)

    # a round of 60, where the view asks for them, in its order; who has not judged the task
    views = studio.ask("GET", "/api/dm/views/", params={"project": project})
    (view,) = [one["id"] for one in views if one["data"]["title"] == serving.VIEW]
    listed = studio.ask("GET", "/api/tasks/", params={"view": view, "page": 1, "page_size": 200, "fields": "all"})[
        "tasks"
    ]
    assert len(listed) == first.asked >= 60
    priorities = [task["data"][serving.PRIORITY] for task in listed]
    assert priorities == sorted(priorities, reverse=True)
    answers = {task: _said(rng, known[str(task)], 0.8) for task in tasks}
    extra = studio.user(f"extra-{seed}")
    for task in listed[:60]:
        studio.annotate(task["id"], extra, answers[task["id"]])
    with pytest.raises(KilledError):
        studio.sync(project, asked, server=Killed)
    second = studio.sync(project, asked, studio.personal)
    assert second.new == 0  # they came before the kill
    after = _accuracy(asked, known)
    counts = studio.ask("GET", f"/api/projects/{project}/model-versions/")
    ours = {name: n for name, n in counts.items() if name.startswith("consensus@")}
    assert list(ours.values()) == [200]
    assert {name: counts[name] for name in ("good", "weak")} == {"good": 200, "weak": 200}

    third = studio.sync(project, asked, studio.personal)
    assert (third.new, third.corrected, third.taken_back, third.predictions, third.told) == (0, 0, 0, 0, 0)

    # the same 60 answers' worth, on tasks drawn at random
    state = State.open(drawn)
    rows = [{"item": str(task), "worker": str(extra), "label": answers[task]} for task in rng.sample(tasks, 60)]
    state.append(rows)
    state.update()
    at_random = _accuracy(drawn, known)
    record_property("accuracy", (before, after, at_random))
    sys.stdout.write(f"seed {seed}: {before:.1%} before, {after:.1%} where it asked, {at_random:.1%} at random\n")
    assert after >= before

    out = capfd.readouterr()
    with capfd.disabled():
        sys.stdout.write(f"\n{out.out}")
    texts = [out.out, out.err, *(path.read_bytes().decode("latin-1") for path in asked.rglob("*") if path.is_file())]
    for text in texts:
        assert not any(one in text for one in (studio.legacy, studio.personal, "@example.org"))


def test_addresses_in_the_data_stay_as_they_were(studio: Studio, tmp_path: Path) -> None:
    """The server shows addresses as links of its own, where a project has a login for them."""
    told = {"title": "pictures", "label_config": CONFIG, "task_data_login": "a", "task_data_password": "b"}
    project = studio.ask("POST", "/api/projects/", json=told)["id"]
    user = studio.user("of-pictures")
    data = [{"text": f"https://pictures.example/{n}.png"} for n in range(4)]
    tasks = [
        {"data": one, "annotations": [{"result": result(LABELS[n % 2]), "completed_by": user}]}
        for n, one in enumerate(data)
    ]
    studio.ask("POST", f"/api/projects/{project}/import", json=tasks)
    assert studio.sync(project, tmp_path / "state").told == 4
    asked = {"project": project, "page": 1, "page_size": 9, "resolve_uri": "false"}
    kept = studio.ask("GET", "/api/tasks/", params=asked)["tasks"]
    assert sorted(task["data"]["text"] for task in kept) == [one["text"] for one in data]
    assert any(serving.NEEDED in task["data"] for task in kept)
