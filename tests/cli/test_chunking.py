"""``consensus chunks``, run as a user would."""

import builtins
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from consensus import kernels
from consensus.chunks import evaluating, words
from consensus.cli import job
from consensus.errors import INPUT, SETTINGS, USAGE, WARNED
from consensus.report import charts
from tests.chunks import picture_files
from tests.conftest import ROOT, Run

WORKERS = ("ann", "bob", "eve")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return picture_files.written(tmp_path_factory.mktemp("pictures") / "set", 3)


@pytest.fixture
def beside(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in, with ``set`` in it."""
    (tmp_path / "set").symlink_to(files)
    monkeypatch.chdir(tmp_path)
    return tmp_path


SET = ("set/manifest.csv", "--classes", "set/classes.csv")


@pytest.mark.usefixtures("beside")
class TestRun:
    def test_words_and_files(self, run: Run, beside: Path) -> None:
        ran = run("chunks", "run", *SET, "-o", "out")
        assert (ran.status, ran.out) == (0, "")
        said = ran.err.splitlines()
        assert said[0] == "3 pictures, 9 masks by 3 people"
        assert said[1] == "classes: background (0), cell (1), fibre (2); the background is background"
        assert "of 3 pictures " in said[3]
        assert said[-4].startswith("warning unaudited: no gold masks were given")
        assert said[-3].startswith("warning clusters_untold: fewer than 5 people painted two pictures or more")
        assert said[-2] == "wrote out/report.html"
        assert said[-1].startswith(
            "next: have the chunks of out/escalations.csv clicked, then consensus chunks answers"
        )
        names = {path.name for path in (beside / "out").iterdir()}
        tables = {f"{name}.csv" for name in ("images", "chunks", "escalations", "workers", "confusions")}
        assert names == {*tables, "masks", "confidence", "overlay", "crops", "summary.json", "report.html"}
        with Image.open(beside / "out" / "masks" / "images_p0.png") as mask:
            assert (mask.mode, mask.size) == ("P", (94, 72))

    def test_settings_and_json(self, run: Run, beside: Path) -> None:
        (beside / "c.toml").write_text("clicks = 3\nrho = 0.5\n")
        ran = run(
            *("chunks", "run", *SET, "-o", "out", "--config", "c.toml", "--clicks", "2", "--json", "-q"),
            *("--no-report", "--crops", "1", "--gold", "set/gold.csv", "--void", "200", "--background", "fibre"),
        )
        assert (ran.status, ran.err) == (0, "")
        told = json.loads(ran.out)
        assert (told["settings"]["clicks"], told["settings"]["rho"]) == (2, 0.5)
        assert told["settings"]["background"] == "fibre"
        assert (told["inputs"]["void"], Path(told["inputs"]["gold"]).name) == (200, "gold.csv")
        assert [one.partition(":")[0] for one in told["cautions"]] == ["clusters_untold"]
        assert not (beside / "out" / "report.html").exists()
        assert len(list((beside / "out" / "crops").iterdir())) == 1

    def test_several_files_of_one_worker_each_and_models(self, run: Run, beside: Path) -> None:
        rows = pd.read_csv(beside / "set" / "manifest.csv")
        for worker, own in rows.groupby("worker"):
            path = beside / f"{worker}.csv"
            named = own.assign(mask="set/" + own["mask"], picture="set/" + own["image"], model=worker)
            named[["picture", "mask", *(["model"] if worker == "eve" else [])]].to_csv(path, index=False)
        ran = run(
            *("chunks", "run", "ann.csv", "bob.csv", "--worker-from-file", "--model-masks", "eve.csv", "-o", "out"),
            *("--columns", "image=picture, mask=mask", "--no-report"),
        )
        assert ran.status == 0, ran.err
        assert ran.err.startswith("3 pictures, 6 masks by 2 people, 1 model (eve)\n")
        assert pd.read_csv(beside / "out" / "workers.csv")["worker"].tolist() == ["ann", "bob", "eve"]

    def test_fail_on(self, run: Run, beside: Path) -> None:
        ran = run("chunks", "run", *SET, "-o", "out", "--no-report", "--fail-on", "unaudited")
        assert ran.status == WARNED
        assert "warning unaudited, which --fail-on names: no gold masks" in ran.err
        assert (beside / "out" / "summary.json").exists()

    def test_without_the_libraries_of_the_page(self, run: Run, beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(charts, "are_there", lambda: False)
        ran = run("chunks", "run", *SET, "-o", "out")
        assert ran.status == 0
        assert "wrote out\nno report.html, a page to look at: pip install 'crowd-consensus[report]'\n" in ran.err
        ran = run("chunks", "run", *SET, "-o", "2", "--report")
        assert (ran.status, "charts and reports need Altair" in ran.err) == (SETTINGS, True)
        assert not (beside / "2").exists()

    def test_compiling_is_told(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kernels, "are_compiled", lambda **given: not given["with_masks"])
        ran = run("chunks", "run", *SET, "-o", "out", "--no-report")
        assert ran.err.startswith("compiling the inner loops, once on this machine")

    def test_stages_have_phases(self) -> None:
        assert {"counting", "painting", "reporting", "writing", "reading"} <= set(job.PHASES)


@pytest.mark.usefixtures("beside")
class TestAnswers:
    def answered(self, run: Run, beside: Path) -> Path:
        assert run("chunks", "run", *SET, "-o", "out", "--no-report", "-q").status == 0
        asked = pd.read_csv(beside / "out" / "escalations.csv")
        asked = asked[asked["judgments"] > 0].head(12)
        path = beside / "answers.csv"
        pd.DataFrame({"item": asked["item"], "worker": "kim", "label": asked["label"]}).to_csv(path, index=False)
        return path

    def test_clicks_come_back(self, run: Run, beside: Path) -> None:
        self.answered(run, beside)
        before = (beside / "out" / "images.csv").read_text()
        ran = run("chunks", "answers", "out", "answers.csv", "--json", "--report")
        assert ran.status == 0
        assert ran.err.startswith("3 pictures, 9 masks by 3 people, 12 clicks")
        assert "\nthe answers change the expected foreground IoU of " in ran.err
        assert "\nwrote out/report.html\n" in ran.err
        assert json.loads(ran.out)["n_clicks"] == 12
        assert (beside / "out" / "images.csv").read_text() != before
        assert len(pd.read_csv(beside / "out" / "clicks.csv")) == 12
        assert "kim (clicks)" in (beside / "out" / "report.html").read_text()

    def test_crops_and_page_are_as_in_the_run(self, run: Run, beside: Path) -> None:
        self.answered(run, beside)
        assert run("chunks", "run", *SET, "-o", "out", "--no-report", "--crops", "2", "--overwrite").status == 0
        for said, n, page in ([], 2, False), (["--crops", "1"], 1, False), (["--report"], 1, True), ([], 1, True):
            assert run("chunks", "answers", "out", "answers.csv", *said).status == 0
            assert len(list((beside / "out" / "crops").iterdir())) == n
            assert (beside / "out" / "report.html").exists() == page

    def test_an_export_of_tasks(self, run: Run, beside: Path) -> None:
        rows = pd.read_csv(self.answered(run, beside))
        tasks = [
            {
                "id": number,
                "data": {"image": "crop.jpg", "chunk": item},
                "annotations": [
                    {
                        "id": 100 + number,
                        "completed_by": 7,
                        "result": [{"from_name": "class", "type": "choices", "value": {"choices": [label]}}],
                    }
                ],
            }
            for number, (item, label) in enumerate(zip(rows["item"], rows["label"], strict=True), 1)
        ]
        (beside / "export.json").write_text(json.dumps(tasks))
        ran = run("chunks", "answers", "out", "export.json")
        assert ran.status == 0, ran.err
        found, came = ran.err.splitlines()[:2]
        assert found == 'the item of the answers is the column "chunk", which holds the names of chunks'
        assert came.startswith("3 pictures, 9 masks by 3 people, 12 clicks")
        kept = pd.read_csv(beside / "out" / "clicks.csv")
        assert set(kept["item"]) == set(rows["item"])
        ran = run("chunks", "answers", "out", "export.json", "--item", "id")
        assert (ran.status, ran.err.count("\n")) == (INPUT, 1)
        assert 'answers: "1" names no chunk; ' in ran.err
        assert "name its column with --item" in ran.err

    def test_columns_of_any_name(self, run: Run, beside: Path) -> None:
        rows = pd.read_csv(self.answered(run, beside))
        rows.columns = pd.Index(["piece", "who", "what"])
        rows.insert(0, "nr", range(len(rows)))
        rows.to_csv("odd.csv", index=False)
        ran = run("chunks", "answers", "out", "odd.csv")
        assert (ran.status, ran.err.count("\n")) == (INPUT, 1)
        assert "name them with --item, --worker, --label" in ran.err
        ran = run("chunks", "answers", "out", "odd.csv", "--worker", "who", "--label", "what")
        assert ran.status == 0, ran.err
        assert ran.err.startswith('the item of the answers is the column "piece", which holds the names of chunks\n')
        ran = run("chunks", "answers", "out", "odd.csv", "--worker", "who", "--label", "what", "--item", "piece")
        assert ran.err.startswith("3 pictures, 9 masks by 3 people, 12 clicks")

    def test_a_folder_for_spreadsheets_stays_one(self, run: Run, beside: Path) -> None:
        rows = pd.read_csv("set/manifest.csv")
        rows["mask"] = [str((beside / "set" / one).resolve()) for one in rows["mask"]]
        rows.assign(image="=" + rows["image"]).to_csv("formulas.csv", index=False)
        ran = run("chunks", "run", "formulas.csv", *SET[1:], "-o", "safe", "--no-report")
        assert ran.status == 0, ran.err
        asked = pd.read_csv("safe/escalations.csv").head(2)
        asked[["item", "label"]].assign(worker="kim").to_csv("answers.csv", index=False)
        for _ in range(2):
            ran = run("chunks", "answers", "safe", "answers.csv", "--no-report")
            assert ran.status == 0, ran.err
            assert pd.read_csv("safe/images.csv")["image"].str.startswith("'=").all()

    def test_answers_that_lie_in_the_folder_would_be_lost(self, run: Run, beside: Path) -> None:
        path = self.answered(run, beside)
        path.rename(beside / "out" / "answers.csv")
        ran = run("chunks", "answers", "out", "out/answers.csv")
        assert (ran.status, ran.err.count("\n")) == (SETTINGS, 1)
        assert "out/answers.csv, which is to be read, lies in it" in ran.err
        assert (beside / "out" / "answers.csv").exists()

    def test_an_answer_about_no_chunk(self, run: Run, beside: Path) -> None:
        path = self.answered(run, beside)
        path.write_text("item,worker,label\nimages/p0.png#x,kim,cell\n")
        ran = run("chunks", "answers", "out", path)
        assert (ran.status, ran.err.count("\n")) == (INPUT, 1)
        assert 'answers: "images/p0.png#x" names no chunk' in ran.err

    def test_no_run(self, run: Run, beside: Path) -> None:
        (beside / "a.csv").write_text("item,worker,label\n")
        ran = run("chunks", "answers", "set", "a.csv")
        assert (ran.status, ran.err.count("\n")) == (INPUT, 1)
        assert "set: this is no folder of a run over pictures" in ran.err


@pytest.mark.usefixtures("beside")
class TestEvaluate:
    def test_scores(self, run: Run) -> None:
        run("chunks", "run", *SET, "-o", "out", "--no-report", "-q")
        ran = run("chunks", "evaluate", "out", "set/truth.csv")
        assert (ran.status, ran.err) == (0, "")
        lines = ran.out.splitlines()
        assert lines[0].split() == ["all", "pixels", "mean", "of", "3", "worst"]
        assert [line.split()[0] for line in lines[1:8]] == [one.name for one in evaluating.SCORES[2:]]
        assert lines[5].split()[2] == "%"
        assert lines[9] == "label,n_pixels,iou,dice"
        whole, worst = float(lines[1].split()[1]), float(lines[1].split()[3])
        assert 0.5 < worst < whole < 1
        assert float(lines[6].split()[3]) >= float(lines[6].split()[1])  # of log loss, more is worse
        told = json.loads(run("chunks", "evaluate", "out", "set/truth.csv", "--json", "--boundary", "0").out)
        assert told["pooled"]["mean_iou"] == pytest.approx(whole, abs=1e-4)
        assert [len(told[name]) for name in ("images", "classes")] == [3, 3]
        assert told["pooled"]["boundary_f"] < float(lines[4].split()[1])

    def test_scores_that_do_not_exist(self) -> None:
        none = {column.name: None for column in evaluating.SCORES[1:]}
        frame = pd.DataFrame([{"image": "a", **none}]).astype(dict.fromkeys(none, "float64"))
        found: Any = evaluating.Evaluated(none, none, frame, frame)  # type: ignore[arg-type]
        assert {cells for _, *cells_ in words.scores(found) for cells in cells_} == {"-"}
        assert words.evaluated(found)["pooled"]["mean_iou"] is None


@pytest.mark.usefixtures("beside")
class TestMake:
    @pytest.mark.parametrize("method", ["slic", "felzenszwalb"])
    def test_cuts_serve_a_run(self, run: Run, beside: Path, method: str) -> None:
        images = [f"set/images/p{n}.png" for n in range(3)]
        ran = run("chunks", "make", *images, "--method", method, "--size", "60", "-o", "cuts")
        assert (ran.status, ran.err) == (0, "wrote 3 cuts into cuts\n")
        assert len(list((beside / "cuts").iterdir())) == 3
        assert run("chunks", "make", images[0], "-q", "-o", "again").err == ""
        ran = run("chunks", "make", images[0])
        assert (ran.status, "cuts/p0.png: stands there already" in ran.err) == (SETTINGS, True)

    def test_a_run_with_cuts(self, run: Run, beside: Path) -> None:
        run("chunks", "make", "set/images/p0.png", "--size", "60", "-o", "cuts")
        (beside / "cuts" / "p0.png").rename(beside / "cuts" / "images_p0.png")
        for name, given in (("whole", ()), ("cut", ("--cuts", "cuts", "--cut-above", "0.001"))):
            assert run("chunks", "run", *SET, "-o", name, "--no-report", "-q", *given).status == 0
        n = {name: pd.read_csv(beside / name / "images.csv")["n_chunks"].tolist() for name in ("whole", "cut")}
        assert n["cut"][0] > n["whole"][0]
        assert n["cut"][1:] == n["whole"][1:]


MISTAKES: dict[str, tuple[str, int, str]] = {
    "no masks": ("run", USAGE, "there must be MASKS; see consensus chunks run --help"),
    "a file that is not there": (
        "run none.csv",
        INPUT,
        "none.csv: no such file; check the name, or the folder you are in",
    ),
    "an option misspelt": (
        "run set/manifest.csv --clases x",
        USAGE,
        "there is no option --clases (did you mean --classes?); see consensus chunks run --help",
    ),
    "a command misspelt": (
        "evaluat x",
        USAGE,
        "no such command 'evaluat'. Did you mean 'evaluate'?; see consensus chunks --help",
    ),
    "a target in per cent": (
        "run set/manifest.csv --target 95",
        SETTINGS,
        "setting target = 95.0: input should be less than 1; 95 % is 0.95",
    ),
    "a role that is none": (
        "run set/manifest.csv --columns picture=image",
        SETTINGS,
        '--columns: no column is called "picture"; expected one of image, worker, mask, region, timestamp, duration',
    ),
    "columns without names": (
        "run set/manifest.csv --columns mask",
        USAGE,
        '--columns: "mask" is no ROLE=NAME, such as mask=path; see consensus chunks run --help',
    ),
    "the input in the output": (
        "run set/manifest.csv -o set",
        SETTINGS,
        "set: set/manifest.csv, which is to be read, lies in it; choose another folder with --output",
    ),
    "a background that is no class": (
        "run set/manifest.csv --classes set/classes.csv --background sky -o out",
        SETTINGS,
        'background = "sky": there is no such class; there are background, cell, fibre',
    ),
    "a truth of nothing": (
        "evaluate set set/truth.csv",
        INPUT,
        "set: this is no folder of a run over pictures: its summary.json is missing or another one",
    ),
    "cuts that are not there": (
        "run set/manifest.csv --cuts none -o out",
        INPUT,
        "none: there is no such folder of cuts",
    ),
    "a picture that is none": ("make set/manifest.csv -o out", INPUT, "set/manifest.csv: "),
    "pieces of nothing": (
        "make set/images/p0.png --size 1 -o out",
        SETTINGS,
        "size = 1: expected 2 to 1,000,000 pixels",
    ),
}


@pytest.mark.usefixtures("beside")
@pytest.mark.parametrize(("command", "status", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence_with_the_way_out(
    run: Run, beside: Path, command: str, status: int, said: str
) -> None:
    for as_json in ((), ("--json",)):
        if as_json and command.startswith("make"):
            continue
        ran = run("chunks", *command.split(), *as_json)
        assert (ran.status, ran.out, ran.err.count("\n")) == (status, "", 1), ran.err
        told = json.loads(ran.err)["message"] if as_json else ran.err.removeprefix("consensus: ").rstrip("\n")
        assert told.startswith(said)
        assert told == said or said.endswith(": ")
    assert not (beside / "out").exists() or not list((beside / "out").iterdir())


@pytest.mark.usefixtures("beside")
@pytest.mark.parametrize("library", ["PIL", "skimage"])
def test_a_missing_extra_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    imported = builtins.__import__

    def refusing(name: str, *given: Any, **more: Any) -> Any:
        if name.split(".")[0] == library:
            raise ImportError(name)
        return imported(name, *given, **more)

    monkeypatch.setattr(builtins, "__import__", refusing)
    command = ("run", *SET) if library == "PIL" else ("make", "set/images/p0.png")
    ran = run("chunks", *command, "-o", "out")
    assert (ran.status, ran.err.count("\n")) == (SETTINGS, 1)
    assert "crowd-consensus[image]" in ran.err


def test_other_commands_load_nothing_of_it() -> None:
    """Nor does its own help."""
    for arguments in (["--help"], ["chunks", "--help"], ["chunks", "run", "--help"]):
        program = (
            "import atexit, sys\n"
            "heavy = {'consensus.chunks', 'consensus.masks', 'PIL', 'skimage', 'numpy', 'pandas', 'numba', 'rich'}\n"
            "atexit.register(lambda: print('too many:', sorted(heavy & set(sys.modules))))\n"
            "from consensus.__main__ import main\n"
            f"main({arguments!r})"
        )
        ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
        assert ran.stdout.endswith("too many: []\n")
