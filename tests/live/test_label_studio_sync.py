import dataclasses
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from consensus.config import RunConfig
from consensus.errors import ConfigError, ServerError, StateError
from consensus.live import label_studio_notes as noting
from consensus.live import label_studio_server as serving
from consensus.live import label_studio_sync as syncing
from consensus.live.calls import Patience, RefusedError
from consensus.live.label_studio_answers import prediction
from consensus.live.label_studio_server import Question, Server
from consensus.state import State, durable
from tests.live.stand_in import LEGACY, PERSONAL, StandIn, result

QUICK = Patience(attempts=3, timeout=1.0, first=0.0, longest=0.0)


def crowd(n_tasks: int = 30) -> StandIn:
    rng = random.Random(5)
    studio = StandIn(n_tasks)
    for task in studio.tasks:
        for user in (1, 2, 3):
            studio.annotate(task, user, result(rng.choice(["no", "yes", "yes" if task % 2 else "no"])))
        studio.predict(task, "m1", result("yes" if task % 3 else "no"), 0.8)
        studio.predict(task, None, result("yes"), 7.0)
    return studio


def synced(studio: StandIn, folder: Path, token: str = LEGACY, **more: Any) -> syncing.Synced:
    server = Server("http://studio/", token, 1, QUICK, transport=studio.transport(), sleep=lambda _: None)
    settings = more.pop("settings", RunConfig())
    try:
        return syncing.sync(server, folder, settings, url="http://studio/", **more)
    finally:
        server.close()


def judged(folder: Path) -> dict[tuple[str, str], str]:
    read = State.open(folder).inputs().judgments
    assert read is not None
    workers, items = read.worker_ids, read.item_ids
    codes = zip(read.item, read.worker, read.label, strict=True)
    return {(str(items[i]), str(workers[w])): read.labels[label] for i, w, label in codes}


def given(studio: StandIn) -> dict[tuple[str, str], str]:
    """What counts: the last annotation of a worker on a task, if it is no skip."""
    last = {
        (str(task), str(one["completed_by"])): one for task in studio.tasks for one in studio.tasks[task]["annotations"]
    }
    return {
        pair: one["result"][0]["value"]["choices"][0]
        for pair, one in last.items()
        if one["result"] and not one["was_cancelled"]
    }


def votes(folder: Path) -> set[str]:
    read = State.open(folder).last().result.models
    return set() if read is None else set(read.votes.models)


def test_votes_that_are_deleted_count_no_more(tmp_path: Path) -> None:
    studio, folder = crowd(), tmp_path / "state"
    synced(studio, folder)
    studio.forget("m1")
    done = synced(studio, folder)
    assert done.said[1] == "all votes of 1 model were deleted, and count no more: m1"
    assert votes(folder) == {"prediction"}
    studio.forget(None)
    done = synced(studio, folder)
    assert done.said[0] == "0 judgments are new, 0 corrected, 0 taken back"
    assert votes(folder) == set()
    assert synced(studio, folder).told == 0
    for task in studio.tasks:
        studio.predict(task, "m1", result("yes" if task % 3 else "no"), 0.8)
        studio._touch(task)
    done = synced(studio, folder)
    assert done.said[0].endswith("; new votes of 1 model")
    assert votes(folder) == {"m1"}


def test_what_is_there_comes_in_and_what_is_found_goes_back(tmp_path: Path) -> None:
    studio, folder = crowd(), tmp_path / "state"
    done = synced(studio, folder)
    assert (done.new, done.corrected, done.taken_back, done.predictions, done.told) == (90, 0, 0, 30, 30)
    assert judged(folder) == given(studio)
    run = State.open(folder).last()
    assert run.result.models is not None
    assert set(run.result.models.votes.models) == {"m1", "prediction"}
    labels = run.labels.set_index("item")
    for task, one in studio.predictions():
        assert one["result"] == result(labels.loc[str(task), "label"])
        assert one["score"] == pytest.approx(labels.loc[str(task), "confidence"], abs=1e-6)
    asked = run.escalations.set_index("item")["judgments_needed"].to_dict()
    for task, of in studio.tasks.items():
        needed = asked.get(str(task), 0)
        assert of["meta"]["consensus"]["needed"] == needed
        assert of["meta"]["own"] == task - 1
        said = [one["result"] for one in of["annotations"]]
        share = said.count(result(labels.loc[str(task), "label"])) / 3
        assert of["meta"]["consensus"]["agreement"] == pytest.approx(share, abs=1e-4)
        assert (serving.NEEDED in of["data"]) == (needed > 0)
        assert of["data"]["text"] == f"t{task - 1}"
    assert done.asked == sum(of["data"].get(serving.NEEDED, 0) > 0 for of in studio.tasks.values()) > 0
    (view,) = studio.views
    assert view["data"]["ordering"] == ["-tasks:data.consensus_priority"]
    written = pd.read_csv(folder / "label_studio" / "workers.csv")
    assert written["worker"].tolist()[:3] == ["1", "2", "3"]


