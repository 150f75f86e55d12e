"""Chunks: where they are, what they are called, which are worth a click, and what clicks make of them."""

import numpy as np
import pytest

from consensus import chunks
from consensus.chunks import counting, cutting, expecting, listing
from consensus.chunks.clicks import Click
from consensus.chunks.whole_run import ChunkRun
from consensus.errors import ConfigError, FormatError, JudgmentError
from tests.chunks.drawn_pictures import LABELS, crowd, mask_set, picture

A, B, C = np.array([[0, 0, 0, 0], [0, 1, 1, 0]]), np.array([[0, 0, 0, 0], [0, 1, 0, 0]]), np.array([[0, 0, 0, 0]] * 2)


def test_chunks_are_named_by_their_first_pixel_and_where_they_are() -> None:
    found, pixels = counting.look(picture("a", {"ann": A, "bob": B}), 2)
    cut = cutting.partition(pixels, found)
    assert cut.regions.region.tolist() == [[0, 0, 0, 0], [0, 1, 2, 0]]
    assert cut.name(1) == f"1,1-{cut.hash}"
    assert cut.number_of(5, "a") == 1
    for pixel in (3, 7, 10**6):
        with pytest.raises(JudgmentError, match='answers: no chunk of "a" begins at'):
            cut.number_of(pixel, "a")
    swapped, others = counting.look(picture("a", {"ann": 1 - A, "bob": 1 - B}), 2)
    assert cutting.partition(others, swapped).hash == cut.hash  # the same chunks, whatever they are called
    moved, others = counting.look(picture("a", {"ann": A[::-1], "bob": B}), 2)
    assert cutting.partition(others, moved).hash != cut.hash


def test_large_open_chunks_are_cut() -> None:
    votes = {"ann": np.zeros((4, 6), int), "bob": np.repeat([[0, 0, 1, 1, 1, 1]], 4, axis=0)}
    found, pixels = counting.look(picture("a", votes), 2)
    pieces = np.repeat([[0, 1, 1, 1, 2, 2]], 4, axis=0).astype(np.int32)
    whole = cutting.partition(pixels, found, pieces, cut_above=0.9)
    assert whole.regions.area.tolist() == [8, 16]
    cut = cutting.partition(pixels, found, pieces, cut_above=0.1)
    assert cut.regions.area.tolist() == [8, 8, 8]  # nobody disputes the first
    assert cut.pattern.tolist() == [0, 1, 1]
    assert cut.hash != whole.hash == cutting.partition(pixels, found).hash


def open_run(**settings: object) -> ChunkRun:
    """A large chunk and a small one in dispute, and slivers beside the small one."""
    one = np.zeros((60, 80), int)
    one[2:14, 2:20] = 1  # 216 pixels, 4.5 % of the picture
    one[20:28, 5:15] = 1  # 80 pixels
    other = np.zeros((60, 80), int)
    other[20, 15:17] = 2  # a sliver beside it
    other[27, 37] = 2  # and one beside nothing that is listed
    pictures = [picture(f"p{n}", {"ann": one, "bob": other}) for n in range(2)]
    return chunks.run(mask_set(pictures), **({"two_clicks_above": 0.02} | settings))  # type: ignore[arg-type]


def test_what_is_listed() -> None:
    run = open_run(audit_sample=0)
    painted = run.painted("p0")
    found = run.listed(painted)
    names = [painted.partition.name(one).partition("-")[0] for one in found.chunk.tolist()]
    assert names == ["2,2", "5,20"]
    wrong = painted.partition.regions.area * (1 - painted.confidence)
    np.testing.assert_allclose(found.priority, wrong[found.chunk] / [2, 1])
    assert found.clicks.tolist() == found.needed.tolist() == [2, 1]
    assert found.box.tolist() == [[2, 2, 20, 14], [5, 20, 17, 28]]  # the latter with its sliver
    assert not found.audited.any()
    assert not found.hopeless.any()
    assert run.listed(run.painted("p1")).clicks.tolist() == [2, 1]
    assert listing.listed(painted, run.config.model_copy(update={"clicks": 2}), 0).clicks.tolist() == [2, 0]
    assert listing.listed(painted, run.config.model_copy(update={"clicks": 0}), 0).clicks_to_target in (0, -1)


