"""The parts of the benchmarks that need neither their peers nor large crowds."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from consensus import simulate
from consensus.simulation import simulate_votes, votes_table
from tests.conftest import ROOT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.benchmarks import cases, floor, measured, models, models_speed, peers, sparse_pass, speed, speed_report
else:  # scripts: their own folder is on the path
    sys.path.append(str(ROOT / "tests" / "benchmarks"))
    import cases
    import floor
    import measured
    import models
    import models_speed
    import peers
    import sparse_pass
    import speed
    import speed_report

TINY = cases.Case("tiny", 360, 100, 17, 4)
PLENTY = cases.Case("plenty", 60_000, 6_000, 400, 5)


def codes(case: cases.Case, seed: int = 0) -> tuple["NDArray[np.int64]", "NDArray[np.int32]", "NDArray[np.int16]"]:
    """All rows of a case."""
    item, worker, label = zip(*cases.chunks(case, cases.Crowd.draw(case, seed), seed), strict=True)
    return np.concatenate(item), np.concatenate(worker), np.concatenate(label)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 360, 1009])
def test_shuffled_is_a_permutation(n: int) -> None:
    assert np.array_equal(np.sort(cases.shuffled(np.arange(n), n, 7)), np.arange(n))


def test_shuffled_leaves_no_order_and_depends_on_the_seed() -> None:
    n = 50_000
    one, other = (cases.shuffled(np.arange(n), n, seed) for seed in (0, 1))
    assert (one == other).mean() < 0.01
    assert abs(np.corrcoef(one, np.arange(n))[0, 1]) < 0.02
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 0.02
    assert len(np.unique(np.diff(one))) > n / 3  # no constant stride


def test_cases_have_the_stated_sizes() -> None:
    sizes = {name: (case.n_judgments, case.n_items, case.n_labels) for name, case in cases.CASES.items()}
    assert sizes["complaint"] == (1_800_000, 500_000, 4)
    assert sizes["ten"] == sizes["ten-parquet"] == (10_000_000, 2_000_000, 4)
    assert sizes["labels"] == (5_000_000, 1_000_000, 1_000)
    assert sizes["hundred"] == (100_000_000, 20_000_000, 4)
    scaled = cases.CASES["hundred"].scaled(1000)
    assert (scaled.n_judgments, scaled.n_items, scaled.n_workers) == (100_000, 20_000, 20)


def test_crowd_is_as_described() -> None:
    item, worker, label = codes(PLENTY)
    table = pd.DataFrame({"item": item, "worker": worker, "label": label})
    assert len(table) == PLENTY.n_judgments
    assert not table.duplicated(["item", "worker"]).any()
    assert set(table["item"].value_counts()) == {10}
    assert sorted(table["label"].unique()) == list(range(5))
    activity = table["worker"].value_counts()
    assert activity.iloc[:40].sum() > 0.4 * len(table)  # a tenth of the workers
    assert activity.index.is_unique
    assert 350 < len(activity) <= 400
    crowd = cases.Crowd.draw(PLENTY, 0)
    assert abs(crowd.accuracy.mean() - 0.75) < 0.02
    assert abs(crowd.accuracy.std() - 0.1) < 0.02
    true = crowd.truth[item]
    assert np.corrcoef((true == label)[worker < 400], crowd.accuracy[worker])[0, 1] > 0.15
    wrong = true != label
    favoured = (crowd.taken_for[true] == label)[wrong].mean()
    assert 0.5 < favoured < 0.8  # evenly spread it would be .25
    assert codes(TINY)[0].tolist() != sorted(codes(TINY)[0])
    assert sorted(set(pd.Series(codes(TINY)[0]).value_counts())) == [3, 4]


def test_files_are_seeded_and_used_again(tmp_path: Path) -> None:
    made = cases.made(TINY, tmp_path, 3)
    content = made.judgments.read_bytes()
    assert content.startswith(b"item,worker,label\nitem")
    first = pd.read_csv(made.judgments, dtype=str)
    item, worker, label = codes(TINY, 3)
    assert first["item"].tolist() == [f"item{i:02}" for i in item]
    assert first["worker"].tolist() == [f"w{w:02}" for w in worker]
    assert first["label"].tolist() == [f"label_{k}" for k in label]

    made.judgments.write_bytes(b"marked")
    assert cases.made(TINY, tmp_path, 3).judgments.read_bytes() == b"marked"
    assert cases.made(TINY, tmp_path, 4).judgments.read_bytes() not in {b"marked", content}
    assert cases.made(replace(TINY, n_workers=18), tmp_path, 3).judgments.read_bytes() != b"marked"
    assert cases.made(TINY, tmp_path, 3).judgments.read_bytes() == content
    parquet = cases.made(replace(TINY, ending=".parquet"), tmp_path / "parquet", 3)
    pd.testing.assert_frame_equal(pd.read_parquet(parquet.judgments), first)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_floor_reads_and_encodes(tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str) -> None:
    made = cases.made(replace(TINY, ending=ending), tmp_path, 0)
    floor.main(str(made.judgments))
    told = json.loads(capsys.readouterr().out)
    assert told["distinct"] == [100, len(set(codes(TINY)[1])), 4]
    assert told["seconds"] == pytest.approx(told["read"] + told["encode"])


def naive_pass(
    item: "NDArray[np.int64]", worker: "NDArray[np.int32]", label: "NDArray[np.int16]", z: "NDArray[np.float64]"
) -> "NDArray[np.float64]":
    """M and E step judgment by judgment, in probabilities."""
    n_labels = z.shape[1]
    counts = np.full((worker.max() + 1, n_labels, n_labels), sparse_pass.SMOOTHING)
    for i, w, observed in zip(item, worker, label, strict=True):
        counts[w, :, observed] += z[i]
    confusion = counts / counts.sum(axis=2, keepdims=True)
    joint = np.tile((z.sum(axis=0) + 1) / (z.sum() + n_labels), (len(z), 1))
    for i, w, observed in zip(item, worker, label, strict=True):
        joint[i] *= confusion[w, :, observed]
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def test_sparse_passes_equal_naive_ones() -> None:
    item, worker, label = codes(TINY)
    prepared = sparse_pass.prepare(item, worker, label, TINY.n_labels)
    fast = slow = prepared.votes
    assert np.allclose(slow[item[0]].sum(), 1)
    for _ in range(5):
        fast, slow = sparse_pass.em_pass(prepared, fast), naive_pass(item, worker, label, slow)
    assert not np.allclose(fast, prepared.votes, atol=0.1)
    np.testing.assert_allclose(fast, slow, rtol=1e-9, atol=1e-12)


def test_measured_tells_everything() -> None:
    words = "import sys; print('out'); print('err', file=sys.stderr); sum(range(10**6))"
    run = measured.run([sys.executable, "-c", words])
    assert (run.stdout, run.stderr) == ("out\n", "err\n")
    assert run.seconds > 0
    assert 0 < run.cpu_seconds < 60
    assert 1 < run.peak_mb < 1000
    with pytest.raises(measured.Failed, match=r"exit status 3\nwhy"):
        measured.run([sys.executable, "-c", "import sys; print('why', file=sys.stderr); sys.exit(3)"])
    with pytest.raises(measured.Failed, match=r"not done in 0.2 s"):
        measured.run([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.2)


def test_timings_are_read() -> None:
    stderr = (
        "a warning\ntiming read+encode      1.23 s\ntiming start-up         0.50 s\ntiming fit 2 s\n"
        "timing fit              0.25 s\ntiming pass              0.052 s\nmistiming x 9 s\ntiming of something 5 s\n"
    )
    assert speed_report.timings(stderr) == ({"read+encode": 1.23, "start-up": 0.5, "fit": 2.25}, 0.052)
    assert speed_report.timings("nothing\n") == ({}, None)


def test_profile_names_the_heavy_phases() -> None:
    line = speed_report.Line("ten", "ours", "consensus", 10.0, phases={"read+encode": 5.0, "fit": 3.0, "write": 1.0})
    told = speed_report.profile(line)
    assert "| fit | 3.00 | 30.0% |" in told
    assert "| in no phase (Python, imports) | 1.00 | 10.0% |" in told
    assert "ten: fit (the EM passes are the job itself) above 25% of the total, read+encode apart." in told
    assert "ten: none above" in speed_report.profile(replace(line, phases={"read+encode": 9.0}))
    assert "no --timings" in speed_report.profile(replace(line, phases={}))


def test_table_and_acceptance() -> None:
    ours = speed_report.Line("ten", "ours", "consensus", 6.0, 9.0, 5.0, 2_500.0, 0.05)
    lines = [
        speed_report.Line("ten", "floor", "floor", 3.0, 5.0, 2.9, 1_000.0),
        ours,
        speed_report.Line("ten", "crowd-kit", "crowd-kit", 90.0, 90.0, None, 5_000.0, 11.0, 10.0, 6),
        speed_report.Line("ten", "sparse", "scipy.sparse", 9.0, 9.0, None, 2_000.0, 0.15, 0.14, 6),
        speed_report.Line("ten-parquet", "ours", "consensus", 5.0, 8.0, 4.0, 2_400.0, 0.05),
        speed_report.Line("hundred", "ours", "consensus", 61.0, 99.0, 58.0, 15_000.0, 0.7),
        speed_report.Line("complaint", "ours", "consensus", 5.9, 9.0, 5.0, 1_000.0, 0.05),
        speed_report.Line("labels", "ours", "consensus", note="failed", failed=True),
    ]
    told = speed_report.table(lines).splitlines()
    assert len(told) == 2 + len(lines)
    assert {line.count("|") for line in told} == {13}
    assert told[3].startswith("| ten | consensus | 6.00 | 2.00 | 5.00 | 9.00 | 2,500 | 0.0500 |")
    assert "| 200.0 | 6 |" in told[4]  # CPU of crowd-kit over our wall
    assert "| 3.0 | 6 |" in told[5]  # wall over wall
    figures = speed_report.acceptance(lines)
    assert figures == {
        "labels: consensus run failed": False,
        "ten: wall seconds over the floor's 2.00 times, at most 3": True,
        "ten: peak 2,500.00 MB, at most 3,000": True,
        "ten: CPU seconds of a pass of crowd-kit over our wall 200.0, at least 150": True,
        "ten: wall seconds of a pass of scipy.sparse over ours 3.0, at least 4": False,
        "complaint: 5.90 s, under 6": True,
        "complaint: peak 1,000.00 MB, under 1,000": False,
        "hundred: peak 15,000.00 MB, at most 16,000": True,
        "hundred: wall seconds over ten-parquet's 12.20 times, at most 12": False,
    }
    assert speed_report.acceptance(lines, full=False) == {"labels: consensus run failed": False}
    assert list(speed_report.acceptance([ours])) == ["ten: peak 2,500.00 MB, at most 3,000"]


def test_folders_are_compared_byte_by_byte(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
        (folder / "same").write_bytes(b"12345" * 10)
        (folder / "one").write_bytes(b"x")
    assert speed_report.differing(folders) == []
    (folders[1] / "one").write_bytes(b"xy")
    (folders[2] / "more").write_bytes(b"")
    assert speed_report.differing(folders) == ["more", "one"]


def test_accuracy_against_the_planted_truth(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("item,label,confidence\nitem2,label_1,.9\nitem0,label_0,.8\nitem1,,\n")
    assert speed_report.share_right(path, np.array([0, 1, 1, 1], np.int16)) == 0.5


def test_command_and_failures() -> None:
    command = speed.command_of(Path("a.csv"), Path("out"), 2, ["--timings"])
    assert command[1:] == [
        *("-m", "consensus", "run", Path("a.csv"), "--output", Path("out"), "--overwrite", "--quiet", "--timings"),
        *("--threads", "2"),
    ]
    line = speed.failure("ten", "sparse", "scipy.sparse", measured.Failed("python x: exit status -9\nKilled"))
    assert (line.note, line.failed, line.seconds) == ("failed, exit status -9 (Killed)", True, None)


def test_our_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the command to the line of the table, with a run that only pretends."""
    files = cases.made(TINY, tmp_path, 0)
    seconds = iter([9.0, 4.0, 3.0])  # warm-up, then the better of two
    floors = iter([8.0, 1.0, 2.0])

    def pretended(command: list[str | Path], timeout: float | None = None) -> measured.Measured:
        assert timeout == 5
        if "--output" not in command:
            return measured.Measured('{"seconds": 0.5}', "", next(floors), 2.0, 300.0)
        out = Path(command[command.index("--output") + 1])
        out.mkdir(exist_ok=True)
        rows = "".join(f"item{i:02},label_{k}\n" for i, k in enumerate(cases.Crowd.draw(TINY, 0).truth))
        (out / "labels.csv").write_text(f"item,label\n{rows}")
        (out / "summary.json").write_text(json.dumps({"convergence": {"iterations": 31}}))
        told = "timing read+encode 1.00 s\ntiming fit 1.50 s\ntiming pass 0.025 s\n"
        return measured.Measured("", told, next(seconds), 6.0, 500.0)

    monkeypatch.setattr(speed, "known", lambda *options: list(options))
    monkeypatch.setattr(measured, "run", pretended)
    options = argparse.Namespace(threads=None, runs=2, seed=0, timeout=5)
    floor, line = speed.floor_and_ours(TINY, files, tmp_path, options)
    assert (floor.kind, floor.seconds, floor.inside, floor.peak_mb) == ("floor", 1.0, 0.5, 300.0)
    assert (line.seconds, line.cpu_seconds, line.peak_mb, line.inside) == (3.0, 6.0, 500.0, 2.5)
    assert (line.pass_seconds, line.passes, line.accuracy) == (0.025, 31, 1.0)
    assert line.phases == {"read+encode": 1.0, "fit": 1.5}
    assert not (tmp_path / "out").exists()