@pytest.mark.parametrize("token", [LEGACY, PERSONAL])
def test_done_twice_it_changes_nothing(tmp_path: Path, token: str) -> None:
    studio, folder = crowd(), tmp_path / "state"
    synced(studio, folder, token)
    before, chain = json.dumps(studio.tasks), State.open(folder).manifest.chain
    studio.requests.clear()
    done = synced(studio, folder, token)
    assert dataclasses.replace(done, said=(), asked=0) == syncing.Synced()
    assert done.said[0] == "0 judgments are new, 0 corrected, 0 taken back"
    assert (json.dumps(studio.tasks), State.open(folder).manifest.chain) == (before, chain)
    assert {method for method, path in studio.requests if "token" not in path} == {"GET"}


def test_only_what_changed_is_read_again(tmp_path: Path) -> None:
    studio, folder = StandIn(1200), tmp_path / "state"
    for task in studio.tasks:
        studio.annotate(task, 1, result("yes"))
    pages = [path for _, path in studio.requests if path == "/api/tasks/"]
    assert not synced(studio, folder, dry_run=True).predictions
    pages = [path for _, path in studio.requests if path == "/api/tasks/"]
    assert len(pages) == 3
    assert not folder.exists()
    notes = noting.Notes("http://studio", 1, "kind", "id", since=studio.tasks[1150]["updated_at"])
    server = Server("http://studio", LEGACY, 1, QUICK, transport=studio.transport())
    found, since = syncing._read(server, notes, notes.since, None)
    assert (min(map(int, found.judged)), since) == (1091, studio.tasks[1200]["updated_at"])  # from 60 s before


@pytest.mark.parametrize("silently", [False, True])
def test_corrections_skips_and_deletions(tmp_path: Path, silently: bool) -> None:
    studio, folder = crowd(), tmp_path / "state"
    first = {task: studio.tasks[task]["annotations"][0] for task in studio.tasks}
    synced(studio, folder)
    other = "no" if first[1]["result"] == result("yes") else "yes"
    studio.correct(1, first[1]["id"], result(other))
    studio.correct(2, first[2]["id"], result("yes"), was_cancelled=True)
    studio.delete(3, first[3]["id"], silently=silently)
    twice = studio.annotate(4, 1, result("no" if first[4]["result"] == result("yes") else "yes"))
    studio.annotate(5, 4, result("yes"))
    del studio.tasks[6]
    done = synced(studio, folder)
    assert (done.new, done.corrected, done.taken_back) == (1, 3, 4)
    assert judged(folder) == given(studio)
    assert {task for task, _ in studio.predictions()} == set(studio.tasks)
    assert len({one["model_version"] for _, one in studio.predictions()}) == 1
    studio.delete(4, twice, silently=silently)  # what they said first stands again
    studio.correct(2, first[2]["id"], result("yes"), was_cancelled=False)
    studio.correct(1, first[1]["id"], first[1]["result"])
    synced(studio, folder)
    assert judged(folder) == given(studio)


class KilledError(BaseException):
    pass