def test_chunks_without_dispute_are_drawn_for_the_audit() -> None:
    run = open_run(audit_sample=1.0)
    found = run.listed(run.painted(0))
    assert found.audited.tolist() == [False, False, True]
    assert found.needed[found.audited].tolist() == [2]  # the background is large
    shares = []
    for seed in range(40):
        config = run.config.model_copy(update={"audit_sample": 0.5, "seed": seed})
        shares.append(listing.listed(run.painted(0), config, 0).audited.any())
    assert 0.25 < np.mean(shares) < 0.75
    assert "audit" in run.chunks["status"].tolist()
    assert run.chunks["status"].tolist().index("audit") >= 4  # behind all that is disputed


def test_clicks_for_the_audit_are_within_the_budget() -> None:
    run = chunks.run(crowd(2, 3, seed=3, scale=0.6).masks, audit_sample=0.2)
    for budget in (20, 9, 0):
        found = listing.listed(run.painted(0), run.config.model_copy(update={"clicks": budget}), 0)
        assert budget - 1 <= found.clicks.sum() <= budget
        assert (found.clicks[found.audited].sum() > 0) == (budget > 0)
        assert found.clicks[found.audited].sum() <= budget / 2


def one_click(run: ChunkRun, name: str, *given: int) -> ChunkRun:
    """Clicks on the chunk of p0 that begins at ``name``."""
    x, y = map(int, name.split(","))
    answers = tuple(Click(f"eve{n}", label) for n, label in enumerate(given))
    return run.with_clicks({"p0": {y * 80 + x: answers}})


def labels_at(run: ChunkRun, x: int, y: int) -> tuple[int, float]:
    painted = run.painted("p0")
    chunk = painted.chunk_of_pixel[y, x]
    return int(painted.label[chunk]), float(painted.confidence[chunk])


def test_a_click_counts_on_its_chunk_alone() -> None:
    run = open_run(audit_sample=0)
    before = run.painted("p0")
    clicked = one_click(run, "5,20", 1)
    label, confidence = labels_at(run, 5, 20)
    assert label == 0
    assert labels_at(clicked, 5, 20)[1] < confidence - 0.05
    assert labels_at(one_click(run, "5,20", 1, 1), 5, 20)[0] == 1
    after = clicked.painted("p0")
    other = np.arange(len(after.label)) != after.chunk_of_pixel[20, 5]
    np.testing.assert_array_equal(after.posterior[other], before.posterior[other])
    assert after.n_clicks.sum() == 1
    assert after.rows.area.sum() == 4800
    assert clicked.believed.n_clicks == {"eve0": 1}
    told = clicked.workers.set_index("worker").loc["eve0 (clicks)"]
    assert told["kind"] == "clicks"
    assert told["accuracy_low"] < told["accuracy"] < told["accuracy_high"]
    with pytest.raises(JudgmentError, match='no chunk of "p0" begins at 6,20'):
        one_click(run, "6,20", 1)


def test_where_one_click_alone_does_not_count() -> None:
    run = open_run(audit_sample=0)
    for name, label, x in (("2,2", 1, 2), ("5,20", 2, 5), ("0,0", 1, 0)):
        clicked = one_click(run, name, label)  # too large; a label that nobody gave; against all
        assert clicked.n_waiting == 1
        assert any(one.startswith("waiting_clicks: 1 click does not count yet: ") for one in clicked.cautions)
        assert labels_at(clicked, x, int(name.split(",")[1])) == labels_at(run, x, int(name.split(",")[1]))
        assert clicked.painted("p0").n_clicks.sum() == 1
    assert one_click(run, "2,2", 1).listed(one_click(run, "2,2", 1).painted("p0")).needed.tolist() == [1, 1]
    both = one_click(run, "2,2", 1, 1)
    assert both.n_waiting == 0
    assert any(
        one.startswith("few_masks: 2 pictures have two masks: where these differ, only") for one in both.cautions
    )
    assert labels_at(both, 2, 2)[0] == 1


@pytest.mark.parametrize(("n_masks", "seed"), [(2, 6), (3, 1), (3, 6)])
def test_a_wrong_click_where_others_agree_lowers_nothing(n_masks: int, seed: int) -> None:
    run = chunks.run(crowd(3, n_masks, seed=seed, scale=0.5).masks, audit_sample=1.0)
    tried = 0
    for number, image in enumerate(run.names):
        painted = run.painted(number)
        before = run.listed(painted).expected
        alike = np.flatnonzero(~painted.is_open & (painted.partition.regions.area >= 8))
        largest = alike[np.argsort(-painted.partition.regions.area[alike])][:4]
        for chunk in largest.tolist():
            for wrong in range(1, 3):
                label = (int(painted.label[chunk]) + wrong) % 3
                clicked = run.with_clicks(
                    {image: {int(painted.partition.regions.first[chunk]): (Click("eve", label),)}}
                )
                after = clicked.listed(clicked.painted(number)).expected
                assert after.foreground >= before.foreground - 0.01
                assert after.mean >= before.mean - 0.01
                tried += 1
    assert tried > 10


