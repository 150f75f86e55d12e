"""Segmentation masks merged by ``consensus.chunks``, beside majority vote and peers.

    python tests/benchmarks/chunks.py [--peers-python PATH] [--no-peers] [--seeds 8-16] [--only PART ...]

Pictures and annotators: ``chunks_pictures.py``, ``chunks_crowd.py``. Prints Markdown tables: how right the label maps
are (mean over seeds and pictures, and the worst seed), coverage of the workers' 95 % intervals, what simulated clicks
on disputed chunks bring, and the speed on 10 million pixels. A row that no method can have stands beside them: the
posteriors by the confusions that the annotators truly have. Ways to count pixels were compared on seeds 0 to 7; report
others.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from scipy.special import softmax

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from consensus.chunks import ChunkRun
    from consensus.chunks.painting import Painted
    from tests.benchmarks import chunks_crowd, chunks_pictures, chunks_scores, markdown_tables, measured, peers
    from tests.benchmarks.chunks_scores import Scores

    Codes = NDArray[np.int8]
    Reals = NDArray[np.float64]
else:  # run as a script, its own folder is on the path
    import chunks_crowd
    import chunks_pictures
    import chunks_scores
    import markdown_tables
    import measured
    import peers

HERE = Path(__file__).resolve().parent
WRONG, CLICKS = 0.05, 40
LEAST_SHARE = 1e-3  # of a label that an annotator never gave, so that nothing is impossible
NAMES = {
    "staple": ("SimpleITK STAPLE", "SimpleITK MultiLabelSTAPLE"),
    "majority": ("crowd-kit SegmentationMajorityVote",),
    "em": ("crowd-kit SegmentationEM",),
    "rasa": ("crowd-kit SegmentationRASA",),
}


class Crowd:
    """What some annotators painted on all pictures."""

    def __init__(self, pictures: list[chunks_pictures.Picture], n_masks: int, seed: int, binary: bool) -> None:
        self.pictures, self.n_labels = pictures, 2 if binary else len(chunks_pictures.LABELS)
        self.truths = [np.minimum(one.truth, 1) if binary else one.truth for one in pictures]
        self.given = chunks_crowd.assigned(len(pictures), n_masks, seed)
        painted = chunks_crowd.masks(pictures, seed, binary=binary)
        self.masks = [masks[given] for masks, given in zip(painted, self.given, strict=True)]

    @property
    def names(self) -> list[str]:
        """Of the pictures, numbered so that their order is kept."""
        return [f"{g:02d}_{one.name}" for g, one in enumerate(self.pictures)]

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the masks as PNG files; returns the manifest and the classes."""
        rows = ["image,worker,mask"]
        for name, masks, given in zip(self.names, self.masks, self.given, strict=True):
            for w, mask in zip(np.flatnonzero(given).tolist(), masks, strict=True):
                file = f"{name}_{w}.png"
                Image.fromarray(mask.astype(np.uint8)).save(folder / file)
                rows.append(f"{name},{chunks_crowd.ANNOTATORS[w].name},{file}")
        (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        classes = [f"{code},{chunks_pictures.LABELS[code]}" for code in range(self.n_labels)]
        (folder / "classes.csv").write_text("\n".join(["value,label", *classes]) + "\n", encoding="utf-8")
        return folder / "manifest.csv", folder / "classes.csv"

    def run(self) -> ChunkRun:
        """Merge them with consensus, through files; all masks are read again from memory afterwards."""
        from consensus import chunks

        self.folder = tempfile.TemporaryDirectory()
        manifest, classes = self.write(Path(self.folder.name))
        return chunks.run(manifest, classes=classes)

    def shares(self) -> list[Reals]:
        """(H, W, K) shares of the votes."""
        return [np.stack([(m == k).mean(axis=0) for k in range(self.n_labels)], axis=2) for m in self.masks]

    def by_true_confusions(self) -> list[Reals]:
        """(H, W, K) posteriors by the annotators' true confusions and shares of labels, which no method can know."""
        K = self.n_labels
        C, pi = np.full((self.given.shape[1], K, K), LEAST_SHARE), np.full(K, LEAST_SHARE)
        for masks, truth, given in zip(self.masks, self.truths, self.given, strict=True):
            known = truth >= 0
            t = truth[known].astype(np.int64)
            pi += np.bincount(t, minlength=K) / len(t)
            for w, mask in zip(np.flatnonzero(given), masks, strict=True):
                C[w] += np.bincount(t * K + mask[known], minlength=K * K).reshape(K, K) / len(t)
        log_C, log_pi = np.log(C / C.sum(axis=2, keepdims=True)), np.log(pi / pi.sum())
        found = []
        for masks, given in zip(self.masks, self.given, strict=True):
            logs = np.broadcast_to(log_pi[:, None, None], (K, *masks[0].shape)).copy()
            for w, mask in zip(np.flatnonzero(given), masks, strict=True):
                logs += log_C[w][:, mask]
            found.append(np.moveaxis(softmax(logs, axis=0), 0, 2))
        return found

    def peers(self, python: Path) -> dict[str, list[Reals]]:
        """(H, W, K) probabilities of each peer; of hard labels, zeros and ones."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            np.save(folder / "n_labels.npy", self.n_labels)
            for g, masks in enumerate(self.masks):
                np.save(folder / f"masks_{g}.npy", masks.astype(np.uint8))
            told = json.loads(measured.run([python, "-W", "ignore", HERE / "peer_chunks.py", folder]).stdout)
            for peer, version in told["versions"].items():
                peers.check_version(python, peer, version)
            found = {}
            for method in told["seconds"]:
                label = NAMES[method][self.n_labels > 2 and len(NAMES[method]) > 1]
                maps = [np.load(folder / f"{method}_{g}.npy") for g in range(len(self.masks))]
                found[label] = [self._probabilities(one) for one in maps]
        return found

    def _probabilities(self, found: NDArray[Any]) -> Reals:
        if found.dtype.kind == "f":
            return np.stack([1.0 - found, found], axis=2)
        return np.asarray(np.eye(self.n_labels)[np.minimum(found, self.n_labels - 1)])


def posteriors(run: ChunkRun) -> list[Reals]:
    """(H, W, K) of each picture."""
    painted = [run.painted(g) for g in range(len(run.names))]
    return [one.posterior[one.chunk_of_pixel] for one in painted]


def row(name: str, found: Sequence[Scores]) -> list[str]:
    """Means over seeds and pictures; worst: of a seed."""
    means = np.array(
        [(one.foreground.mean(), one.mean.mean(), one.accuracy.mean(), one.log_loss.mean(), one.ece) for one in found]
    )
    figures = [f"{value:.3f}" for value in means.mean(axis=0)]
    return [name, *figures, *(f"{value:.3f}" for value in (*means[:, :2].min(axis=0), means[:, 3].max()))]


def accuracy(pictures: list[chunks_pictures.Picture], seeds: Sequence[int], python: Path | None) -> None:
    """How right the label maps are."""
    for binary in (True, False):
        for n_masks in (2, 3, 5, 8):
            found: dict[str, list[Scores]] = {}
            for seed in seeds:
                crowd = Crowd(pictures, n_masks, seed, binary)
                ways = {"consensus": posteriors(crowd.run()), "majority vote (shares)": crowd.shares()}
                ways["who knows all confusions"] = crowd.by_true_confusions()
                if python is not None:
                    ways |= crowd.peers(python)
                for name, probabilities in ways.items():
                    found.setdefault(name, []).append(chunks_scores.scores(probabilities, crowd.truths))
            sys.stdout.write(f"\n### {'Two labels' if binary else 'Five labels'}, {n_masks} masks a picture\n\n")
            head = ["", "foreground IoU", "mean IoU", "accuracy", "log loss", "ECE"]
            head += ["worst foreground IoU", "worst mean IoU", "worst log loss"]
            sys.stdout.write(markdown_tables.table(head, [row(name, each) for name, each in found.items()]) + "\n")
            R = np.array([one.kind == "R" for one in pictures])
            ours = np.mean([(one.mean[R].mean(), one.mean[~R].mean()) for one in found["consensus"]], axis=0)
            sys.stdout.write(
                f"\nconsensus, mean IoU where the truth is independent / is not: {ours[0]:.3f} / {ours[1]:.3f}\n"
            )
            sys.stdout.flush()


def coverage(pictures: list[chunks_pictures.Picture], seeds: Sequence[int], python: Path | None) -> None:
    """Whether the workers' 95 % intervals hold how often they are right on pixels of all pictures.

    What they would be right on, had they painted all pictures: the mean over pictures of their share of right pixels.
    """
    del python
    rows = []
    for n_masks in (3, 5):
        inside, width, n = 0, 0.0, 0
        for seed in seeds:
            crowd = Crowd(pictures, n_masks, seed, binary=False)
            everything = chunks_crowd.masks(pictures, seed)
            right = [
                [(mask == truth)[truth >= 0].mean() for mask in masks]
                for masks, truth in zip(everything, crowd.truths, strict=True)
            ]
            true = dict(zip([one.name for one in chunks_crowd.ANNOTATORS], np.mean(right, axis=0), strict=True))
            table = crowd.run().workers
            low, high = table["accuracy_low"].to_numpy(), table["accuracy_high"].to_numpy()
            wanted = np.array([true[name] for name in table["worker"]])
            inside += int(((low <= wanted) & (wanted <= high)).sum())
            width += float((high - low).sum())
            n += len(table)
        rows.append([f"five labels, {n_masks} masks", n, f"{inside / n:.3f}", f"{width / n:.3f}"])
    sys.stdout.write("\n### Workers' 95 % intervals of accuracy\n\n")
    sys.stdout.write(markdown_tables.table(["", "workers", "coverage", "mean width"], rows) + "\n")


def clicked(run: ChunkRun, truths: dict[str, Codes], rng: np.random.Generator, wrong: float = WRONG) -> ChunkRun:
    """The run after all clicks that it asks for, each given by one of three people, ``wrong`` of them wrong."""
    import pandas as pd

    from consensus import chunks

    labels, asked = run.labels, run.chunks
    rows: list[tuple[str, str, str]] = []
    regions: dict[object, Painted] = {}
    asked = asked[asked["judgments"] > 0]
    for image, chunk, n in zip(asked["image"], asked["chunk"], asked["judgments"], strict=True):
        if image not in regions:
            regions[image] = run.painted(str(image))
        painted, truth = regions[image], truths[str(image)]
        x, y = (int(part) for part in str(chunk).split("-")[0].split(","))
        inside = (painted.chunk_of_pixel == painted.chunk_of_pixel[y, x]) & (truth >= 0)
        shares = np.bincount(truth[inside].astype(np.int64), minlength=len(labels))
        for number in range(int(n)):
            code = int(shares.argmax())
            if rng.random() < wrong:
                code = int((code + 1 + rng.integers(len(labels) - 1)) % len(labels))
            rows.append((f"{image}#{chunk}", f"clicker_{(len(rows) + number) % 3}", labels[code]))
    return chunks.answers(run, pd.DataFrame(rows, columns=["item", "worker", "label"]), save=False) if rows else run


def clicks(pictures: list[chunks_pictures.Picture], seeds: Sequence[int], python: Path | None) -> None:
    """What clicks on disputed chunks bring: 3 masks, at most 40 a picture, 5 % of them wrong."""
    del python
    rows = []
    for binary in (True, False):
        before, after = [], []
        for seed in seeds:
            crowd = Crowd(pictures, 3, seed, binary)
            run = crowd.run()
            then = clicked(run, dict(zip(crowd.names, crowd.truths, strict=True)), np.random.default_rng([seed, 7]))
            before.append(chunks_scores.scores(posteriors(run), crowd.truths))
            after.append(chunks_scores.scores(posteriors(then), crowd.truths))
        for name, each in (("before", before), ("after", after)):
            foreground, mean = np.array([one.foreground for one in each]), np.array([one.mean for one in each])
            figures = [f"{foreground.mean():.3f}", f"{(foreground >= 0.95).mean():.2f}", f"{mean.mean():.3f}"]
            rows.append([f"{'two' if binary else 'five'} labels, {name}", *figures, f"{mean.mean(axis=1).min():.3f}"])
        falls = max(float((a.foreground - b.foreground).max()) for a, b in zip(before, after, strict=True))
        rows[-1].append(f"{falls:.3f}")
        rows[-2].append("")
    sys.stdout.write(f"\n### {CLICKS} clicks a picture, 5 % of them wrong, 3 masks\n\n")
    head = ["", "foreground IoU", "pictures from .95", "mean IoU", "worst seed", "largest fall of a picture"]
    sys.stdout.write(markdown_tables.table(head, rows) + "\n")


def speed(pictures: list[chunks_pictures.Picture], seeds: Sequence[int], python: Path | None) -> None:
    """10 million pixels, 3 masks: counting, fitting and painting in one thread, reading of files left out."""
    del python
    from consensus.chunks import counting, cutting, fitting
    from consensus.config import ChunksConfig
    from consensus.errors import Place
    from consensus.masks import mask_set

    crowd = Crowd(pictures[:1], 3, seeds[0], binary=True)
    tile = crowd.masks[0].astype(np.int16)
    side = 3168
    big = np.ascontiguousarray(
        np.tile(tile, (1, 1 + side // tile.shape[1], 1 + side // tile.shape[2]))[:, :side, :side]
    )

    class Given:
        def __init__(self, mask: NDArray[np.int16]) -> None:
            self.mask = mask

        def read(self, height: int, width: int, place: Place, told: object) -> NDArray[np.int16]:
            del height, width, place, told
            return self.mask

    masks = tuple(mask_set.Mask(f"w{w}", "human", Place("memory"), Given(mask)) for w, mask in enumerate(big))
    picture = mask_set.Picture("tiled", side, side, None, masks)
    for again in (False, True):  # the first time compiles
        start = time.process_time()
        seen, pixels = counting.look(picture, 2)
        counted = time.process_time()
        fitted = fitting.fitted([seen], ("background", "main"), ChunksConfig(threads=1))
        fit = time.process_time()
        cutting.partition(pixels, seen, None, 1.0)
        cut = time.process_time()
        fitted.of(0).argmax(axis=1).astype(np.uint8)[pixels.ids]
        end = time.process_time()
        if again:
            parts = [f"{part:.2f}" for part in (counted - start, fit - counted, cut - fit, end - cut)]
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * measured.BYTES_PER_MAXRSS / 1e9
            rate = big.size / (end - start) / 1e6
            sys.stdout.write("\n### 10 million pixels, 3 masks, CPU seconds of one process\n\n")
            head = ["", "count", "fit", "chunks", "paint", "million pixel judgments a second", "peak GB"]
            sys.stdout.write(markdown_tables.table(head, [["consensus", *parts, f"{rate:.0f}", f"{peak:.2f}"]]) + "\n")


PARTS: dict[str, Callable[[list[chunks_pictures.Picture], Sequence[int], Path | None], None]] = {
    "speed": speed,
    "accuracy": accuracy,
    "coverage": coverage,
    "clicks": clicks,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="8-16", help="first and behind the last, such as 8-16")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--no-peers", action="store_true", help="leave the peers out; their pictures are needed still")
    peers.add_option(parser)
    options = parser.parse_args()
    python = peers.interpreter(options.peers_python)
    told = subprocess.run([python, HERE / "peer_chunks.py"], capture_output=True, text=True, check=True)
    pictures = chunks_pictures.shipped(Path(told.stdout.strip()))
    first, behind = map(int, options.seeds.split("-"))
    for part in options.only:
        PARTS[part](pictures, range(first, behind), None if options.no_peers else python)


if __name__ == "__main__":
    main()