def test_killed_anywhere_it_is_done_by_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each request that writes, and each step that puts what came into the state, one run ends."""
    whole, n_steps = _second_sync(tmp_path / "whole", monkeypatch, None)
    assert n_steps > 30
    for step in (*range(12), n_steps - 1):
        found, _ = _second_sync(tmp_path / f"killed-{step}", monkeypatch, step)
        assert found == whole, step


def _second_sync(folder: Path, monkeypatch: pytest.MonkeyPatch, kill_at: int | None) -> tuple[Any, int]:
    studio = crowd()
    synced(studio, folder)
    first = {task: studio.tasks[task]["annotations"][0] for task in studio.tasks}
    studio.correct(2, first[2]["id"], result("yes"), was_cancelled=True)
    studio.delete(3, first[3]["id"])
    for task in range(5, 25):
        studio.annotate(task, 4, result("yes"))
    steps = 0

    def step() -> Any:
        nonlocal steps
        steps += 1
        if steps - 1 == kill_at:
            raise KilledError
        return None

    with monkeypatch.context() as patched:
        for name in ("put",):
            kept = getattr(durable, name)
            patched.setattr(durable, name, lambda *a, kept=kept: (step(), kept(*a))[1])
        append = State.append
        patched.setattr(State, "append", lambda *a, **k: (step(), append(*a, **k), step())[1])
        studio.fails = lambda method, _: step() if method != "GET" else None
        try:
            synced(studio, folder)
        except KilledError:
            assert kill_at is not None
    studio.fails = lambda *_: None
    synced(studio, folder)
    assert judged(folder) == given(studio)
    told = [(task["id"], task["meta"], task["data"]) for task in studio.tasks.values()]
    predictions = [(task, one["result"], one["score"]) for task, one in studio.predictions()]
    assert not list((folder / "label_studio").glob("*-*.csv"))
    return (told, predictions, len(studio.views)), steps


def test_predictions_whose_answer_was_lost_are_not_doubled(tmp_path: Path) -> None:
    studio, folder = crowd(), tmp_path / "state"
    lost = 2

    def lose(_: str, path: str) -> httpx.Response | None:
        nonlocal lost
        if path.endswith("/import/predictions") and lost:
            lost -= 1
            studio.predict(1, "consensus@" + State.open(folder).manifest.chain[:8], result("yes"), 0.5)
            return httpx.Response(502)
        return None

    studio.fails = lose
    synced(studio, folder)
    assert len(studio.predictions()) == 30
    studio.tasks[1]["predictions"].pop()  # somebody deleted one
    lost = 99
    with pytest.raises(ServerError, match="import/predictions: the server answered 502; see to the server"):
        synced(studio, folder)
    lost = 0
    assert synced(studio, folder).predictions == 30
    assert len(studio.predictions()) == 30


def test_a_personal_token_is_exchanged_again_when_it_ends(tmp_path: Path) -> None:
    studio = crowd(6)

    def end(method: str, path: str) -> None:
        if method == "PATCH" and path == "/api/tasks/3/" and studio.n_access == 1:
            studio.n_access = 7  # the one that was given is worth nothing now

    studio.fails = end
    synced(studio, tmp_path / "state", PERSONAL)
    assert studio.n_access == 8


@pytest.mark.parametrize("token", ["f" * 40, "eyJa.eyJb.c"])
def test_no_secret_and_no_address_stands_anywhere(
    tmp_path: Path, token: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    studio, folder = crowd(), tmp_path / "state"
    synced(studio, folder, PERSONAL)
    studio.fails = lambda *_: httpx.Response(401, text=f"{token} {PERSONAL} {LEGACY} of zoë1@example.org")
    with pytest.raises(RefusedError, match="see whether the token or secret is the right one") as caught:
        synced(studio, folder, token)
    out = capfd.readouterr()
    texts = [str(caught.value), repr(caught.value), out.out, out.err, caplog.text]
    texts = [one.replace(PERSONAL, "").replace(LEGACY, "") if one in texts[:2] else one for one in texts]
    texts += [path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()]
    assert len(texts) > 10
    for text in texts:
        assert not any(one in text for one in (token, PERSONAL, LEGACY, "access-1", "@example.org"))
    assert token not in repr(Server("http://h", token, 1)._caller)


def test_workers_by_address_only_where_that_is_wanted(tmp_path: Path) -> None:
    studio = crowd(6)
    synced(studio, tmp_path / "state", worker="email")
    assert {worker for _, worker in judged(tmp_path / "state")} == {f"zoë{n}@example.org" for n in (1, 2, 3)}


def test_one_of_several_questions(tmp_path: Path) -> None:
    config = {
        "kind": {"type": "Choices", "to_name": ["text"], "labels": ["no", "yes"]},
        "tone": {"type": "Choices", "to_name": ["text"], "labels": ["mild", "größer"]},
        "note": {"type": "TextArea", "to_name": ["text"]},
    }
    studio = StandIn(8, config)
    for task in studio.tasks:
        for user in (1, 2, 3):
            both = result("größer", "tone") + result("yes")
            studio.annotate(task, user, both if user < 3 else result("no"))
        studio.predict(task, "m1", result("größer", "tone") + result("yes"), 0.7)
    with pytest.raises(ConfigError, match="several questions: kind, tone; choose one with --field"):
        synced(studio, tmp_path / "state")
    with pytest.raises(ConfigError, match="--field note: the project asks no such question; choose one of: kind, tone"):
        synced(studio, tmp_path / "state", field="note")
    synced(studio, tmp_path / "state", field="tone")
    assert set(judged(tmp_path / "state").values()) == {"größer"}
    assert all(one["result"] == result("größer", "tone") for _, one in studio.predictions())
    with pytest.raises(StateError, match="made with the question tone, not kind; give each a state of its own"):
        synced(studio, tmp_path / "state", field="kind")


def test_a_project_that_asks_nothing_and_one_that_nobody_judged(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="asks nothing with fixed answers"):
        synced(StandIn(2, {"note": {"type": "TextArea", "to_name": ["text"]}}), tmp_path / "state")
    assert synced(StandIn(0), tmp_path / "none").new == 0
    done = synced(StandIn(2), tmp_path / "state")
    assert done.said[-1] == "nobody judged anything yet: there is nothing to fit"


def test_what_can_not_be_read_is_told_and_counts_as_skipped(tmp_path: Path) -> None:
    studio = crowd(6)
    studio.annotate(1, 4, [{"from_name": "kind", "to_name": "text", "type": "choices", "value": {"choices": [None]}}])
    studio.annotate(2, 4, ["no object"])  # type: ignore[list-item]
    studio.annotate(3, 4, result("yes"), completed_by={"id": 4, "email": "ann@example.org"})
    studio.predict(1, "m2", [{"from_name": "kind", "type": "choices", "value": {"choices": [None]}}], "high")
    studio.predict(2, "m3", result("yes", "other"))
    older = {**studio.tasks[4]["annotations"][0], "id": 0, "result": []}
    studio.tasks[4]["annotations"].append(older)
    studio.predict(3, "m3", result("yes"), "high")
    done = synced(studio, tmp_path / "state")
    assert "note: 2 annotations can't be read: they count as skipped" in done.said
    found = judged(tmp_path / "state")
    assert ("3", "4") in found
    assert ("4", "1") in found


def test_a_state_of_something_else_is_refused(tmp_path: Path) -> None:
    studio = crowd(6)
    State.create(tmp_path / "own", RunConfig())
    with pytest.raises(StateError, match="not made by a sync"):
        synced(studio, tmp_path / "own")
    synced(studio, tmp_path / "state", settings=RunConfig(target=0.8))
    synced(studio, tmp_path / "state", settings=RunConfig(target=0.8))
    with pytest.raises(ConfigError, match="setting target: the state was made with another one"):
        synced(studio, tmp_path / "state", settings=RunConfig(target=0.9))
    with pytest.raises(StateError, match="made with the --worker id, not email"):
        synced(studio, tmp_path / "state", worker="email", dry_run=True)
    (tmp_path / "state" / "label_studio" / "notes.json").write_text("{")
    with pytest.raises(StateError, match="no notes of a sync"):
        synced(studio, tmp_path / "state")


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>"), httpx.Response(200, json={"a": 1})])
@pytest.mark.parametrize("path", ["/api/projects/1/", "/api/tasks/", "/api/token/refresh"])
def test_another_server(tmp_path: Path, answer: httpx.Response, path: str) -> None:
    studio = crowd(6)
    studio.fails = lambda _, asked: answer if asked == path else None
    with pytest.raises(ServerError, match="not that of a Label Studio of 1.20 or newer"):
        synced(studio, tmp_path / "state", PERSONAL)


def test_the_token_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(serving.TOKEN, raising=False)
    with pytest.raises(ConfigError, match="LABEL_STUDIO_TOKEN is not set"):
        serving.token_of_environment()
    monkeypatch.setenv(serving.TOKEN, "two words")
    with pytest.raises(ConfigError, match="holds no token"):
        serving.token_of_environment()
    monkeypatch.setenv(serving.TOKEN, f" {LEGACY}\n")
    assert serving.token_of_environment() == LEGACY


@pytest.mark.parametrize(
    ("kind", "label", "value"),
    [
        ("Choices", "a | b", ["a | b"]),
        ("Choices", "x | y", ["x", "y"]),
        ("Choices", '["x|", "y"]', ["x|", "y"]),
        ("Choices", "[odd", ["[odd"]),
        ("Taxonomy", "r/x | r/y", [["r", "x"], ["r", "y"]]),
        ("Rating", "4", 4),
    ],
)
def test_labels_as_the_server_takes_them(kind: str, label: str, value: Any) -> None:
    made = prediction("3", Question("q", kind, "text", ("a | b",)), label, 0.5, "consensus@1")
    (one,) = made["result"]
    assert one["value"] == {kind.lower(): value}
    assert (made["task"], one["from_name"], one["to_name"], one["type"]) == (3, "q", "text", kind.lower())


def test_tasks_that_are_told_are_noted_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "TOLD", 2)
    monkeypatch.setattr(syncing, "BLOCK", 4)
    studio = crowd(6)
    studio.fails = lambda method, path: httpx.Response(403) if (method, path) == ("PATCH", "/api/tasks/5/") else None
    with pytest.raises(RefusedError, match="see what the token may do"):
        synced(studio, tmp_path / "state")
    notes = noting.Notes.read(tmp_path / "state")
    assert notes is not None
    assert len(notes.told) == 4
    assert notes.n_judged == 18


def test_tasks_that_are_deleted_meanwhile_are_passed_over(tmp_path: Path) -> None:
    studio = crowd(6)

    def delete(_: str, path: str) -> None:
        if path == "/api/dm/views/" or path.endswith("/import/predictions"):
            studio.tasks.pop(5, None)

    studio.fails = delete
    assert synced(studio, tmp_path / "state").told == 5
    assert all("consensus" in task["meta"] for task in studio.tasks.values())


def test_a_single_judgment_a_task_asks_for_more(tmp_path: Path) -> None:
    """Nothing can be expected of so few: needs and priorities are not known, and each is asked for once more."""
    studio = StandIn(4)
    for task in studio.tasks:
        studio.annotate(task, 1, result("yes" if task % 2 else "no"))
    assert synced(studio, tmp_path / "state").asked == 4
    data = [task["data"] for task in studio.tasks.values()]
    assert [(one["consensus_needed"], one["consensus_priority"]) for one in data] == [(1, 0.0)] * 4
    assert [one["score"] for _, one in studio.predictions()] == [None] * 4
    told = [task["meta"]["consensus"] for task in studio.tasks.values()]
    assert told == [{"agreement": 1.0, "needed": 1, "reason": "too_few"}] * 4


@pytest.mark.parametrize(("now", "known"), [(1.04, True), (0.96, True), (1.06, False), (0.94, False)])
def test_a_priority_that_hardly_moved_is_not_told(now: float, *, known: bool) -> None:
    assert syncing._is_told([0.5, 1, 1.0, "disagreement"], [0.5, 1, now, "disagreement"]) is known
    assert not syncing._is_told([0.5, 1, 1.0, "disagreement"], [0.5, 2, 1.0, "disagreement"])
    assert not syncing._is_told(None, [0.5, 1, 1.0, "disagreement"])


@pytest.mark.slow
@pytest.mark.compiled
def test_many_tasks_take_less_than_two_minutes(tmp_path: Path) -> None:
    """Beside the server's own time: the stand-in answers at once. CONSENSUS_LIVE_TASKS=10000 is what is promised."""
    n_tasks = int(os.environ.get("CONSENSUS_LIVE_TASKS", "2000"))
    studio = crowd(n_tasks)
    begin = time.perf_counter()
    first = synced(studio, tmp_path / "state")
    between = time.perf_counter()
    again = synced(studio, tmp_path / "state")
    end = time.perf_counter()
    assert (first.new, first.told, again.told) == (3 * n_tasks, n_tasks, 0)
    assert between - begin < 120
    sys.stdout.write(f"first {between - begin:.1f} s, again {end - between:.1f} s, {len(studio.requests)} requests\n")