def pretend_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    """crowd-kit finds shares of the votes, and cleanlab the mean of the probabilities."""

    def dawid_skene(python: Path, path: Path, iterations: int) -> peers.Found:
        votes = pd.read_csv(path, dtype=str)
        shares = pd.crosstab(votes["item"], votes["label"], normalize="index").reset_index()
        run = measured.Measured("", "", 1.0, 1.0, 1.0)
        return peers.Found(f"{python}", shares, iterations, 1.0, run)

    def ensemble(
        python: Path, labels: "NDArray[np.float64]", probability: "NDArray[np.float64]"
    ) -> tuple["NDArray[np.int64]", "NDArray[np.float64]"]:
        assert python == Path("python")
        assert labels.shape == (probability.shape[1], 2)
        mean = probability.mean(axis=0)
        return mean.argmax(axis=1), mean.max(axis=1)

    monkeypatch.setattr(peers, "dawid_skene", dawid_skene)
    monkeypatch.setattr(peers, "ensemble", ensemble)


def test_model_votes_beside_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_peers(monkeypatch)
    drawn = simulate(120, confusion=[[[0.9, 0.1], [0.1, 0.9]]] * 3, per_item=3, seed=1)
    votes = simulate_votes(drawn, 3, soft=True, accuracy=0.9, seed=2)
    drawn.judgments_table().to_csv(tmp_path / "judgments.csv", index=False)
    drawn.truth_table().to_csv(tmp_path / "truth.csv", index=False)
    votes_table(votes).sample(frac=1, random_state=0).to_csv(tmp_path / "model_votes.csv", index=False)
    images = models.Images.read(tmp_path)
    np.testing.assert_allclose(images.probability.transpose(1, 0, 2).reshape(-1, 2), votes.probability, atol=1e-6)
    assert set(images.first(2)["worker"]) == {"w0", "w1"}

    found = models.on_images(images, (1, 2), Path("python"))
    assert {len(rows) for rows in found.values()} == {2}
    as_given = found["consensus, people only"][0]
    assert as_given.log_loss == pytest.approx(-as_given.error / 100 * np.log(1e-6), abs=1e-4)
    assert np.isnan(found["cleanlab ensemble"][0].error)
    assert found["cleanlab ensemble"][1].error < 20
    lines = models.images_table(found, (1, 2)).splitlines()
    assert lines[0] == "| method | error %, 1 / 2 humans | log loss | ECE % |"
    assert len(lines) == 2 + 6
    assert len(models.on_images(images, (1,), None)) == 4


