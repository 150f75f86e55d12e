"""A state on disk: what is appended counts once, whole or not at all."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from consensus.config import RunConfig
from consensus.errors import ConfigError, FormatError, StateError
from consensus.formats import sealed
from consensus.state import State, appending, durable, kept_fits
from consensus.state.manifest import Manifest
from tests.state.crowds import rows, write


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.create(tmp_path / "state", RunConfig())


def n_parts(state: State) -> int:
    return len({path.name.split(".")[0].split("-")[0] for path in (state.folder / "parts").iterdir()})


def test_what_is_appended_is_there_when_it_is_opened_again(state: State, tmp_path: Path) -> None:
    came = state.append(write(tmp_path / "a.csv", rows(20, 1)), gold={"i000": "cat"})
    assert (came.judgments, came.sources, came.said) == (20, 2, ())
    again = State.open(state.folder)
    assert again.manifest == state.manifest
    assert [(event.kind, event.rows) for event in again.manifest.events] == [("judgments", 20), ("gold", 1)]
    assert state.reload() is False


def test_another_object_sees_what_was_appended_when_it_writes_or_reloads(state: State, tmp_path: Path) -> None:
    other = State.open(state.folder)
    state.append(write(tmp_path / "a.csv", rows(20, 1)))
    assert other.manifest.events == ()
    other.append(write(tmp_path / "b.csv", rows(20, 2)))
    assert len(other.manifest.events) == 2
    assert state.reload() is True
    assert state.manifest == other.manifest


def test_the_same_source_twice_changes_nothing_and_that_is_said(state: State, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows(20, 1))
    state.append(path)
    copy = shutil.copy(path, tmp_path / "copy.csv")
    came = state.append([path, copy])
    assert (came.judgments, came.sources) == (0, 0)
    assert came.said[1].startswith(f"{copy}: the same judgments came before (SHA-256 ")
    assert n_parts(state) == 1
    state.append(gold={"i000": "cat"})
    assert state.append(gold={"i000": "cat"}).said == (
        f"a table of gold: the same gold came before (SHA-256 {state.manifest.events[-1].sha256[:12]}): passed over",
    )
    state.append(gold={"i000": "dog"})
    assert state.append(gold={"i000": "cat"}).sources == 1, "gold that counts no more is new"


def test_what_is_said_of_a_folder_is_kept_though_its_first_file_is_known(state: State, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    state.append(write(folder / "a.csv", rows(20, 1)))
    write(folder / "b.csv", rows(20, 2))
    state.append(folder)
    assert [event.notes for event in state.manifest.events] == [
        (),
        (f"{folder}: 2 files read, in the order of names: a.csv, b.csv",),
    ]


def test_gold_may_come_before_judgments(state: State, tmp_path: Path) -> None:
    state.append(gold=write(tmp_path / "gold.csv", [("i000", "cat")], ("item", "label")))
    state.append(write(tmp_path / "a.csv", rows(20, 1)))
    found = state.inputs()
    assert found.gold is not None
    assert found.gold.item == ("i000",)


def test_tables_in_memory_are_the_same_if_their_cells_are(state: State) -> None:
    table = {"item": ["a", "b"], "worker": ["x", "y"], "label": ["1", None]}
    assert state.append(table).judgments == 2
    assert state.append(table).sources == 0
    assert state.append({**table, "label": ["1", ""]}).sources == 1


def test_a_retraction_works_again_once_judgments_came(state: State, tmp_path: Path) -> None:
    first, taken = write(tmp_path / "a.csv", rows(20, 1)), {"file": [str(tmp_path / "a.csv")]}
    state.append(first, retract=taken)
    assert state.append(retract=taken).sources == 0
    assert state.append(first).judgments == 20, "it was taken back, so it is new"
    assert state.append(retract=taken).sources == 1


def test_rows_whose_id_came_before_are_left_out(state: State, tmp_path: Path) -> None:
    header = ("judgment_id", "item", "worker", "label")
    first = [("1", "a", "x", "cat"), ("2", "b", "x", "cat"), ("", "c", "x", "dog")]
    state.append(write(tmp_path / "a.csv", first, header))
    later = [("2", "b", "x", "dog"), ("3", "b", "y", "dog"), ("", "c", "y", "dog")]
    came = state.append(write(tmp_path / "b.csv", later, header))
    assert (came.judgments, came.again) == (2, 1)
    assert came.said == (f"{tmp_path / 'b.csv'}: 1 row has the judgment_id of a judgment that came before: left out",)
    read = state.inputs().judgments
    assert read is not None
    assert read.to_pandas()["label"].tolist() == ["cat", "cat", "dog", "dog", "dog"]
    assert [column.role for column in read.understood] == ["item", "worker", "label"]
    assert read.unused == ("judgment_id",)


def test_a_source_that_cannot_be_read_leaves_the_state_as_it_was(state: State, tmp_path: Path) -> None:
    before = state.manifest
    bad = write(tmp_path / "bad.csv", [("a",)], ("nothing",))
    with pytest.raises(FormatError):
        state.append([write(tmp_path / "a.csv", rows(20, 1)), bad])
    assert n_parts(state) == 0
    assert State.open(state.folder).manifest == before == state.manifest


def test_a_full_disk_leaves_the_state_as_it_was(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable, "settle", full)
    with pytest.raises(StateError, match="can't be written: no space left on device"):
        state.append(write(tmp_path / "a.csv", rows(20, 1)))
    monkeypatch.undo()
    assert n_parts(state) == 0
    assert State.open(state.folder).manifest.events == ()


def test_leftovers_are_removed_by_the_next_writer(state: State, tmp_path: Path) -> None:
    for name in ("parts/000001.parquet", "fit/000009.bin"):
        (state.folder / name).write_bytes(b"half")
    State.open(state.folder)
    assert (state.folder / "parts/000001.parquet").exists(), "who reads removes nothing"
    state.append(write(tmp_path / "a.csv", rows(20, 1)))
    assert not (state.folder / "fit/000009.bin").exists()
    assert state.inputs().judgments is not None


def test_the_lock_may_be_entered_again(state: State, tmp_path: Path) -> None:
    with state.locked(0.0):
        state.append(write(tmp_path / "a.csv", rows(20, 1)), wait=0.0)
        with pytest.raises(StateError, match="another process"):
            State.open(state.folder).append(gold={"i000": "cat"}, wait=0.0)


def test_where_no_state_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = RunConfig()
    with pytest.raises(StateError, match="there is no folder .*; create it first"):
        State.create(tmp_path / "a" / "b", config)
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="a file stands there; choose another folder with folder="):
        State.create(tmp_path / "file", config)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("")
    with pytest.raises(StateError, match=r"holds mine\.txt, which is no part of a state"):
        State.create(tmp_path / "other", config)
    made = State.create(tmp_path / "state", config)
    State.create(tmp_path / "state", config)
    (tmp_path / "empty").mkdir()
    assert State.create(tmp_path / "empty", config).manifest.events == ()
    made.append(write(tmp_path / "a.csv", rows(20, 1)))
    with pytest.raises(StateError, match="a state is there already; add to it with state.update"):
        State.create(tmp_path / "state", config)
    with pytest.raises(ConfigError, match="pseudonyms=: a state has to know workers by name"):
        State.create(tmp_path / "c", RunConfig(pseudonyms=tmp_path / "key"))
    with pytest.raises(ConfigError, match="folder= keeps one question; name it with only="):
        State.create(tmp_path / "c", RunConfig(by="question"))

    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(StateError, match="can't be written: permission denied"):
        State.create(tmp_path / "c", config)


def test_settings_come_back_as_they_were_given(tmp_path: Path) -> None:
    config = RunConfig(target=0.9, labels=("a", "b"), drop=("x=1",), costs=tmp_path / "costs.csv", repeats="first")
    State.create(tmp_path / "state", config)
    found = State.open(tmp_path / "state").config
    assert found == config
    assert found.model_fields_set == config.model_fields_set


def test_nothing_fitted_is_told(state: State) -> None:
    with pytest.raises(StateError, match="nothing was fitted yet; do that with state.update"):
        state.last()


def test_of_what_was_replaced_the_reader_looks_again(state: State, tmp_path: Path) -> None:
    state.append(write(tmp_path / "a.csv", rows(60, 1)))
    state.update()
    reader = State.open(state.folder)
    state.append(write(tmp_path / "b.csv", rows(60, 2)))
    state.update()
    assert reader.last().result.judgments.n_judgments == state.last().result.judgments.n_judgments
    assert reader.manifest == state.manifest


def test_a_fit_of_another_version_is_told_and_fitted_anew(state: State, tmp_path: Path) -> None:
    state.append(write(tmp_path / "a.csv", rows(60, 1)))
    state.update()
    assert state.manifest.fit is not None
    kept = state.folder / "fit" / f"{state.manifest.fit.file}.json"
    told = sealed.unsealed(kept).replace(b'"version": "', b'"version": "0.')
    kept.write_bytes(sealed.sealed(told))
    with pytest.raises(StateError, match="made by another version of consensus, or is damaged"):
        state.last()
    assert state.update().full
    kept = state.folder / "fit" / f"{state.manifest.fit.file}.json"
    kept.write_text("{")
    with pytest.raises(StateError, match="made by another version"):
        state.last()
    kept.unlink()
    with pytest.raises(StateError, match="made by another version of consensus, or is damaged"):
        state.last()
    kept.with_suffix(".bin").unlink()
    with pytest.raises(StateError, match=r"\.bin: the file of its fit is gone; fit again with state.update"):
        state.last()
    assert state.update().full
    assert state.last().labels.shape[0] == 26


def test_parts_are_numbered_on(state: State, tmp_path: Path) -> None:
    state.append(write(tmp_path / "a.csv", rows(20, 1)), gold={"i000": "cat"})
    state.append(write(tmp_path / "b.csv", rows(20, 2)))
    assert [event.part for event in Manifest.read(state.folder).events] == ["000001", "000002", "000003"]
    assert appending.PARTS == "parts"


def test_a_full_disk_while_a_fit_is_kept_is_said_of_the_state(state: State, tmp_path: Path, monkeypatch: Any) -> None:
    state.append(write(tmp_path / "a.csv", rows(60, 1)))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(kept_fits, "write", full)
        with pytest.raises(StateError, match="state: can't be written: no space left on device; make room") as told:
            state.update()
    assert told.value.code == "bad_output"
    assert State.open(state.folder).update().full
    with monkeypatch.context() as patched:
        patched.setattr(Manifest, "write", full)
        with pytest.raises(StateError, match="state: can't be written: no space left on device; make room there"):
            state.append(write(tmp_path / "b.csv", rows(60, 2)))
    assert state.append(tmp_path / "b.csv").judgments == 60
