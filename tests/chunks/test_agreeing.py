"""How far people agree, and how each paints beside the others."""

from typing import Any

import numpy as np
import pytest

from consensus import chunks
from consensus.chunks import agreeing, counting
from consensus.chunks.whole_run import ChunkRun
from tests.chunks.drawn_pictures import LABELS, crowd, mask_set, picture


def disc(radius: float, centre: tuple[float, float] = (30, 40), shape: tuple[int, int] = (60, 80)) -> Any:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return ((y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2).astype(np.int16)


def test_agreement_of_two() -> None:
    found, _ = counting.look(picture("a", {"ann": [[0, 0, 1, 1, -1]], "bob": [[0, 1, 1, 1, 1]]}), 2)
    iou, beyond = agreeing.agreement(found, 2)
    assert iou == pytest.approx((1 / 2 + 2 / 3) / 2)
    chance = 0.5 * 0.25 + 0.5 * 0.75
    assert beyond == pytest.approx((0.75 - chance) / (1 - chance))


def test_agreement_where_there_is_none_to_tell() -> None:
    for masks in ({"ann": [[0, 1]]}, {"ann": [[0, -1]], "bob": [[-1, 1]]}):
        found, _ = counting.look(picture("a", masks), 2)
        assert np.isnan(agreeing.agreement(found, 2)).all()
    found, _ = counting.look(picture("a", {"ann": [[0, 0]], "bob": [[0, 0]]}), 2)
    assert agreeing.agreement(found, 2) == (1.0, 1.0)
    assert np.isnan(agreeing.class_iou(np.array([-1]), np.array([0]), np.array([3]), 2))


def people(grow: float) -> ChunkRun:
    """Four people who paint the same discs, and one whose discs are larger by ``grow``; eve misses one and adds one."""
    pictures = []
    for n in range(5):
        centre = (30.0, 30.0 + n)
        masks = {name: disc(14, centre) for name in ("ann", "bob", "cid", "dan")}
        masks["eve"] = disc(14 + grow, centre)
        for name in ("ann", "bob", "cid", "dan"):
            masks[name][50:56, 60:66] = 1
        masks["eve"][3:9, 60:66] = 1
        pictures.append(picture(f"p{n}", masks))
    return chunks.run(mask_set(pictures, LABELS[:2]))


@pytest.mark.parametrize("grow", [-3.0, 0.0, 2.0])
def test_how_somebody_paints(grow: float) -> None:
    told = people(grow).workers.set_index("worker")
    assert told["bias_px"]["eve"] == pytest.approx(grow, abs=0.3)
    assert told["bias_px"]["ann"] == pytest.approx(0, abs=0.1)
    assert told["missed_parts"][["eve", "ann"]].tolist() == [5, 0]
    assert told["extra_parts"][["eve", "ann"]].tolist() == [5, 0]
    assert told["iou"]["eve"] < told["iou"]["ann"] - 0.02
    assert (told["n_images"] == 5).all()
    assert (told["judged_share"] == 1.0).all()
    assert told["gold_accuracy"].isna().all()


def test_parts_of_a_picture_that_are_not_judged() -> None:
    masks = {"ann": disc(14), "bob": disc(14), "cid": disc(14)}
    masks["cid"][:, 40:] = -1
    told = chunks.run(mask_set([picture("a", masks)], LABELS[:2])).workers.set_index("worker")
    assert told["judged_share"]["cid"] == 0.5
    assert told["missed_parts"]["cid"] == 0
    assert told["iou"]["cid"] == 1.0


def test_a_verdict_needs_pictures() -> None:
    run = chunks.run(mask_set([picture(f"p{n}", {"ann": disc(9), "bob": disc(9)}) for n in range(4)], LABELS[:2]))
    assert set(run.workers["verdict"]) == {"too_few"}
    assert run.workers["reason"][0].startswith("4 pictures; 5 are needed")
    assert run.workers["verdict_probability"].isna().all()


def test_who_judged_nothing_at_all() -> None:
    nothing = np.full((60, 80), -1)
    told = chunks.run(mask_set([picture("a", {"ann": disc(9), "bob": disc(9), "cid": nothing})], LABELS[:2])).workers
    one = told.set_index("worker").loc["cid"]
    assert one["n_eff"] == 0
    assert np.isnan(one["iou"])
    assert np.isnan(one["bias_px"])


def test_what_somebody_takes_for_what_is_told() -> None:
    drawn = crowd(6, 3, seed=0, scale=0.5)
    pictures = []
    for one in drawn.masks.pictures:
        true = drawn.truths[one.name]
        swapped = np.where(true == 0, 0, 3 - true)  # cells for fibres, and the other way round
        pictures.append(picture(one.name, {"ann": true, "bob": true, "cid": true, "eli": swapped}))
    told = chunks.run(mask_set(pictures)).workers.set_index("worker")["confuses"]
    assert {one.partition(": 9")[0] for one in told["eli"].split(" | ")} == {"cell for fibre", "fibre for cell"}
    assert told[["ann", "bob", "cid"]].isna().all()
