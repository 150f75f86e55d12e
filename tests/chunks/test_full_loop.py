"""The loop: masks of people, disputed chunks out, clicks back; on the bundled harbours, whose truth is known."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from consensus import chunks
from consensus.masks.reading import read_masks
from tests.conftest import ROOT

sys.path.append(str(ROOT / "tests" / "benchmarks"))  # these are scripts: they import each other from their own folder
from tests.benchmarks.chunks import CLICKS, clicked, posteriors
from tests.benchmarks.chunks_scores import scores

SHAPES = ROOT / "data" / "shapes"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_clicks_on_disputed_chunks_repair_the_label_maps(seed: int) -> None:
    everything = read_masks(SHAPES / "manifest.csv", classes=SHAPES / "classes.csv")
    # three masks a picture: of all four the label maps are good enough before anybody clicks
    three = replace(everything, pictures=tuple(replace(one, masks=one.masks[-3:]) for one in everything.pictures))
    run = chunks.run(three, clicks=CLICKS)
    truths = {}
    for name in run.names:
        with Image.open(SHAPES / name.replace("pictures", "truth")) as mask:
            truths[name] = np.asarray(mask).astype(np.int8)
    asked = run.chunks.groupby("image")["judgments"].sum()
    assert 0 < asked.max() <= CLICKS
    in_order = [truths[name] for name in run.names]
    before = scores(posteriors(run), in_order)
    after = scores(posteriors(clicked(run, truths, np.random.default_rng(seed))), in_order)  # 5 % of the clicks wrong
    assert after.foreground.mean() >= 0.945 > before.foreground.mean() + 0.02
    assert after.mean.mean() >= before.mean.mean() + 0.03
    assert (after.foreground - before.foreground).min() >= -0.01
