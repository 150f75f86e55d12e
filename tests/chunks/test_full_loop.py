"""The loop: masks of people, disputed chunks out, clicks back; on the bundled harbours, whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from consensus import chunks
from tests.benchmarks.chunks import clicked, posteriors
from tests.benchmarks.chunks_scores import scores
from tests.conftest import ROOT

SHAPES = ROOT / "data" / "shapes"


@pytest.mark.slow
def test_clicks_on_disputed_chunks_repair_the_label_maps() -> None:
    run = chunks.run(SHAPES / "manifest.csv", classes=SHAPES / "classes.csv")
    truths = {}
    for name in run.names:
        with Image.open(SHAPES / "truth" / f"{name.split('/')[-1].removesuffix('.png')}.png") as mask:
            truths[name] = np.asarray(mask).astype(np.int8)
    in_order = [truths[name] for name in run.names]
    before = scores(posteriors(run), in_order)
    asked = run.chunks.groupby("image")["judgments"].sum()
    pass
    print(before.mean.mean(), before.foreground.mean(), asked.tolist(), before.mean.round(3))
    for seed in range(6):
        after = scores(posteriors(clicked(run, truths, np.random.default_rng(seed))), in_order)
        print(seed, after.mean.mean(), after.foreground.mean(), (after.mean - before.mean).min().round(4), (after.foreground-before.foreground).min().round(4), after.mean.round(3))
