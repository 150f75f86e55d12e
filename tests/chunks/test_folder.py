"""The folder of a run: what stands in it, how it is made again, and answers that come back."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from consensus import chunks, read
from consensus.chunks import answering, columns, file_names, folder
from consensus.errors import FormatError, JudgmentError, OutputError, RunError
from consensus.runs import folder as folders
from tests.chunks.drawn_pictures import LABELS, Crowd, crowd, mask_set, picture


@pytest.mark.parametrize("said", [{"settings": "x"}, {"inputs": []}])
def test_a_summary_that_was_changed(said: dict[str, Any], tmp_path: Path) -> None:
    told: dict[str, Any] = {"kind": "chunks", "settings": {}, "inputs": None}
    (tmp_path / "summary.json").write_text(json.dumps(told))
    assert folder.summary_of(tmp_path) == told
    (tmp_path / "summary.json").write_text(json.dumps(told | said))
    with pytest.raises(RunError, match="its summary.json is missing or another one"):
        folder.summary_of(tmp_path)


@pytest.fixture
def manifest(tmp_path: Path) -> tuple[Path, Crowd]:
    """Masks of three pictures as files, with a manifest."""
    drawn = crowd(3, 3, seed=4, scale=0.45)
    rows = []
    (tmp_path / "in").mkdir()
    for one in drawn.masks.pictures:
        for mask in one.masks:
            file = f"{one.name.replace('/', '_')}_{mask.worker}.png"
            Image.fromarray(mask.read(one.height, one.width).astype(np.uint8)).save(tmp_path / "in" / file)
            rows.append((one.name, mask.worker, file))
    pd.DataFrame(rows, columns=["image", "worker", "mask"]).to_csv(tmp_path / "in" / "masks.csv", index=False)
    pd.DataFrame({"value": range(3), "label": LABELS}).to_csv(tmp_path / "in" / "classes.csv", index=False)
    return tmp_path / "in" / "masks.csv", drawn


def saved(manifest: tuple[Path, Crowd], out: Path) -> chunks.ChunkRun:
    path, _ = manifest
    run = chunks.run(path, classes=path.parent / "classes.csv", audit_sample=0)
    chunks.save(run, out)
    return run


def test_what_stands_in_a_folder(manifest: tuple[Path, Crowd], tmp_path: Path) -> None:
    run = saved(manifest, tmp_path / "out")
    assert {one.name for one in (tmp_path / "out").iterdir()} == folder.OURS - {"clicks.csv"}
    assert run.files == ["drawn_00", "drawn_01", "drawn_02"]
    for number, name in enumerate(run.files):
        labels, confidences = run.painted(number).pixels
        with Image.open(tmp_path / "out" / "masks" / f"{name}.png") as mask:
            assert mask.mode == "P"
            assert (np.asarray(mask) == labels).all()
            palette = np.array(mask.getpalette()).reshape(-1, 3)
        assert (palette[:3] == run.masks.classes.colours).all()
        with Image.open(tmp_path / "out" / "confidence" / f"{name}.png") as grey:
            assert grey.mode == "L"
            assert (np.asarray(grey) == confidences).all()
    for table in ("images", "chunks", "escalations", "workers"):
        found = pd.read_csv(tmp_path / "out" / f"{table}.csv")
        known = [one.name for one in getattr(columns, table.upper())]
        assert found.columns[: len(known)].tolist() == known
        assert len(found) == len(getattr(run, table))
    assert run.images.columns[-3:].tolist() == [f"expected_iou_{label}" for label in LABELS]
    told = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert told["n_images"] == 3
    assert told["n_masks"] == 9
    assert told["cautions"] == run.cautions
    assert told["n_pixels"] == 3 * 72 * 94
    assert told["clicks_to_ask"] == run.chunks["judgments"].sum() > 0
    assert told["n_eff"] == run.result.units.n_eff  # type: ignore[union-attr]
    assert (run.chunks["priority"].diff().dropna() <= 0).all()


def test_a_run_is_made_again(manifest: tuple[Path, Crowd], tmp_path: Path) -> None:
    run = saved(manifest, tmp_path / "out")
    again = chunks.load(tmp_path / "out")
    pd.testing.assert_frame_equal(again.images, run.images)
    pd.testing.assert_frame_equal(again.chunks, run.chunks)
    pd.testing.assert_frame_equal(again.workers, run.workers)
    assert again.config == run.config


def answered(run: chunks.ChunkRun, drawn: Crowd, n: int = 40) -> pd.DataFrame:
    """Right answers to what is asked for."""
    rows = []
    asked = run.chunks[run.chunks["judgments"] > 0].head(n)
    for image, name, judgments in asked[["image", "chunk", "judgments"]].to_numpy().tolist():
        painted = run.painted(image)
        x, y = map(int, name.partition("-")[0].split(","))
        chunk = painted.partition.number_of(y * painted.picture.width + x, image)
        label = LABELS[int(np.bincount(drawn.truths[image][painted.chunk_of_pixel == chunk]).argmax())]
        rows += [(f"{image}#{name}", f"clicker{k}", label) for k in range(judgments)]
    return pd.DataFrame(rows, columns=["item", "worker", "label"])


def test_answers_come_back(manifest: tuple[Path, Crowd], tmp_path: Path) -> None:
    run = saved(manifest, tmp_path / "out")
    given = answered(run, manifest[1])
    given.to_csv(tmp_path / "answers.csv", index=False)
    assert set(given["item"]) <= set(run.escalations["item"])
    after = chunks.answers(tmp_path / "out", tmp_path / "answers.csv")
    assert after.images["expected_iou"].mean() > run.images["expected_iou"].mean()
    assert (after.images["chunks"] == run.images["chunks"]).all()  # chunks keep their names
    told = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert told["n_clicks"] == len(given)
    kept = pd.read_csv(tmp_path / "out" / "clicks.csv")
    assert sorted(map(tuple, kept.to_numpy())) == sorted(map(tuple, given.to_numpy()))
    again = chunks.load(tmp_path / "out")
    pd.testing.assert_frame_equal(again.images, after.images)
    second = given.head(1).assign(worker="clicker9")
    assert chunks.answers(tmp_path / "out", second, save=False).believed.n_clicks["clicker9"] == 1
    changed = given.head(1).assign(label="fibre")
    both = answering.merged(after.clicks, answering.clicks_of(after, read(changed)))
    assert sum(len(one) for image in both.values() for one in image.values()) == len(given)
    in_memory = chunks.answers(run, given)
    pd.testing.assert_frame_equal(in_memory.images, after.images)


@pytest.mark.parametrize(
    ("item", "label", "said"),
    [
        ("drawn/00.png#1,1-{hash}", "sky", 'the label "sky" is none of the classes, which are background, cell, fibre'),
        ("drawn/00.png", "cell", '"drawn/00.png" names no chunk'),
        ("nothing.png#1,1-{hash}", "cell", '"nothing.png#1,1-.*" names no chunk; an item is the picture, #, and'),
        ("drawn/00.png#1-{hash}", "cell", "names no chunk"),
        ("drawn/00.png#0,0-00000000", "cell", "is a chunk of other masks, or of another cut; its picture has chunks"),
        ("drawn/00.png#999,0-{hash}", "cell", "begins outside of the picture"),
        ("drawn/00.png#0,999-{hash}", "cell", "begins outside of the picture"),
        ("drawn/00.png#1,0-{hash}", "cell", 'no chunk of "drawn/00.png" begins at 1,0'),
    ],
)
def test_answers_that_fit_nothing(item: str, label: str, said: str) -> None:
    run = chunks.run(crowd(1, 3, scale=0.45).masks)
    given = pd.DataFrame([(item.format(hash=run.painted(0).partition.hash), "eve", label)])
    given.columns = pd.Index(["item", "worker", "label"])
    with pytest.raises(JudgmentError, match=said):
        chunks.answers(run, given)


def test_folders_that_can_not_be_made_again(manifest: tuple[Path, Crowd], tmp_path: Path) -> None:
    out = tmp_path / "out"
    saved(manifest, out)
    with pytest.raises(OutputError, match="exists already"):
        chunks.save(chunks.load(out), out)
    for name in ("nothing", "in"):
        with pytest.raises(RunError, match="this is no folder of a run over pictures"):
            chunks.load(tmp_path / name)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "summary.json").write_text('{"kind": "labels"}')
    with pytest.raises(RunError, match="this is no folder of a run over pictures"):
        chunks.load(tmp_path / "other")
    images = (out / "images.csv").read_text()
    (out / "images.csv").write_text(images.replace("drawn/00.png", "drawn/09.png"))
    with pytest.raises(RunError, match="there are other pictures than there were"):
        chunks.load(out)
    (out / "images.csv").unlink()
    with pytest.raises(RunError, match="its images.csv is missing, or not what was written"):
        chunks.load(out)
    (out / "images.csv").write_text(images)
    mask = next((tmp_path / "in").glob("*.png"))
    Image.fromarray(np.zeros((72, 94), np.uint8)).save(mask)
    with pytest.raises(RunError, match='the masks of "drawn/0.*.png" are not what they were; run it again'):
        chunks.load(out)


def test_masks_in_memory_can_not_be_read_again(tmp_path: Path) -> None:
    run = chunks.run(crowd(1, 3, scale=0.45).masks)
    with pytest.warns(FutureWarning, match="spreadsheet_safe is what is done anyway: leave it out; raw_cells=True"):
        chunks.save(run, tmp_path / "out", spreadsheet_safe=True)
    with pytest.raises(RunError, match="they were given in memory, or each file is called like a worker"):
        chunks.load(tmp_path / "out")
    frame = pd.DataFrame({"image": ["a"], "worker": ["ann"], "mask": ["a.png"]})
    assert chunks.whole_run.stored({"source": frame}) is None


def test_what_was_read_is_not_written_over(manifest: tuple[Path, Crowd], tmp_path: Path) -> None:
    path, _ = manifest
    out = tmp_path / "out"
    (out / "masks").mkdir(parents=True)
    rows = pd.read_csv(path)
    first = rows["mask"][0]
    (path.parent / first).rename(out / "masks" / first)
    rows.loc[0, "mask"] = f"../out/masks/{first}"
    rows["region"] = None
    rows.to_csv(path, index=False)
    run = chunks.run(path, classes=path.parent / "classes.csv")
    with pytest.raises(OutputError, match=f"{first}, which was read, lies in it and would be lost; choose another"):
        chunks.save(run, out, overwrite=True)
    assert (out / "masks" / first).is_file()
    chunks.save(run, tmp_path / "elsewhere")


def test_tables_in_memory_whose_columns_have_other_names(tmp_path: Path) -> None:
    drawn = crowd(1, 3, scale=0.45)
    run = chunks.run(drawn.masks)
    rows = answered(run, drawn, 3)
    odd = rows.rename(columns={"item": "piece"}).assign(nr=range(len(rows)))
    expected = chunks.answers(run, rows).clicks
    table = pa.Table.from_pandas(odd, preserve_index=False)
    for given in (odd, table, dict(zip(odd, odd.to_numpy().T.tolist(), strict=True))):
        assert chunks.answers(run, given).clicks == expected
    with (tmp_path / "rows.csv").open("wb+") as file:
        odd.to_csv(file, index=False)
        file.seek(0)
        assert chunks.answers(run, file).clicks == expected
    assert chunks.answers(run, odd, item="piece").clicks == expected
    with pytest.raises(FormatError, match="no column holds the item"):
        chunks.answers(run, odd.assign(piece="x"))
    with pytest.raises(JudgmentError, match='"x" names no chunk'):
        chunks.answers(run, odd.assign(item="x", piece="y"))
    with pytest.raises(FormatError, match='no column "nothing" for the item'):
        chunks.answers(run, odd, item="nothing")


def test_who_clicks_is_not_taken_for_somebody_who_paints() -> None:
    ring = np.zeros((30, 30), int)
    ring[5:25, 5:25] = 1
    run = chunks.run(mask_set([picture("a", {"ann (clicks)": ring, "bob": np.roll(ring, 9, axis=1)})]))
    rows = run.escalations[["item", "label"]].head(1)
    said = '"ann" would stand in workers.csv as "ann .clicks.", which is the name of somebody who paints'
    with pytest.raises(JudgmentError, match=said):
        chunks.answers(run, rows.assign(worker="ann"))
    both = pd.concat([rows.assign(worker="bob"), rows.assign(worker="cid")])  # a large chunk needs two
    assert "bob (clicks)" in set(chunks.answers(run, both).workers["worker"])


def test_answers_keep_crops_and_page_as_they_were(manifest: tuple[Path, Crowd], tmp_path: Path) -> None:
    run = saved(manifest, tmp_path / "out")
    folder.save(run, tmp_path / "out", overwrite=True, crops=1, report=False)
    chunks.answers(tmp_path / "out", answered(run, manifest[1], 2))
    assert len(list((tmp_path / "out" / "crops").iterdir())) == 1
    assert not (tmp_path / "out" / "report.html").exists()
    told = folder.summary_of(tmp_path / "out")
    assert (told["crops"], told["report"]) == (1, False)
    assert folder.looks_of({}, "out").crops == folder.looks_of({"crops": -1, "report": 3}, "out").crops == 200


def test_answers_without_a_label_are_none(manifest: tuple[Path, Crowd], tmp_path: Path) -> None:
    run = saved(manifest, tmp_path / "out")
    asked = run.escalations[["item"]].head(3).assign(worker="kim", label=None)
    with pytest.raises(JudgmentError, match="no row can be used: 3 of 3 have no label, and 0 no item or worker"):
        chunks.answers(tmp_path / "out", asked)


def test_names_that_spreadsheets_take_for_formulas_come_back(manifest: tuple[Path, Crowd], tmp_path: Path) -> None:
    path, drawn = manifest
    text = path.read_text().replace(drawn.masks.pictures[0].name, "=first.png")
    path.write_text(text.replace(drawn.masks.pictures[1].name, "+second.png"))
    out = tmp_path / "out"
    for raw in (False, True):
        run = chunks.run(path, classes=path.parent / "classes.csv", audit_sample=0)
        folder.save(run, out, overwrite=True, raw_cells=raw)
        assert list(folder.images_of(out)) == list(folder.load(out).names) == list(run.names)
        table = pd.read_csv(out / "escalations.csv", dtype="str")
        asked = table[table["image"].str.contains("first")].head(1)
        assert asked["item"].item().startswith("=" if raw else "'=")
        again = chunks.answers(out, asked[["item", "label"]].assign(worker="=kim"))
        assert set(again.clicks) == {"=first.png"}
        assert ("'=kim" in (out / "clicks.csv").read_text()) != raw
        assert ("'=first.png" in (out / "images.csv").read_text()) != raw
        assert folder.load(out).clicks == again.clicks


@pytest.mark.usefixtures("manifest")
def test_arguments_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = chunks.run(Path("in/masks.csv"), classes={0: "background", 1: "cell", 2: "fibre"}, reading={"void": 255})
    assert run.inputs is not None
    assert run.inputs["source"] == str(tmp_path / "in" / "masks.csv")
    assert run.inputs["classes"] == {"pairs": [[0, "background"], [1, "cell"], [2, "fibre"]]}
    assert run.inputs["void"] == 255
    assert run.inputs["models"] == []
    chunks.save(run, "out")
    monkeypatch.chdir("/")
    pd.testing.assert_frame_equal(chunks.load(tmp_path / "out").images, run.images)


def test_a_folder_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = chunks.run(crowd(1, 3, scale=0.45).masks)
    chunks.save(run, tmp_path / "out")
    before = (tmp_path / "out" / "summary.json").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("consensus.chunks.image_files.write_confidences", full)
    with pytest.raises(OutputError, match="no space left"):
        chunks.save(run, tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "summary.json").read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["out"]
    assert folders.check(tmp_path / "out", overwrite=True, ours=folder.OURS)


def test_cuts_are_read_from_a_folder(manifest: tuple[Path, Crowd], tmp_path: Path) -> None:
    path, _ = manifest
    cut = np.arange(72 * 94).reshape(72, 94) // 94 // 7
    (tmp_path / "cuts").mkdir()
    Image.fromarray(cut.astype(np.uint16)).save(tmp_path / "cuts" / "drawn_00.png")
    arguments: dict[str, Any] = {"classes": path.parent / "classes.csv", "cut_above": 0.001}
    run = chunks.run(path, cuts=tmp_path / "cuts", **arguments)
    plain = chunks.run(path, **arguments)
    assert (run.images["n_chunks"] > plain.images["n_chunks"]).tolist() == [True, False, False]
    chunks.save(run, tmp_path / "out")
    pd.testing.assert_frame_equal(chunks.load(tmp_path / "out").images, run.images)
    in_memory = chunks.run(path, cuts={"drawn/00.png": cut}, **arguments)
    pd.testing.assert_frame_equal(in_memory.images, run.images)
    painted = run.painted(0)
    pixel = int(painted.partition.regions.first[painted.is_open][0])
    item = f"drawn/00.png#{pixel % 94},{pixel // 94}-{painted.partition.hash}"
    chunks.answers(tmp_path / "out", pd.DataFrame({"item": [item], "worker": ["eve"], "label": ["cell"]}))
    assert chunks.load(tmp_path / "out").painted(0).n_clicks.sum() == 1
    Image.fromarray(cut.astype(np.uint16)[::-1].copy()).save(tmp_path / "cuts" / "drawn_00.png")
    with pytest.raises(JudgmentError, match="is a chunk of other masks, or of another cut"):
        chunks.load(tmp_path / "out")
    shutil.rmtree(tmp_path / "cuts")
    with pytest.raises(FormatError, match="there is no such folder of cuts"):
        chunks.load(tmp_path / "out")


def test_names_of_files() -> None:
    assert file_names.plain("a/b.png") == "a_b"
    assert file_names.plain("picture 7.JPG").startswith("picture_7-")
    assert file_names.plain("../../etc/passwd").startswith("etc_passwd-")
    assert file_names.plain("???").startswith("picture-")
    assert file_names.plain("con.png").startswith("picture_con-")
    assert len(file_names.plain("x" * 500)) < 100
    names = ["a/b.png", "a_b.png", "A_B.jpg", "c.png", "ä.png", "ö.png"]
    found = file_names.unique(names)
    assert len({one.casefold() for one in found}) == len(names)
    assert found[3] == "c"
    assert all(one.isascii() and "/" not in one for one in found)


def test_odd_names_of_pictures(tmp_path: Path) -> None:
    masks = {"ann": [[0, 1]], "bob": [[0, 1]]}
    run = chunks.run(mask_set([picture(name, masks) for name in ("../x#1.png", "a b.png", "a/b", "a_b")]))
    chunks.save(run, tmp_path / "out")
    written = {one.stem for one in (tmp_path / "out" / "masks").iterdir()}
    assert written == set(run.files) == set(run.images["file"])
    assert len(written) == 4
    given = {
        "item": [f"../x#1.png#0,0-{run.painted('../x#1.png').partition.hash}"],
        "worker": ["eve"],
        "label": ["cell"],
    }
    assert chunks.answers(run, pd.DataFrame(given)).n_waiting == 1


def test_many_classes_are_written_in_16_bit(tmp_path: Path) -> None:
    masks = {"ann": [[0, 299]], "bob": [[0, 299]]}
    chunks.save(chunks.run(mask_set([picture("a", masks)], [f"c{n}" for n in range(300)])), tmp_path / "out")
    with Image.open(tmp_path / "out" / "masks" / "a.png") as written:
        assert written.mode == "I;16"
        assert np.asarray(written).tolist() == [[0, 299]]
