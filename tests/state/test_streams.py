"""Streams: judgments come and count once, whatever happens; items go out as often as judgments are needed."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import consensus
from consensus import simulate
from consensus.config import RunConfig
from consensus.errors import ConfigError, FormatError, JudgmentError, StateError
from consensus.state import State, Stream, absorbing, appending, journal, streams
from consensus.state.changes import Changes
from tests.conftest import ROOT


def made(folder: Path, **settings: Any) -> Path:
    drawn = simulate(120, 12, 3, 3, seed=3)
    state = State.create(folder, RunConfig(model="dawid_skene", target=0.99, **settings))
    state.append(drawn.judgments_table())
    state.update()
    return folder


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("state") / "state")


@pytest.fixture
def folder(once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(once, tmp_path / "state"))


@pytest.fixture
def stream(folder: Path) -> Iterator[Stream]:
    with consensus.open(folder) as one:
        yield one


def told(item: str, worker: str, label: str = "label_0", **more: Any) -> dict[str, Any]:
    return {"item": item, "worker": worker, "label": label, **more}


def counts(changes: Changes) -> tuple[int, int, int]:
    return changes.new, changes.corrected, changes.repeated


def read(stream: Stream) -> consensus.Judgments:
    found = stream.run.inputs.judgments
    assert found is not None
    return found


def rows(stream: Stream) -> int:
    return read(stream).tally.read


class TestWhatComes:
    def test_is_new_corrected_or_repeated(self, stream: Stream) -> None:
        assert counts(stream.add([told("a", "u"), told("a", "v"), told("a", "u")])) == (2, 0, 1)
        assert counts(stream.add([told("a", "u", "label_1"), told("a", "u", "label_1")])) == (0, 1, 1)
        assert counts(stream.add([told("b", "u", judgment_id="1"), told("c", "u", judgment_id="1")])) == (1, 0, 1)
        j = stream.run.result.judgments
        item, worker, label = j.item_ids[int(j.item[0])].as_py(), j.worker_ids[int(j.worker[0])].as_py(), j.label[0]
        assert counts(stream.add([told(item, worker, j.labels[label])])) == (0, 0, 1)
        assert counts(stream.add([told(item, worker, j.labels[label - 1])])) == (0, 1, 0)
        assert counts(stream.add([])) == (0, 0, 0)

    def test_is_all_taken_or_not_at_all(self, stream: Stream) -> None:
        with pytest.raises(FormatError, match="judgment 2: worker is missing"):
            stream.add([told("a", "u"), {"item": "a", "label": "label_0"}])
        assert stream.n_new == 0

    def test_may_be_a_table(self, stream: Stream, tmp_path: Path) -> None:
        path = tmp_path / "new.csv"
        path.write_text("item,worker,label\na,u,label_0\nb,u,label_1\n")
        assert counts(stream.add(path)) == (2, 0, 0)
        assert counts(stream.add(path)) == (0, 0, 2)

    def test_is_in_the_state_once_after_the_next_fit(self, stream: Stream) -> None:
        before = rows(stream)
        odd = [told("2024-01-01", 'w "x"\n\u2028ü'), told("nan", "NA"), told("=1+1", "007"), told("null", "1e5")]
        odd[0] |= {"timestamp": "2026-03-09T14:30:00+02:00", "duration": 3}
        stream.add(odd)
        changes = stream.add([told("late", "u", judgment_id="x")], refit=True)
        assert changes.labels is not None
        assert set(changes.labels["item"]) >= {"2024-01-01", "nan", "=1+1", "null", "late"}
        j = read(stream)
        assert (rows(stream), stream.n_new) == (before + 5, 0)
        assert {one["item"] for one in odd} <= set(j.item_ids.to_pylist())
        assert {one["worker"] for one in odd} <= set(j.worker_ids.to_pylist())
        assert journal.files(stream._state.folder / "journal") == []
        stream.add([told("late", "u", judgment_id="x")])
        assert rows(stream) == before + 5
        stream.refit()
        assert rows(stream) == before + 5

    def test_the_same_journal_twice_is_two(self, folder: Path) -> None:
        """A worker comes back to what they said first: the bytes of the judgment are those of an earlier journal."""
        with consensus.open(folder) as stream:
            before = rows(stream)
            for label in ("label_0", "label_1", "label_0"):
                stream.add([told("a", "u", label)])
                stream.refit()
            assert rows(stream) == before + 3
            assert stream.item("a")["label"] is not None
            j = read(stream)
            at = j.item_ids.to_pylist().index("a")
            assert [j.labels[code] for code in j.label[j.item == at]] == ["label_0"]

    def test_gold_votes_and_retractions_count_from_the_next_fit(self, stream: Stream) -> None:
        stream.add([told("a", "u"), told("b", "u")])
        changes = stream.add(gold={"a": "label_2"}, retract=[{"item": "b", "worker": "u"}], refit=True)
        assert stream.item("a")["status"] == "gold"
        assert counts(changes) == (0, 0, 0)
        with pytest.raises(ConfigError, match='nobody judged an item "b"; look at its id'):
            stream.item("b")
        assert "came before" in stream.add(gold={"a": "label_2"}).said[0]

    def test_that_repeats_is_refused_where_the_settings_refuse_it(self, tmp_path: Path) -> None:
        with consensus.open(made(tmp_path / "strict", repeats="error")) as stream:
            stream.add([told("a", "u", judgment_id="1")])
            with pytest.raises(JudgmentError, match='judgment 2: worker "u" judged item "a" before') as caught:
                stream.add([told("b", "u"), told("a", "u")])
            assert caught.value.code == "repeated_judgment"
            with pytest.raises(JudgmentError, match='judgment 2: worker "v" judged item "a" before'):
                stream.add([told("a", "v"), told("a", "v")])
            assert counts(stream.add([told("a", "u", judgment_id="1")])) == (0, 0, 1)
            stream.refit()

    def test_of_a_state_whose_tables_have_columns_of_other_names(self, tmp_path: Path) -> None:
        settings: dict[str, Any] = {"item": "picture", "worker": "who", "label": "said", "delimiter": ";"}
        state = State.create(tmp_path / "other", RunConfig(**settings, no_header=False, model="dawid_skene"))
        path = tmp_path / "old.csv"
        path.write_text("picture;who;said;item\na;u;x;1\na;v;x;1\nb;u;y;2\n")
        state.append(path)
        with consensus.open(tmp_path / "other") as stream:
            before = rows(stream)
            stream.add([told("a", "w", "x"), told("c", "u", "y")])
            stream.add({"picture": ["d"], "who": ["u"], "said": ["x"]}, refit=True)
            assert rows(stream) == before + 3
            assert read(stream).item_ids.to_pylist() == ["a", "b", "c", "d"]

    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ({"wide": "workers"}, 'wide="workers": a state'),
            ({"keep": ("text",)}, "keep=: a state"),
            ({"worker_from_file": True}, "worker_from_file=True: a state"),
        ],
    )
    def test_of_a_state_with_more_than_that_is_refused(
        self, tmp_path: Path, settings: dict[str, Any], said: str
    ) -> None:
        State.create(tmp_path / "more", RunConfig(**settings))
        with pytest.raises(ConfigError, match="takes no judgments one by one; add files to it with") as caught:
            consensus.open(tmp_path / "more")
        assert said.split("=")[0] in str(caught.value)

    def test_with_a_label_that_is_not_in_the_set_is_refused(self, tmp_path: Path) -> None:
        named: dict[str, Any] = {"labels": ("label_0", "label_1", "label_2"), "abstain": ("none",), "fold": ("labels",)}
        State.create(tmp_path / "empty", RunConfig(**named))
        for folder in (made(tmp_path / "named", **named), tmp_path / "empty"):
            with consensus.open(folder) as stream:
                with pytest.raises(
                    FormatError, match='judgment 2: label "lbl" is none of the label set: label_0, '
                ) as no:
                    stream.add([told("a", "u"), told("a", "v", "lbl"), told("a", "w", "mbl"), told("b", "v", "lbl")])
                assert no.value.code == "unknown_label"
                stream.add([told("a", "u"), told("b", "u"), told("b", "v", "none")], refit=True)
        with consensus.open(tmp_path / "named") as stream:
            stream.add([told("a", "v", "Label_1")], refit=True)

    def test_many_people_under_one_name_never_repeat(self, tmp_path: Path) -> None:
        with consensus.open(made(tmp_path / "guests", anonymous=("guest",))) as stream:
            stream.add([told("item000", "guest"), told("item000", "guest")], refit=True)
            assert counts(stream.add([told("item000", "guest"), told("item000", "guest")])) == (2, 0, 0)


class TestAfterAnEnd:
    def test_what_came_counts_when_it_is_opened_again(self, folder: Path) -> None:
        with consensus.open(folder) as stream:
            before = rows(stream)
            stream.add([told("a", "u"), told("b", "u")])
        with (folder / "journal" / "000001.jsonl").open("ab") as file:
            file.write(b'{"item": "torn", "wor')
        with consensus.open(folder) as stream:
            assert stream.n_new == 2
            assert stream.item("a")["came"] == {"u": "label_0"}
            assert counts(stream.add([told("a", "u"), told("c", "u")])) == (1, 0, 1)
            stream.refit()
            assert rows(stream) == before + 4
        with consensus.open(folder) as stream:
            assert stream.n_new == 0

    def test_a_journal_that_the_manifest_names_is_not_taken_in_again(self, folder: Path) -> None:
        kept = folder.parent / "kept.jsonl"
        with consensus.open(folder) as stream:
            before = rows(stream)
            stream.add([told("a", "u")])
            shutil.copy(folder / "journal" / "000001.jsonl", kept)
            stream.refit()
        shutil.copy(kept, folder / "journal" / "000001.jsonl")  # as if it had been killed before it was removed
        assert absorbing.absorb_left(State.open(folder), 0.0) == 0
        assert journal.files(folder / "journal") == []
        shutil.copy(kept, folder / "journal" / "000001.jsonl")
        with consensus.open(folder) as stream:
            assert stream.n_new == 0
            stream.add([told("b", "u")])
            assert [path.name for path in journal.files(folder / "journal")] == ["000002.jsonl"]
            stream.refit()
            assert rows(stream) == before + 2

    def test_journals_that_were_left_are_taken_in_without_a_stream(self, folder: Path) -> None:
        state = State.open(folder)
        assert absorbing.absorb_left(state, 0.0) == 0
        with consensus.open(folder) as stream:
            stream.add([told("a", "u"), told("b", "u")])
            assert absorbing.absorb_left(state, 0.0) == 0  # its stream does that
        (folder / "journal" / "000002.jsonl").write_bytes(b"{torn")
        assert absorbing.absorb_left(state, 0.0) == 2
        assert journal.files(folder / "journal") == []
        assert State.open(folder).manifest.n_judgments == 362

    def test_a_changed_journal_is_an_error(self, folder: Path) -> None:
        (folder / "journal").mkdir()
        (folder / "journal" / "000001.jsonl").write_bytes(b"no\n")
        with pytest.raises(StateError, match="no judgment of a journal"):
            absorbing.absorb_left(State.open(folder), 0.0)
        with pytest.raises(StateError, match="no judgment of a journal"):
            consensus.open(folder)
        (folder / "journal" / "000001.jsonl").unlink()
        consensus.open(folder).close()  # the lock was given back

    def test_a_part_that_can_not_be_written_leaves_the_journal(
        self, stream: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stream.add([told("a", "u")])

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(appending.Appending, "settle", full)
            with pytest.raises(StateError, match="can't be written: no space left on device"):
                stream.refit()
            patch.setattr(appending.Appending, "settle", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                stream.refit()
        assert stream.n_new == 1
        stream.refit()
        assert stream.item("a")["n_judgments"] == 1

    def test_a_closed_one_says_so(self, folder: Path) -> None:
        stream = consensus.open(folder)
        stream.close()
        stream.close()
        for used in (lambda: stream.add([told("a", "u")]), lambda: stream.next(1), stream.refit):
            with pytest.raises(StateError, match="it was closed; open it again"):
                used()

    def test_one_at_a_time(self, stream: Stream) -> None:
        with pytest.raises(StateError, match="another process"):
            consensus.open(stream._state.folder, wait=0.0)

    def test_only_states_are_opened(self, tmp_path: Path) -> None:
        with pytest.raises(StateError, match="so it is no state"):
            consensus.open(tmp_path)
        with pytest.raises(ConfigError, match="folder: 3 is no path; name that of a state"):
            consensus.open(3)  # type: ignore[arg-type]

    @pytest.mark.slow
    def test_acknowledged_judgments_are_there_once_after_kill_9(self, folder: Path) -> None:
        program = (
            "import sys, threading, consensus\n"
            "stream, say = consensus.open(sys.argv[1]), threading.Lock()\n"
            "def work(t):\n"
            "    for n in range(10**6):\n"
            "        stream.add([{'item': f'new{n}', 'worker': f'{sys.argv[2]}-{t}', 'label': 'label_0'}])\n"
            "        with say: print(f'new{n} {sys.argv[2]}-{t}', flush=True)\n"
            "for t in range(4): threading.Thread(target=work, args=(t,), daemon=True).start()\n"
            "while True: stream.refit()\n"
        )
        acknowledged: list[str] = []
        for attempt in range(3):
            command = [sys.executable, "-W", "ignore", "-c", program, str(folder), f"k{attempt}"]
            with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                acknowledged += [process.stdout.readline().strip() for _ in range(60 + 50 * attempt)]
                process.kill()
                acknowledged += [one.strip() for one in process.stdout if one.endswith("\n")]
        with consensus.open(folder) as stream:
            stream.refit()
            j = read(stream)
        items, workers = j.item_ids.to_pylist(), j.worker_ids.to_pylist()
        there = Counter(f"{items[i]} {workers[w]}" for i, w in zip(j.item.tolist(), j.worker.tolist(), strict=True))
        assert {there[one] for one in acknowledged} == {1}
        assert j.tally.repeated == 0
        assert len([one for one in there if one.startswith("new")]) <= len(acknowledged) + 3 * 4


class TestWhatGoesOut:
    def test_most_urgent_first_and_none_that_the_worker_judged(self, stream: Stream) -> None:
        table = stream.run.escalations
        first = table["item"][0]
        assert stream.next(1)[0].item == first
        j = stream.run.result.judgments
        judged = {j.item_ids[int(i)].as_py() for i in j.item[j.worker == 4]}
        asked = [one.item for one in stream.next(500, j.worker_ids[4].as_py())]
        assert len(asked) == len(set(asked)) > 20
        assert not judged & set(asked)

    def test_what_a_worker_judges_or_is_asked_does_not_go_to_them_again(self, stream: Stream) -> None:
        asked = stream.next(3, "u")
        stream.add([told(asked[0].item, "u")])
        again = {one.item for one in stream.next(500, "u")}
        assert not again & {one.item for one in asked}
        other = stream.next(1, "v")[0].item
        stream.add([told(other, "w")])
        assert other not in {one.item for one in stream.next(500, "w")}

    def test_a_lease_that_is_over_gives_the_item_back(self, stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [100.0]
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        first = stream.next(2, "u", lease=10.0)
        everything = Counter(one.item for n in range(200) for one in stream.next(50, f"v{n}", lease=1_000.0))
        assert stream.next(50, "x") == []
        now[0] += 10.0
        assert [one.item for one in stream.next(50, "x", lease=5.0)] == sorted(
            [one.item for one in first], key=[one.item for one in first].index
        )
        assert stream.next(50, "y") == []
        assert sum(everything.values()) > 50
        assert stream.summary()["leases"] == sum(everything.values()) + 2

    def test_a_judgment_that_was_asked_for_is_counted_once(self, stream: Stream) -> None:
        ask = stream.next(1, "u")[0]
        left = stream.item(ask.item)["may_ask"]
        stream.add([told(ask.item, "u")])
        assert stream.item(ask.item)["may_ask"] == left
        stream.add([told(ask.item, "u", "label_1")])  # a correction asks for nothing more, nor less
        assert stream.item(ask.item)["may_ask"] == left
        stream.add([told(ask.item, "v")])
        assert stream.item(ask.item)["may_ask"] == max(left - 1, 0)

    def test_nobody_is_asked_whom_no_plan_would_name(self, stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
        worker = stream.run.workers["worker"][0]
        asking = stream._since.asking
        assert asking is not None
        monkeypatch.setattr(type(asking), "may_be_asked", lambda _, code: code != asking.worker_code(worker))
        assert stream.next(5, worker) == []
        assert stream.worker(worker)["is_asked"] is False
        assert len(stream.next(5, "new")) == 5

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"n": 0}, "n = 0: should be a whole number, 1 or more"),
            ({"lease": 0.0}, "lease = 0.0: should be seconds, more than 0"),
            ({"lease": float("nan")}, "lease = nan: should be seconds"),
            ({"lease": float("inf")}, "lease = inf: should be seconds"),
        ],
    )
    def test_numbers_out_of_range(self, stream: Stream, given: dict[str, Any], said: str) -> None:
        with pytest.raises(ConfigError, match=said):
            stream.next(**given)

    def test_many_threads_hand_out_nothing_twice(self, stream: Stream) -> None:
        needed = {item: stream.item(item)["may_ask"] for item in stream.run.escalations["item"]}
        handed: list[tuple[str, str]] = []
        errors: list[BaseException] = []

        def work(n: int) -> None:
            try:
                for step in range(12):
                    worker = f"u{n % 8}"  # two threads ask for each
                    asked = stream.next(3, worker)
                    handed.extend((one.item, worker) for one in asked)
                    if step % 2:
                        stream.add([told(one.item, worker) for one in asked])
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        stream.refit()  # a new plan comes in between
        for thread in threads:
            thread.join()
        assert not errors
        assert len(handed) == len(set(handed)) > 50
        del needed

    def test_many_threads_hand_out_no_more_than_is_needed(self, stream: Stream) -> None:
        needed = {item: stream.item(item)["may_ask"] for item in stream.run.escalations["item"]}
        handed: Counter[str] = Counter()
        lock = threading.Lock()

        def work(n: int) -> None:
            for step in range(40):
                asked = stream.next(2, f"u{n}-{step}")
                with lock:
                    handed.update(one.item for one in asked)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert handed == {item: n for item, n in needed.items() if n}


class TestANewPlan:
    def test_knows_what_came_while_it_was_made_and_the_leases(
        self, stream: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(streams, "FEW", 1)
        asked = stream.next(2, "u")
        stream.add([told("before", "u")])
        usual = State.update

        def update(state: State, **given: Any) -> Any:
            found = usual(state, **given)
            stream.add([told(asked[0].item, "v"), told("meanwhile", "v"), told("meanwhile", "w")])
            return found

        monkeypatch.setattr(State, "update", update)
        stream.refit()
        assert stream.n_new == 3
        assert stream.item("meanwhile")["came"] == {"v": "label_0", "w": "label_0"}
        assert stream.item("before")["n_judgments"] == 1
        assert stream.summary()["leases"] == 2
        assert not {one.item for one in stream.next(500, "u")} & {one.item for one in asked}
        assert asked[0].item not in {one.item for one in stream.next(500, "v")}
        monkeypatch.undo()
        stream.refit(full=True)
        assert stream.n_new == 0

    def test_may_lack_what_was_leased_by_the_older_one(self, stream: Stream) -> None:
        asked = stream.next(1, "u", lease=0.001)[0]
        stream.add(gold={asked.item: "label_0"}, refit=True)
        assert stream.summary()["leases"] == 1
        time.sleep(0.01)
        assert asked.item not in {one.item for one in stream.next(500, "v")}
        stream.next(1)
        assert stream._leases.per_item()[asked.item] == 0

    def test_is_due_where_another_process_added_something(self, folder: Path) -> None:
        with consensus.open(folder) as stream:
            assert not stream.is_behind
            State.open(folder).append([told("other", "u")])
            assert stream.is_behind
        with consensus.open(folder) as stream:
            assert stream.is_behind
            stream.refit()
            assert not stream.is_behind
            assert stream.item("other")["n_judgments"] == 1
            stream.add([told("a", "u")])
            assert stream.is_behind
        State.open(folder).update()
        with consensus.open(folder) as stream:
            stream.refit()
            stream.add(gold={"a": "label_1"})
            assert stream.is_behind

    def test_comes_between_the_look_at_codes_and_the_lock(
        self, stream: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        since = stream._since
        usual = type(since).codes

        def codes(self: Any, records: Any) -> Any:
            if self is since:
                monkeypatch.undo()
                stream.add([told("a", "u")])
                stream.refit()
            return usual(self, records)

        monkeypatch.setattr(type(since), "codes", codes)
        assert counts(stream.add([told("a", "u")])) == (0, 0, 1)


class TestWithoutAFit:
    def test_an_empty_state(self, tmp_path: Path) -> None:
        State.create(tmp_path / "state", RunConfig(model="dawid_skene"))
        with consensus.open(tmp_path / "state") as stream:
            assert stream.next(3, "u") == []
            assert stream.summary() == {"fitted": False, "new_judgments": 0, "leases": 0, "refitting": False}
            assert stream.n_judgments == 0
            stream.add([told("a", "u", judgment_id="1"), told("a", "v"), told("b", "u")])
            assert stream.item("a") == {
                "item": "a", "label": None, "confidence": None, "runner_up": None, "n_judgments": 0,
                "status": "new", "may_ask": None, "came": {"u": "label_0", "v": "label_0"},
            }  # fmt: skip
            assert stream.worker("u") == {"worker": "u", "new_judgments": 2, "is_asked": True}
            with pytest.raises(StateError, match="nothing was fitted yet; add judgments, then refit"):
                stream.report()
            with pytest.raises(ConfigError, match='no worker "x" judged anything; look at their id'):
                stream.worker("x")
        with consensus.open(tmp_path / "state") as stream:  # the first plan is made of what came
            assert stream.n_new == 0
            assert stream.n_judgments == 3
            assert stream.next(1, "w")

    def test_judgments_that_were_never_fitted_are_fitted_first(self, tmp_path: Path) -> None:
        State.create(tmp_path / "state", RunConfig(model="dawid_skene")).append([told("a", "u"), told("b", "u")])
        with consensus.open(tmp_path / "state") as stream:
            assert stream.summary()["fitted"]
            assert len(stream.next(9, "v")) == 2


class TestLookingUp:
    def test_an_item_and_a_worker_are_as_in_the_tables(self, stream: Stream) -> None:
        labels, workers = stream.run.labels, stream.run.workers
        for row in (0, 50, 119):
            found, own = stream.item(labels["item"][row]), labels.iloc[row]
            assert (found["label"], found["status"], found["n_judgments"]) == (own.label, own.status, own.n_judgments)
            assert found["confidence"] == own.confidence
        found = stream.worker(workers["worker"][3])
        assert found["verdict"] == workers["verdict"][3]
        assert found["accuracy"] == workers["accuracy"][3]
        assert found["gold_accuracy"] is None
        json.dumps(stream.summary(), allow_nan=False)
        assert stream.summary()["counts"]["items"] == 120

    def test_one_who_is_not_audited(self, tmp_path: Path) -> None:
        with consensus.open(made(tmp_path / "guests", anonymous=("w01",))) as stream:
            assert stream.worker("w01")["worker"] == "w01"

    def test_the_page(self, stream: Stream) -> None:
        assert stream.report().startswith("<!doctype html>")


def test_the_process_is_named_that_has_it(stream: Stream) -> None:
    program = "import sys, consensus\nconsensus.open(sys.argv[1], wait=0)"
    folder = str(stream._state.folder)
    ran = subprocess.run([sys.executable, "-c", program, folder], cwd=ROOT, capture_output=True, text=True)
    assert f"another process (process {os.getpid()})" in ran.stderr


def test_gold_that_can_not_be_used_does_not_stop_the_next_fits(folder: Path) -> None:
    with consensus.open(folder) as stream:
        before = folder.joinpath("manifest.json").read_bytes()
        with pytest.raises(consensus.ConsensusError, match="Nope"):
            stream.add(gold={"item000": "Nope"})
        assert folder.joinpath("manifest.json").read_bytes() == before
        stream.refit(full=True)
        assert stream.add(gold={"item000": "label_0"}, refit=True).labels is not None


def test_any_number_of_corrections_may_come_to_a_stream(tmp_path: Path) -> None:
    state = State.create(tmp_path / "empty", RunConfig())
    with consensus.open(state.folder) as stream:
        stream.add(gold={"i0": "dog"})
        for label in ("cat", "dog", "owl", "dog"):
            stream.add([{"item": f"i{n}", "worker": f"w{k}", "label": label} for n in range(9) for k in range(3)])
        assert stream.refit().run.result.judgments.n_judgments == 27


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"n": 1.5}, "n = 1.5: should be a whole number, 1 or more"),
        ({"n": "3"}, "n = a str: should be a whole number, 1 or more"),
        ({"n": True}, "n = True: should be a whole number, 1 or more"),
        ({"lease": "x"}, "lease = a str: should be seconds, more than 0"),
        ({"worker": 5}, "worker = 5: should be a text"),
        ({"worker": "\ud800"}, "worker = '.ud800': is not UTF-8; write it as UTF-8"),
    ],
)
def test_what_is_asked_in_other_kinds_is_one_clear_error(stream: Stream, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        stream.next(**asked)


def test_ids_that_are_no_texts_are_one_clear_error(stream: Stream) -> None:
    other: Any = 5
    with pytest.raises(ConfigError, match="item = 5: should be a text"):
        stream.item(other)
    with pytest.raises(ConfigError, match="worker = 5: should be a text"):
        stream.worker(other)


def test_a_judgment_that_was_taken_back_may_come_again_with_its_id(stream: Stream) -> None:
    one = told("item000", "new", judgment_id="A")
    other = told("item001", "new", judgment_id="B")
    stream.add([one, other], refit=True)
    stream.add(retract=[{"item": "item000", "worker": "new"}], refit=True)
    assert stream.worker("new")["n_judgments"] == 1
    assert counts(stream.add([one], refit=True)) == (1, 0, 0)
    assert stream.worker("new")["n_judgments"] == 2
    stream.add([one], refit=True)
    assert read(stream).tally.repeated == 0, "an id that counts again is known again"