@pytest.mark.slow
def test_simulated_model_votes(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_peers(monkeypatch)
    found = models.simulated((0, 1), Path("python"), n_items=400)
    assert {len(rows) for rows in found.values()} == {2}
    error = {method: models.Row.mean(rows).error for method, rows in found.items()}
    assert error[models.FAMILY] < 8
    assert min(error, key=lambda method: error[method]) == models.FAMILY
    shares = found["crowd-kit DawidSkene, models as workers"]
    assert shares[0].error == found["majority vote of all"][0].error
    assert len(models.simulated_table(found).splitlines()) == 2 + 5
    assert len(models.simulated((0,), None, n_items=100)) == 4


def test_acceptance_of_model_votes() -> None:
    images = {models.OURS: [models.Row(2.0, 0.078, 1.0), models.Row(1.5, 0.07, 1.0), models.Row(1.0, 0.08, 1.0)]}
    simulation = {models.FAMILY: [models.Row(4.0, 0.1, 1.0), models.Row(5.0, 0.1, 4.0)]}
    assert models.acceptance(images, simulation) == {
        "images, humans an item 1: error 2.00 %, at most 2 %": True,
        "images, humans an item 1: log loss 0.078 nats, at most 0.078": True,
        "images, humans an item 2: error 1.50 %, at most 1.4 %": False,
        "images, humans an item 2: log loss 0.070 nats, at most 0.075": True,
        "images, humans an item 3: error 1.00 %, at most 1.2 %": True,
        "images, humans an item 3: log loss 0.080 nats, at most 0.075": False,
        "simulation: error 4.50 %, at most 4.6 %": True,
        "simulation: ECE 2.50 %, at most 2 %": False,
    }


@pytest.mark.compiled
def test_time_that_model_votes_add() -> None:
    fits = models_speed.timed(10_000)
    assert [one.what for one in fits] == ["1,000 judgments", "1,000 judgments and 800 soft votes"]
    assert all(one.seconds > 0 and one.passes > 1 and one.peak_mb > 1 for one in fits)
    assert len(models_speed.table(fits).splitlines()) == 4
    fits = [models_speed.Timed("a", 2.0, 4.0, 30, 900.0), models_speed.Timed("b", 3.0, 6.0, 31, 1100.0)]
    assert models_speed.acceptance(fits) == {"speed: votes take 50 % more, under 60 %": True}
    assert models_speed.acceptance([fits[0], replace(fits[1], seconds=4.0)]) == {
        "speed: votes take 100 % more, under 60 %": False
    }
    assert models_speed.acceptance(fits, full=False) == {}


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "benchmarks").glob("*.py")), ids=lambda path: path.name)
def test_scripts_can_be_held_in_the_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
