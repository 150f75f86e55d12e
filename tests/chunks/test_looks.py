"""The pictures that go with a run, its words, and what the page is made of."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from consensus import chunks
from consensus.chunks import ChunkRun, folder, gallery, looks, page, tables, words
from consensus.chunks.gallery import Gallery
from consensus.chunks.looks import Looks
from consensus.errors import OutputError
from consensus.found.cautions import Caution
from consensus.report import charts
from tests.chunks import drawn_pictures, picture_files


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return picture_files.written(
        tmp_path_factory.mktemp("pictures") / "set", workers=("ann", "bob", "eve", "kim", "lou")
    )


def of(files: Path, **given: Any) -> ChunkRun:
    return chunks.run(files / "manifest.csv", classes=files / "classes.csv", **given)


@pytest.fixture(scope="module")
def run(files: Path) -> ChunkRun:
    return of(files)


def taken(run: ChunkRun, into: Path, n_crops: int = 200, n_shown: int = 48) -> Gallery:
    found = Gallery(run, into, n_crops, n_shown)
    run.look_again(found.add)
    return found


class TestGallery:
    def test_an_overlay_of_each_picture_and_crops_of_what_is_asked(self, run: ChunkRun, tmp_path: Path) -> None:
        found = taken(run, tmp_path)
        assert {path.stem for path in (tmp_path / "overlay").iterdir()} == set(run.files)
        crops = found.finish()
        assert [crop is not None for crop in crops] == (run.chunks["judgments"] > 0).tolist()
        named = [crop for crop in crops if crop is not None]
        assert len(list((tmp_path / "crops").iterdir())) == len(set(named)) == len(named) > 3
        for crop in named:
            with Image.open(tmp_path / crop) as image:
                assert max(image.size) >= 240
        assert found.expected_area.sum() == pytest.approx(4 * 72 * 94)
        assert found.missing == []

    def test_of_too_many_crops_those_that_repair_most(self, run: ChunkRun, tmp_path: Path) -> None:
        crops = taken(run, tmp_path, 3).finish()
        asked = run.chunks[run.chunks["judgments"] > 0].sort_values("priority", ascending=False, kind="stable")
        kept = run.chunks[[crop is not None for crop in crops]]
        assert set(kept.index) == set(asked.index[:3])

    def test_without_crops_there_is_no_folder(self, files: Path, tmp_path: Path) -> None:
        run = of(files)
        assert set(taken(run, tmp_path, 0).finish()) == {None}
        assert not (tmp_path / "crops").exists()

    def test_the_worst_pictures_come_first(self, run: ChunkRun, tmp_path: Path) -> None:
        worst = run.images.sort_values("expected_foreground_iou", kind="stable").index.tolist()
        assert [one.number for one in taken(run, tmp_path).shown()] == worst
        assert [one.number for one in taken(run, tmp_path, n_shown=2).shown()] == worst[:2]
        assert taken(run, tmp_path, n_shown=0).shown() == []

    def test_every_painter_has_a_layer_of_the_size_of_the_picture(self, run: ChunkRun, tmp_path: Path) -> None:
        shown = taken(run, tmp_path).shown()[0]
        assert [one.name for one in shown.painters] == ["ann", "bob", "eve", "kim", "lou"]
        for content in (shown.picture, shown.merged, shown.unsure, *(one.outlines for one in shown.painters)):
            (tmp_path / "one").write_bytes(content)
            with Image.open(tmp_path / "one") as image:
                assert image.size == (shown.width, shown.height) == (376, 288)
        layers = {one.outlines for one in shown.painters}
        assert len(layers) == 5

    def test_gold_is_the_first_layer_and_many_painters_are_counted(
        self, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gallery, "MOST_PAINTERS", 3)
        shown = taken(of(files, gold=files / "gold.csv"), tmp_path).shown()
        (with_gold,) = (one for one in shown if one.number == 0)
        assert [(one.name, one.kind) for one in with_gold.painters] == [
            ("", "gold"),
            ("ann", "human"),
            ("bob", "human"),
        ]
        assert with_gold.n_more == 3
        assert {one.n_more for one in shown} == {2, 3}

    def test_pictures_that_are_not_there_are_grey(self, tmp_path: Path) -> None:
        run = chunks.run(drawn_pictures.crowd(2).masks)
        found = taken(run, tmp_path)
        assert found.missing == ["drawn/00.png", "drawn/01.png"]
        assert not any(one.is_there for one in found.shown())
        assert "2 pictures can't be shown, such as drawn/00.png" in page._lost(found)[0][1]

    def test_a_picture_that_nobody_says_anything_of(self, tmp_path: Path) -> None:
        nothing = np.full((8, 9), -1)
        some = np.zeros((8, 9), int)
        some[2:6, 2:6] = 1
        pictures = [
            drawn_pictures.picture("a", {"ann": some, "bob": some}),
            drawn_pictures.picture("b", {"ann": nothing}),
        ]
        run = chunks.run(drawn_pictures.mask_set(pictures))
        shown = {one.number: one for one in taken(run, tmp_path).shown()}
        assert set(shown) == {0, 1}
        row = words.records(run.images)[1]
        assert row["expected_foreground_iou"] is None
        assert page._picture(run, shown[1], row)["about"].startswith("no class is painted; 1 mask")


class TestFolder:
    def test_a_saved_run_has_pictures_and_the_page(self, run: ChunkRun, tmp_path: Path) -> None:
        chunks.save(run, tmp_path / "out", crops=2)
        names = {path.name for path in (tmp_path / "out").iterdir()}
        assert {"overlay", "crops", "report.html", "chunks.csv"} <= names
        written = pd.read_csv(tmp_path / "out" / "chunks.csv")
        assert written["crop"].notna().sum() == 2
        chunks.save(run, tmp_path / "out", overwrite=True, report=False, crops=0)
        assert not {"crops", "report.html"} & {path.name for path in (tmp_path / "out").iterdir()}

    def test_without_the_libraries_no_page(
        self, run: ChunkRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(charts, "are_there", lambda: False)
        assert not looks.wanted(None)
        assert not looks.wanted(False)
        with pytest.raises(OutputError, match="charts and reports need Altair"):
            looks.wanted(True)
        chunks.save(run, tmp_path / "out")
        assert not (tmp_path / "out" / "report.html").exists()

    def test_status_and_iou_are_read_back(self, run: ChunkRun, tmp_path: Path) -> None:
        chunks.save(run, tmp_path / "out", report=False, crops=0)
        found = folder.images_of(tmp_path / "out")
        assert list(found) == list(run.names)
        assert [iou for _, iou in found.values()] == pytest.approx(run.images["expected_foreground_iou"].tolist())


def workers(**changed: Any) -> pd.DataFrame:
    usual = {"worker": "ann", "kind": "human", "verdict": "good", "iou": 0.8, "bias_px": 0.2, "confuses": None}
    return pd.DataFrame([usual | one for one in changed.get("rows", [{}])])


class TestWords:
    @pytest.mark.parametrize(
        ("bias", "said"),
        [
            (None, ""),
            (0.49, "on the line"),
            (-0.49, "on the line"),
            (1.44, "paints 1.4 px too wide"),
            (-2.0, "paints 2.0 px too narrow"),
        ],
    )
    def test_outlines(self, bias: float | None, said: str) -> None:
        assert words.outlines(bias) == said

    def test_verdicts_and_whom_to_look_at(self) -> None:
        rows: list[dict[str, Any]] = [
            {},
            {"worker": "bob", "verdict": "careless", "iou": 0.4},
            {"worker": "eve", "verdict": "too_few", "bias_px": 1.4},
            {"worker": "kim", "verdict": "spammer", "iou": None, "bias_px": -3.0},
            {"worker": "bob (clicks)", "verdict": "good", "iou": None, "bias_px": None},
            {"worker": "net", "kind": "model", "bias_px": 4.0},
            {"worker": "lea", "verdict": "biased", "iou": 0.7, "confuses": "cell for fibre: 44% | fibre for cell: 20%"},
        ]
        found = workers(rows=rows)
        assert (
            words.verdicts(found)
            == "workers: 2 good, 1 careless, 1 spammer, 1 biased, 1 with too few masks for a verdict"
        )
        assert words.people(found) == (
            "to look at: bob (careless), kim (spammer, paints 3.0 px too narrow), lea (takes cell for fibre), "
            "eve (paints 1.4 px too wide)"
        )
        assert words.people(workers()) == ""
        assert words.about_workers(workers()) == ["workers: 1 good"]
        assert words.about_workers(workers(rows=[{"kind": "model"}])) == []

    def test_many_names_are_cut(self) -> None:
        found = workers(rows=[{"worker": f"w{n}\n", "bias_px": 2.0, "iou": n / 10} for n in range(7)])
        assert words.people(found).endswith("w4\\n (paints 2.0 px too wide) and 2 more")

    def test_what_came_in(self, files: Path) -> None:
        run = of(files, gold=files / "gold.csv", reading={"void": 255})
        assert words.understood(run)[:3] == [
            "4 pictures, 20 masks by 5 people, gold of 1 picture",
            "classes: background (0), cell (1), fibre (2); the background is background",
            "pixels of the value 255 are not judged",
        ]

    def test_models_clicks_and_classes_without_background(self) -> None:
        rng = np.random.default_rng(3)
        true = drawn_pictures.truth(rng, 0.4)
        shared = (np.zeros(true.shape), np.zeros(true.shape))
        people: dict[str, Any] = {f"w{n}": drawn_pictures.painted(rng, true, shared) for n in range(2)}
        one = drawn_pictures.picture("a", people, models={"net": true})
        masks = drawn_pictures.mask_set([one], ["cell", "fibre", "dust"])
        masks = replace(masks, classes=replace(masks.classes, has_values=False), cautions=("odd thing",))
        run = chunks.run(masks)
        click = pd.DataFrame([{"item": run.escalations["item"][0], "worker": "bob", "label": "cell"}])
        clicked = chunks.answers(run, click)
        first, second, *_ = words.understood(clicked)
        assert first.startswith("1 picture, 2 masks by 2 people, 1 model (net), 1 click")
        assert second == "classes: cell, fibre, dust; the background is no class"
        assert words.cautions(run)[0].code == "odd_masks"
        assert "warning odd_masks: odd thing" in words.lines(run)

    def test_pictures_without_gold_are_unaudited(self, run: ChunkRun) -> None:
        (one,) = words.cautions(run)
        assert one.code == "unaudited"
        assert one.message.startswith("no gold masks were given: ")

    def test_few_people(self, files: Path) -> None:
        rows = pd.read_csv(files / "manifest.csv").query("worker < 'd'")
        rows["mask"] = [str(files / one) for one in rows["mask"]]
        run = chunks.run(rows, classes=files / "classes.csv")
        found = words.cautions(run)
        assert [one.code for one in found] == ["few_masks", "unaudited", "clusters_untold"]
        assert found[0].message.startswith("4 pictures have two masks: where these differ, ")
        assert "one counts as 20 independent judgments" in found[2].message

    @pytest.mark.parametrize("code", words.SAID)
    def test_warnings_of_the_fit_speak_of_pictures(self, run: ChunkRun, code: str) -> None:
        caution = Caution(code, 'model "net" voted on too few items; see --max-iterations')
        fit = replace(run.fitted, result=replace(run.result, warnings=(caution,)))
        (one,) = [one for one in words.cautions(replace(run, fitted=fit)) if one.code == code]
        assert "item" not in one.message
        assert "--max-iterations" not in one.message
        assert code in words.OF_PICTURES

    def test_clicks_that_wait(self, run: ChunkRun, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ChunkRun, "n_waiting", 2)
        (one, _) = words.cautions(run)
        assert (one.code, one.message.partition(":")[0]) == ("waiting_clicks", "2 clicks do not count yet")

    def test_what_was_met_in_masks_is_told(self, run: ChunkRun) -> None:
        assert len(run.images) == 4  # all masks were read; another reading would tell anew
        mask = run.masks.pictures[0].masks[0]
        mask.told["pixels in two labels, of which the later one counts"] = 1234
        try:
            assert "1,234 pixels in two labels, of which the later one counts" in words.understood(run)
        finally:
            mask.told.clear()

    def test_a_fit_that_did_not_converge(self, run: ChunkRun) -> None:
        ended = replace(run.result.convergence, status="iteration_limit")
        stopped = replace(run, fitted=replace(run.fitted, result=replace(run.result, convergence=ended)))
        assert "without converging; the pixels of a picture count as" in words.fit(stopped)
        assert ": converged after " in words.fit(run)


def with_tables(run: ChunkRun, of_images: list[str], /, **chunk: Any) -> ChunkRun:
    """The same with other tables: the status ``of_images``, and columns of its chunks."""
    made = replace(run)
    images = run.images.assign(
        expected_foreground_iou=0.8,
        foreground_iou_after_clicks=0.9,
        status=of_images,
        clicks_to_target=pd.array([3, 2, None, None], "Int64"),
    )
    made.__dict__["tables"] = tables.Tables(images, run.chunks.iloc[:3].assign(**chunk), run.escalations)
    made.__dict__["people"] = run.people
    return made


class TestSettled:
    def test_all(self, run: ChunkRun) -> None:
        found = with_tables(run, ["settled"] * 4, judgments=0)
        assert words.settled(found) == [
            "4 of 4 pictures are settled: expected foreground IoU 0.95 or more; 0.80 over all pictures"
        ]
        assert words.steps(found, "out") == []
        assert page._todo(replace_workers(found), "out") == []

    def test_by_clicks_and_anew(self, run: ChunkRun) -> None:
        found = with_tables(
            run,
            ["settled", "clicks", "repaint", "repaint"],
            judgments=[1, 2, 1],
            status=["disputed", "audit", "repaint"],
        )
        said = words.settled(found)
        assert said == [
            "1 of 4 pictures is settled: expected foreground IoU 0.95 or more; 0.80 over all pictures",
            "2 clicks on 2 disputed chunks are expected to bring it to 0.90, and to settle 1 more",
            "2 clicks on chunks that nobody disputes, drawn at random to check them",
            "2 pictures need more masks, or to be painted anew, since 40 clicks are not expected to settle them: "
            "images/p2.png, images/p3.png",
        ]
        assert words.steps(found, "out")[0].startswith(
            "next: have the chunks of out/escalations.csv clicked, then cons"
        )
        (clicked, painted, *_) = page._todo(found, "out")
        assert clicked[0] == "Have 3 chunks clicked."
        assert "1 of them drawn at random" in clicked[1]
        assert clicked[2] == "consensus chunks answers out answers.csv"
        assert painted[0] == "Have 2 pictures painted by somebody else, too."

    def test_clicks_that_settle_nothing_and_one_to_repaint(self, run: ChunkRun) -> None:
        found = with_tables(run, ["settled"] * 3 + ["repaint"], judgments=[1, 0, 0], status="disputed")
        said = words.settled(found)
        assert said[1] == "1 click on 1 disputed chunk is expected to bring it to 0.90"
        assert said[2].startswith("1 picture needs more masks, or to be painted anew, since 40 clicks ")
        assert said[2].endswith("expected to settle it: images/p3.png")
        tiles = {name: note for name, _, note in page._tiles(found)}
        assert tiles["clicks to ask for"] == "expected to settle 0 more"
        found = with_tables(run, ["settled"] * 3 + ["repaint"], judgments=0)
        assert words.steps(found, "out") == [
            "next: have somebody else paint the pictures that need it, add the masks, and run it again"
        ]

    def test_what_answers_bring(self, run: ChunkRun) -> None:
        before = {
            name: ("repaint", iou) for name, iou in zip(run.names, run.images["expected_foreground_iou"], strict=True)
        }
        assert words.compared(before, run) == "the answers change the expected IoU of no picture"
        before[run.names[0]] = ("settled", before[run.names[0]][1] - 0.25)
        before[run.names[1]] = ("settled", float("nan"))
        n = int((run.images["status"] == "settled").sum())
        assert words.compared(before, run) == (
            "the answers change the expected foreground IoU of 1 picture, by +0.250 on the mean; "
            f"2 settled before, {n} now"
        )


def replace_workers(run: ChunkRun) -> ChunkRun:
    """The same with nobody to look at."""
    run.__dict__["workers"] = workers()
    return run


class TestPage:
    def html(self, run: ChunkRun, into: Path) -> str:
        return page.made(run, taken(run, into), "out").decode()

    def test_the_number_comes_first(self, run: ChunkRun, tmp_path: Path) -> None:
        html = self.html(run, tmp_path)
        n = int((run.images["status"] == "settled").sum())
        assert re.search(rf"<h1>{n} of 4 pictures (is|are) settled</h1>", html)
        assert html.index("<h1>") < html.index('class="promise unaudited"') < html.index('class="tiles"')
        assert "Nothing has measured it: there are no gold masks" in html
        assert html.count('<figure class="picture"') == 4
        assert "several.csv, files.csv" in page._named(["/a/several.csv", "/a/files.csv"])
        assert html.count('type="radio"') == 4 * (2 + 5 + 1)
        assert "All pictures, those first that are expected to be worst" in html

    def test_nothing_is_loaded_and_no_folder_is_told(self, run: ChunkRun, files: Path, tmp_path: Path) -> None:
        html = self.html(run, tmp_path)
        assert not re.search(r'(src|href)="(?!data:|#)', html)
        assert "<script" not in html
        assert str(files) not in html
        assert "manifest.csv" in html

    def test_gold_models_and_files_are_told(self, files: Path, tmp_path: Path) -> None:
        html = self.html(of(files, gold=files / "gold.csv", models=[files / "manifest.csv"]), tmp_path)
        assert "Where there is gold, the true mask is known" in html
        assert ">gold</label>" in html
        assert ">model ann</label>" in html

    def test_names_are_text(self, tmp_path: Path) -> None:
        evil = ("<img src=x onerror=alert(1)>.png", "b.png")
        files = picture_files.written(tmp_path / "set", 2, names=evil, workers=("</style><script>1", "'\">x"))
        html = self.html(of(files), tmp_path)
        assert "<script" not in html
        assert "<img src=x" not in html
        assert "&lt;img src=x onerror=alert(1)&gt;.png" in html
        assert "&lt;/style&gt;&lt;script&gt;1" in html

    def test_a_page_that_gets_too_large_shows_fewer(
        self, run: ChunkRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = len(self.html(run, tmp_path).encode())
        monkeypatch.setattr(page, "MOST_BYTES", whole - 1)
        html = self.html(run, tmp_path)
        assert "The 2 worst of 4 pictures" in html
        monkeypatch.setattr(page, "MOST_BYTES", 1)
        assert self.html(run, tmp_path).count('<figure class="picture"') == 1

    def test_many_rows_are_cut(self, run: ChunkRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(page, "MOST_ROWS", 2)
        facts = page.collected(run, taken(run, tmp_path), "out")
        assert len(facts["workers"]) == 2
        assert facts["workers_caption"].endswith("2 of 5 are shown.")
        assert [one["label"] for one in facts["classes"]] == ["background", "cell"]
        monkeypatch.setattr(page, "MOST_ROWS", 1)
        made = with_tables(run, ["repaint"] * 4)
        assert (
            "1 of 4 are shown; all stand in images.csv."
            in page.collected(made, taken(run, tmp_path), "out")["anew_line"]
        )

    def test_classes_tell_what_they_are_disputed_with(self, run: ChunkRun, tmp_path: Path) -> None:
        found = taken(run, tmp_path)
        made = with_tables(
            run,
            ["clicks"] * 4,
            label=["cell", "cell", "fibre"],
            runner_up=["fibre", "fibre", None],
            status=["disputed", "disputed", "disputed"],
        )
        rows = {one["label"]: one for one in page._classes(made, found)}
        assert (rows["cell"]["confused"], rows["cell"]["n_disputed"]) == ("fibre (2)", 2)
        assert (rows["fibre"]["confused"], rows["fibre"]["n_disputed"]) == ("cell (2)", 3)
        assert rows["background"]["confused"] == ""
        assert sum(one["share"] for one in rows.values()) == pytest.approx(1.0)
        made.images["expected_iou_cell"] = np.nan
        assert page._classes(made, found)[1]["expected_iou"] is None

    def test_nothing_to_do_and_nothing_known(self, run: ChunkRun) -> None:
        made = replace_workers(with_tables(run, ["settled"] * 4, judgments=0))
        made.images["expected_foreground_iou"] = np.nan
        tiles = {name: (value, note) for name, value, note in page._tiles(made)}
        assert tiles["expected foreground IoU"][0] == "unknown"
        assert tiles["need more masks"] == ("0", "no picture")
        assert tiles["clicks to ask for"] == ("0", "nothing to ask")

    def test_workers_are_told_in_words(self) -> None:
        one = {"verdict": "too_few", "reason": "long", "bias_px": 1.4, "iou": 0.5, "kind": "human"}
        found = page._worker(one | {"accuracy_low": 0.5, "accuracy_high": 0.75})
        assert (found["lines"], found["range"], found["reason"]) == ("paints 1.4 px too wide", "50% to 75%", "")
        found = page._worker(one | {"verdict": "good", "accuracy_low": None, "accuracy_high": None, "bias_px": None})
        assert (found["lines"], found["range"], found["reason"]) == ("", "", "long")
        rows = [{**one, "verdict": "good"}, {**one, "iou": None, "kind": "model"}, {**one, "verdict": "spammer"}]
        assert [rows.index(row) for row in sorted(rows, key=page._worst_first)] == [2, 0, 1]


def test_looks_take_no_pictures_for_a_page_that_is_not_wanted(run: ChunkRun, tmp_path: Path) -> None:
    assert Looks(with_page=False).gallery(run, tmp_path).most_shown == 0
    assert Looks(with_page=True).gallery(run, tmp_path).most_shown == page.MOST_PICTURES
