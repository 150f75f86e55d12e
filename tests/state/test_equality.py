"""``update --full`` gives the tables of a run of all inputs, bit for bit, whatever came in which order."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from consensus.config import RunConfig
from consensus.state import State
from tests.conftest import ROOT
from tests.state.crowds import Row, reference, rows, saved, write

PLATFORMS = sorted(
    path for path in (ROOT / "tests" / "platforms").iterdir() if path.suffix in {".csv", ".json", ".jsonl", ".tsv"}
)


def made(folder: Path, *events: dict[str, Any], **settings: Any) -> State:
    """A state to which ``events`` came one by one, each fitted."""
    state = State.create(folder, RunConfig.of(None, **settings))
    for event in events:
        state.append(**event)
        state.update()
    return state


def full(state: State, folder: Path) -> dict[str, bytes]:
    found = state.update(full=True)
    assert found.full
    tables = saved(found.run, folder / "full")
    assert saved(State.open(state.folder).last(), folder / "kept") == tables
    return tables


def test_files_in_any_order(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{n}.csv", rows(60, n)) for n in range(3)]
    for n, some in enumerate(itertools.permutations(files)):
        state = made(tmp_path / f"s{n}", *({"judgments": one} for one in some))
        assert full(state, tmp_path) == reference(tmp_path / "run", list(some))


def test_the_kinds_of_files_mixed(tmp_path: Path) -> None:
    frames = [pd.DataFrame(rows(40, n), columns=["item", "worker", "label"]) for n in range(4)]
    frames[1].to_parquet(tmp_path / "b.parquet")
    frames[2].to_json(tmp_path / "c.jsonl", orient="records", lines=True)
    files = [write(tmp_path / "a.csv", frames[0].to_numpy().tolist()), tmp_path / "b.parquet", tmp_path / "c.jsonl"]
    state = made(tmp_path / "s", {"judgments": files[:2]}, {"judgments": files[2]})
    assert full(state, tmp_path) == reference(tmp_path / "run", files)


@pytest.mark.parametrize("export", PLATFORMS, ids=lambda path: path.name)
def test_exports_of_platforms_beside_plain_files(tmp_path: Path, export: Path) -> None:
    state = made(tmp_path / "s", {"judgments": export})
    assert full(state, tmp_path) == reference(tmp_path / "run", export)
    summaries = [(tmp_path / name / "summary.json").read_text() for name in ("kept", "run")]
    assert summaries[0] == summaries[1]


ODD = (
    b"item,worker,label,created_at,price\ni1,w1,cat,3/4/2024,0.1\ni2,w\xff,dog,5/4/2024,x\n,w2,cat,,\n"
    b"i1,w3,,25/4/2024,1\n"
)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"time_format": "day-first", "drop": ["worker=w1"]},
        {"keep": ["note"], "group": "topic", "anonymous": [""]},
        {"fold": ["labels", "workers"], "repeats": "first"},
        {"weight": "size", "cluster": "topic"},
        {"repeats": "keep", "gold_worker": ["w1"]},
        {"worker_from_file": True, "repeats": "last"},
    ],
    ids=lambda settings: "-".join(settings) or "default",
)
def test_cells_that_are_odd_and_settings_of_reading(tmp_path: Path, settings: dict[str, Any]) -> None:
    header = ("item", "worker", "label", "created_at", "note", "topic", "size")

    def more(some: list[Row]) -> list[tuple[Any, ...]]:
        return [
            (*row, f"1{n % 9}/{n % 9 + 1}/2024", f"n{row[0]}", f"t{row[0][1]}", 1 + int(row[0][1:]))
            for n, row in enumerate(some)
        ]

    files = [write(tmp_path / f"{n}.csv", more(rows(80, n)), header) for n in range(2)]
    if set(settings) <= {"time_format", "drop", "fold", "repeats", "worker_from_file"}:
        files.append(tmp_path / "odd.csv")
        files[-1].write_bytes(ODD if "time_format" not in settings else ODD.replace(b",w2,", b",w4,"))
    state = made(tmp_path / "s", *({"judgments": one} for one in files), **settings)
    assert full(state, tmp_path) == reference(tmp_path / "run", files, **settings)


@pytest.mark.parametrize(
    ("table", "settings"),
    [
        (
            "item,ann,bob,eve\n" + "".join(f"i{n},cat,{'cat' if n % 3 else 'dog'},dog\n" for n in range(20)),
            {"wide": "workers"},
        ),
        (
            "item,label,count\n" + "".join(f"i{n},{one},{n % 3 + 1}\n" for n in range(20) for one in ("cat", "dog")),
            {"counts": "count"},
        ),
    ],
)
def test_tables_that_hold_several_judgments_a_row(tmp_path: Path, table: str, settings: dict[str, Any]) -> None:
    (tmp_path / "a.csv").write_text(table)
    state = made(tmp_path / "s", {"judgments": tmp_path / "a.csv"}, **settings)
    assert full(state, tmp_path) == reference(tmp_path / "run", tmp_path / "a.csv", **settings)


def test_one_question_of_several(tmp_path: Path) -> None:
    some = [(*row, "q1" if n % 2 else "q2") for n, row in enumerate(rows(120, 1))]
    path = write(tmp_path / "a.csv", some, ("item", "worker", "label", "ask"))
    settings = {"by": "ask", "only": "q1"}
    state = made(tmp_path / "s", {"judgments": path}, **settings)
    assert full(state, tmp_path) == reference(tmp_path / "run", path, **settings)


def test_gold_that_comes_and_is_corrected(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows(200, 1, n_workers=10))
    gold = write(tmp_path / "g.csv", [("i000", "cat"), ("i001", "cat"), ("new", "owl")], ("item", "label"))
    better = write(tmp_path / "h.csv", [("i001", "dog"), ("i002", "owl")], ("item", "label"))
    state = made(tmp_path / "s", {"judgments": path}, {"gold": gold})
    assert full(state, tmp_path) == reference(tmp_path / "run", path, gold=gold)
    state.append(gold=better)
    some = [("i000", "cat"), ("new", "owl"), ("i001", "dog"), ("i002", "owl")]
    corrected = write(tmp_path / "corrected.csv", some, ("item", "label"))
    assert full(state, tmp_path) == reference(tmp_path / "run", path, gold=corrected)


def test_votes_of_models_and_their_new_versions(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows(200, 1, n_workers=10))

    def votes(name: str, models: list[str], step: int) -> Path:
        some = [(f"i{n:03d}", model, ("cat", "dog", "owl")[(n + n // step) % 3]) for n in range(30) for model in models]
        return write(tmp_path / name, some, ("item", "model", "label"))

    files = [votes("v1.csv", ["a", "b"], 4), votes("v2.csv", ["c"], 7)]
    state = made(tmp_path / "s", {"judgments": path, "model_votes": files[0]}, {"model_votes": files[1]})
    assert full(state, tmp_path) == reference(tmp_path / "run", path, model_votes=files)
    state.append(model_votes=(newer := votes("v3.csv", ["b"], 9)))
    only_a = write(
        tmp_path / "only_a.csv",
        [row.split(",") for row in files[0].read_text().split()[1:] if ",a," in row],
        ("item", "model", "label"),
    )
    assert full(state, tmp_path) == reference(tmp_path / "run", path, model_votes=[only_a, files[1], newer])
    state.append(model_votes=votes("v4.csv", ["c"], 5))
    found = state.inputs().model_votes
    assert found is not None
    assert [Path(one.file).name for one in found.sources] == ["v1.csv", "v3.csv", "v4.csv"], "v2 is replaced as a whole"
    assert found.tally.read == 90


def test_votes_of_models_alone_and_verdicts_of_judges(tmp_path: Path) -> None:
    shares = write(tmp_path / "soft.csv", [(f"i{n}", 0.7, 0.3) for n in range(12)], ("item", "p_cat", "p_dog"))
    state = made(tmp_path / "s", {"model_votes": shares})
    assert full(state, tmp_path) == reference(tmp_path / "run", None, model_votes=shares)
    assert state.manifest.events[0].models == ("soft",)
    judges = ROOT / "tests" / "platforms" / "llm-judges.json"
    assert full(made(tmp_path / "t", {"judgments": judges}), tmp_path) == reference(tmp_path / "run", judges)


def test_votes_of_an_export_that_are_left_out(tmp_path: Path) -> None:
    export = ROOT / "tests" / "platforms" / "label-studio.json"
    state = State.create(tmp_path / "s", RunConfig(), options={"model_votes": "none"})
    state.append(export)
    assert full(state, tmp_path) == reference(tmp_path / "run", export, model_votes="none")


Without = Callable[[Row], bool]


@pytest.mark.parametrize(
    ("taken", "stays"),
    [
        (
            {"item": ["i003", "i004"], "worker": ["w1", "w2"]},
            lambda row: row[:2] not in {("i003", "w1"), ("i004", "w2")},
        ),
        ({"worker": ["w1", "nobody"]}, lambda row: row[1] != "w1"),
    ],
)
def test_judgments_and_workers_that_are_taken_back(tmp_path: Path, taken: dict[str, list[str]], stays: Without) -> None:
    first, later = rows(150, 1), rows(50, 2)
    files = [write(tmp_path / "a.csv", first), write(tmp_path / "b.csv", later)]
    state = made(tmp_path / "s", {"judgments": files[0]}, {"retract": taken}, {"judgments": files[1]})
    left = [write(tmp_path / "left.csv", [row for row in first if stays(row)]), files[1]]
    assert len([row for row in first if stays(row)]) < len(first)
    assert full(state, tmp_path) == reference(tmp_path / "run", left), "what came later counts"


def test_a_file_that_is_taken_back(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{n}.csv", rows(60, n)) for n in range(3)]
    gold = write(tmp_path / "gold.csv", [("i000", "cat")], ("item", "label"))
    state = made(tmp_path / "s", {"judgments": files, "gold": gold}, {"retract": {"file": [str(files[1]), str(gold)]}})
    assert full(state, tmp_path) == reference(tmp_path / "run", [files[0], files[2]])
    state.append(retract={"file": [state.manifest.events[0].sha256]})
    assert full(state, tmp_path) == reference(tmp_path / "run", files[2])


def test_a_worker_who_judges_again_corrects_themselves(tmp_path: Path) -> None:
    header = ("item", "worker", "label", "created_at")
    first = write(tmp_path / "a.csv", [(*row, "2024-01-02") for row in rows(100, 1)], header)
    again = write(tmp_path / "b.csv", [(*row, "2024-01-0" + "13"[n % 2]) for n, row in enumerate(rows(100, 2))], header)
    for repeats in ("last", "first"):
        state = made(tmp_path / repeats, {"judgments": first}, {"judgments": again}, repeats=repeats)
        assert full(state, tmp_path) == reference(tmp_path / "run", [first, again], repeats=repeats)


def test_what_an_update_changed(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{n}.csv", rows(60, n)) for n in range(2)]
    state = State.create(tmp_path / "s", RunConfig())
    state.append(files[0])
    first = state.update()
    assert first.changes is None
    before = first.run.labels.set_index("item")
    state.append(files[1])
    then = state.update()
    now = then.run.labels.set_index("item")
    assert then.changes is not None
    told = then.changes.set_index("item")
    both = before.index.intersection(now.index)
    flipped = [item for item in both if before.loc[item, "label"] != now.loc[item, "label"]]
    assert set(flipped) <= set(told.index)
    assert told.loc[flipped, "label"].tolist() == now.loc[flipped, "label"].tolist()
    assert then.run.summary["state"]["judgments_came"] == 120