def test_chunks_that_clicks_do_not_settle_go_to_an_expert() -> None:
    run = one_click(open_run(audit_sample=0), "5,20", 1, 0, 1)
    found = run.listed(run.painted("p0"))
    assert found.hopeless.tolist() == [True, False]
    assert found.clicks.tolist() == [0, 2]
    row = run.chunks[run.chunks["chunk"].str.startswith("5,20") & (run.chunks["image"] == "p0")].iloc[0]
    assert row["reason"] == "needs_expert"
    assert row["n_clicks"] == 3
    missing = run.escalations.loc[run.escalations["item"] == f"p0#{row['chunk']}", "judgments_needed"]
    assert missing.isna().all()


def test_who_clicks_otherwise_than_others_is_believed_less() -> None:
    drawn = crowd(4, 3, seed=2, scale=0.6)
    run = chunks.run(drawn.masks)
    rng = np.random.default_rng(0)
    given: dict[str, dict[int, tuple[Click, ...]]] = {}
    for image in run.names:
        painted = run.painted(image)
        true = drawn.truths[image]
        for chunk in run.listed(painted).chunk.tolist():
            here = true[painted.chunk_of_pixel == chunk]
            right = int(np.bincount(here).argmax())
            pair = (Click("good", right), Click("random", int(rng.integers(3))))
            given.setdefault(image, {})[int(painted.partition.regions.first[chunk])] = pair
    accuracy = run.with_clicks(given).believed.accuracy
    assert accuracy["random"] < 0.75 < 0.85 < accuracy["good"]


def test_expected_overlap() -> None:
    area, z = np.array([60, 30, 10]), np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])
    found = expecting.overlap(area, z, np.array([0, 1, -1]))
    np.testing.assert_allclose(found.both, [54, 24])
    np.testing.assert_allclose(found.either, [60 + 6 + 5, 30 + 6 + 5])
    assert found.mean == pytest.approx((54 / 71 + 24 / 41) / 2)
    assert found.foreground == pytest.approx(0.78)  # without a background: the share of right pixels
    with_ground = expecting.overlap(area, z, np.array([0, 1, -1]), 0)
    assert with_ground.foreground == pytest.approx(24 / (6 + 30 + 10))  # what may be there, is painted, is not said
    nothing = expecting.overlap(area, z, np.array([-1, -1, -1]))
    assert np.isnan(nothing.mean)
    assert np.isnan(nothing.foreground)
    assert np.isnan(nothing.iou).all()


def test_the_expected_foreground_must_have_the_right_class() -> None:
    area, z = np.array([60, 40]), np.array([[1.0, 0, 0], [0.1, 0.7, 0.2]])
    assert expecting.overlap(area, z, np.array([0, 1]), 0).foreground == pytest.approx(0.7)


def test_a_class_that_is_found_does_not_lower_the_expected_mean() -> None:
    area, label = np.array([900, 80, 20]), np.array([0, 1, 0])
    z = np.array([[1.0, 0, 0], [0.0, 1.0, 0], [0.4, 0.25, 0.35]])
    before = expecting.overlap(area, z, label, 0)
    assert before.mean == pytest.approx((908 / 920 + 80 / 85) / 2.35)  # the third is there by .35, and unseen
    z[2] = [0.1, 0.05, 0.85]
    found = expecting.overlap(area, z, np.array([0, 1, 2]), 0)
    assert found.mean > before.mean + 0.05
    slivers = expecting.overlap(np.array([900, 2]), np.array([[1.0, 0, 0], [0.6, 0, 0.4]]), np.array([0, 0]), 0)
    assert slivers.mean == pytest.approx(901.2 / 902)  # less than a pixel of the third is expected anywhere


def test_where_only_background_is_painted_it_counts_whether_anything_is_there() -> None:
    area, label = np.array([950, 50]), np.array([0, 0])
    z = np.array([[0.99, 0.01], [0.7, 0.3]])
    open_still = expecting.overlap(area, z, label, 0)
    assert open_still.foreground == pytest.approx(0.7)
    one = area[1:], z[1:], label[1:]
    assert expecting.clicks_to(0.9, open_still, *one, np.array([2])) == 2
    assert expecting.clicks_to(0.99, open_still, *one, np.array([2])) == -1  # clicks are wrong at times
    assert expecting.clicks_to(0.9, open_still, area[:0], z[:0], label[:0], np.array([], int)) == -1
    assert expecting.after(open_still, *one) == expecting.CLICK_ACCURACY
    assert expecting.after(open_still, area[:0], z[:0], label[:0]) == open_still.foreground
    assert expecting.overlap(area[:1], z[:1], label[:1], 0).foreground == pytest.approx(0.99)


@pytest.mark.parametrize("ground", [-1, 0])
def test_clicks_to_a_target(ground: int) -> None:
    area, z, label = np.array([900, 60, 40]), np.array([[1.0, 0], [0.4, 0.6], [0.6, 0.4]]), np.array([0, 1, 0])
    before = expecting.overlap(area, z, label, ground)
    arguments = area[1:], z[1:], label[1:], np.array([2, 1])
    assert expecting.clicks_to(0.1, before, *arguments) == 0
    assert expecting.clicks_to(before.foreground + 0.005, before, *arguments) == 2
    most = expecting.after(before, *arguments[:3])
    assert most == pytest.approx(0.995 if ground < 0 else 0.95 * 52 / (1000 - 900 - 0.95 * 48))
    assert expecting.clicks_to(most - 0.001, before, *arguments) == 3
    assert expecting.clicks_to(0.999, before, *arguments) == -1
    assert expecting.clicks_to(0.996, before, area[:1], z[:1], label[:1], np.array([1])) == -1  # is certain already
    exact = expecting.overlap(area, np.array([[1.0, 0], [0.4, 0.6], [0.6, 0.4]]), label)
    np.testing.assert_allclose(before.both, exact.both)  # nothing of it was changed


def test_pictures_are_told_apart_by_what_will_settle_them() -> None:
    ring = np.zeros((30, 30), int)
    ring[5:25, 5:25] = 1
    off = np.roll(ring, 9, axis=1)
    same = picture("alike", {"ann": ring, "bob": ring, "cid": ring})
    apart = picture("apart", {"ann": ring, "bob": off, "cid": np.roll(ring, 9, axis=0)})
    run = chunks.run(mask_set([same, apart], LABELS[:2]), audit_sample=0)
    status = run.images.set_index("image")["status"]
    assert status["alike"] == "settled"
    never = chunks.run(crowd(2, 3, seed=0, scale=0.5).masks, clicks=0, target=0.999, audit_sample=0)
    assert never.images["status"].tolist()[1] == "repaint"
    assert set(never.chunks["status"]) == {"repaint"}
    assert set(never.chunks["reason"]) == {"disagreement"}
    asked = chunks.run(never.masks, clicks=3, target=0.999, audit_sample=0).chunks
    assert set(asked["status"]) == {"repaint"}
    assert set(asked.loc[asked["judgments"] > 0, "reason"]) == {"disagreement"}  # an expert is asked for no click


def test_pictures_that_clicks_will_settle() -> None:
    run = chunks.run(crowd(2, 2, seed=0, scale=0.6).masks, audit_sample=0)
    before = run.images["expected_foreground_iou"]
    some = chunks.run(run.masks, audit_sample=0, target=float(before.min()) + 0.005)
    chosen = int(before.argmin())
    assert some.images["status"][chosen] == "clicks"
    assert 1 <= some.images["clicks_to_target"][chosen] <= 40
    assert set(some.chunks.loc[some.chunks["image"] == some.names[chosen], "status"]) == {"disputed"}


def test_one_mask_alone_is_open() -> None:
    mask = np.zeros((20, 20), int)
    mask[:, 10:] = 1
    run = chunks.run(mask_set([picture("a", {"ann": mask})], LABELS[:2]))
    assert set(run.chunks["reason"]) <= {"too_few"}
    assert np.isnan(run.images["agreement"][0])


def test_pictures_are_found_by_name_and_must_not_change() -> None:
    run = open_run()
    with pytest.raises(ConfigError, match='no picture "x" among the 2 pictures, such as "p0"'):
        run.painted("x")
    run.masks.pictures[0].masks[0].painted.content[0, 0] = 1  # type: ignore[attr-defined]
    with pytest.raises(FormatError, match='the masks of "p0" have changed since they were counted'):
        run.painted(0)


def test_the_background_is_named_or_found() -> None:
    assert open_run().ground == 0
    assert open_run(background="fibre").ground == 2
    with pytest.raises(ConfigError, match='background = "sky": there is no such class; there are background, cell'):
        _ = open_run(background="sky").ground
