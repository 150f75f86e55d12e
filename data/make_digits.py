"""Rebuild the example data: ``python data/make_digits.py [OUTPUT_DIR]``.

The images are real (scikit-learn's 1,797 handwritten digits) and so are the classifiers'
votes; the people are simulated from the ``WORKERS`` table, so what should be found is known.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets, ensemble, linear_model, naive_bayes

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Learner = Callable[[Floats, Ints, Floats], Floats]  # known images and labels, new images
Judgment = tuple[datetime, str, int, int]  # time, worker, item, label

SEED = 20250303
CLASSES = 10
FOLDS = 5
GOLD_ITEMS = 120
FIRST_DAY = datetime(2025, 3, 3)
WORKING_DAYS = 20
SESSION_LENGTH = 25
LOOK_ALIKE = (6, 7, 7, 8, 9, 6, 0, 1, 3, 4)  # takes half of people's mistakes on 0, 1, 2, ...


@dataclass(frozen=True)
class Worker:
    """One simulated person: who they are, how much they do and how they err.

    ``accuracy`` is the chance of a right answer (for the adversary: of the next digit), ``swaps``
    the chances of turning one digit into another, ``habit`` a spammer's answers to any image.
    From the day ``drift`` on, accuracy is ``accuracy_after``.
    """

    id: str
    kind: str
    judgments: int
    accuracy: float = 0.0
    swaps: tuple[tuple[int, int, float], ...] = ()
    habit: tuple[float, ...] = ()
    drift: datetime | None = None
    accuracy_after: float = 0.0


WORKERS = (
    Worker("w01", "expert", 296, accuracy=0.97),
    Worker("w02", "careless", 47, accuracy=0.52),
    Worker("w03", "ordinary", 174, accuracy=0.89),
    Worker("w04", "expert", 18, accuracy=0.97),
    Worker("w05", "biased", 238, accuracy=0.92, swaps=((4, 9, 0.6), (9, 4, 0.7))),
    Worker("w06", "careless", 21, accuracy=0.5),
    Worker("w07", "ordinary", 127, accuracy=0.81),
    Worker("w08", "biased", 198, accuracy=0.9, swaps=((1, 7, 0.68), (7, 1, 0.6))),
    Worker("w09", "ordinary", 63, accuracy=0.85),
    Worker("w10", "biased", 118, accuracy=0.88, swaps=((4, 9, 0.72), (9, 4, 0.6))),
    Worker("w11", "biased", 96, accuracy=0.93, swaps=((3, 8, 0.7), (8, 3, 0.62))),
    Worker("w12", "ordinary", 26, accuracy=0.83),
    Worker("w13", "expert", 46, accuracy=0.96),
    Worker("w14", "drifting", 284, accuracy=0.93, drift=datetime(2025, 3, 14), accuracy_after=0.42),
    Worker("w15", "adversary", 216, accuracy=0.85),
    Worker("w16", "careless", 83, accuracy=0.6),
    Worker("w17", "ordinary", 41, accuracy=0.9),
    Worker("w18", "biased", 424, accuracy=0.9, swaps=((4, 9, 0.66), (9, 4, 0.62))),
    Worker("w19", "careless", 168, accuracy=0.55),
    Worker("w20", "spammer", 97, habit=(0.05, 0.25, 0.05, 0.3, 0.05, 0, 0.05, 0.2, 0.05, 0)),
    Worker("w21", "spammer", 273, habit=(0.1,) * CLASSES),
    Worker("w22", "ordinary", 214, accuracy=0.86),
    Worker("w23", "ordinary", 261, accuracy=0.9),
    Worker("w24", "expert", 188, accuracy=0.98),
    Worker("w25", "ordinary", 13, accuracy=0.86),
    Worker("w26", "ordinary", 318, accuracy=0.84),
    Worker("w27", "ordinary", 6, accuracy=0.88),
    Worker("w28", "biased", 307, accuracy=0.92, swaps=((1, 7, 0.6), (7, 1, 0.66))),
    Worker("w29", "biased", 351, accuracy=0.91, swaps=((3, 8, 0.64), (8, 3, 0.6))),
    Worker("w30", "biased", 118, accuracy=0.88, swaps=((1, 7, 0.62), (7, 1, 0.7))),
    Worker("w31", "ordinary", 382, accuracy=0.88),
    Worker("w32", "drifting", 203, accuracy=0.9, drift=datetime(2025, 3, 18), accuracy_after=0.35),
    Worker("w33", "expert", 109, accuracy=0.97),
    Worker("w34", "spammer", 142, habit=(0, 1, 0, 0, 0, 0, 0, 0, 0, 0)),
    Worker("w35", "biased", 226, accuracy=0.89, swaps=((3, 8, 0.58), (8, 3, 0.66))),
    Worker("w36", "ordinary", 92, accuracy=0.87),
)


def nearest_neighbours(images: Floats, labels: Ints, new: Floats) -> Floats:
    """Return the class shares of three neighbours, each weighing 1 / (1 + squared distance)."""
    distances = (new**2).sum(1)[:, None] + (images**2).sum(1) - 2 * (new @ images.T)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :3]
    weights = 1 / (1 + np.take_along_axis(distances, nearest, axis=1))
    weights /= weights.sum(1, keepdims=True)
    shares: Floats = (weights[:, :, None] * np.eye(CLASSES)[labels[nearest]]).sum(1)
    return shares


def learner(classifier: Any) -> Learner:
    """Wrap a scikit-learn classifier."""
    return lambda images, labels, new: classifier.fit(images, labels).predict_proba(new)


# Name, how many images each fold's model learns from, and the model. Chosen to give the same rounded
# numbers on every machine: distances of whole numbers are exact, totally random trees compare no
# scores, and a penalised logistic loss has one optimum.
MODELS: tuple[tuple[str, int, Learner], ...] = (
    ("forest", 170, learner(ensemble.ExtraTreesClassifier(100, max_features=1, random_state=SEED))),
    ("knn", 200, nearest_neighbours),
    ("logistic", 200, learner(linear_model.LogisticRegression(C=0.005, solver="newton-cholesky", tol=1e-10))),
    ("naive_bayes", 130, learner(naive_bayes.GaussianNB(var_smoothing=0.05))),
)


def model_votes(images: Floats, truth: Ints) -> dict[str, Ints]:
    """Return each model's out-of-fold probabilities, in thousandths."""
    fold = np.random.default_rng([SEED, 1]).permutation(len(truth)) % FOLDS
    votes = {}
    for number, (name, shown, learn) in enumerate(MODELS):
        rng = np.random.default_rng([SEED, 2, number])
        thousandths = np.zeros((len(truth), CLASSES), dtype=np.int64)
        for k in range(FOLDS):
            train = rng.permutation(np.flatnonzero(fold != k))[:shown]
            thousandths[fold == k] = np.rint(1000 * learn(images[train], truth[train], images[fold == k]))
        votes[name] = thousandths
    return votes


def error_factors(votes: dict[str, Ints], truth: Ints) -> Floats:
    """Return by how much each item multiplies mistakes: 0.6 (easy) to 1.8, mean 1 in each class."""
    doubt = -np.sum([table[np.arange(len(truth)), truth] for table in votes.values()], axis=0)
    factors = np.ones(len(truth))
    for label in range(CLASSES):
        members = np.flatnonzero(truth == label)
        order = members[np.argsort(doubt[members], kind="stable")]
        rank = (np.arange(len(order)) + 0.5) / len(order)
        factors[order] = 0.6 + 1.2 * rank**2
    return factors


def spread(given: dict[int, float]) -> Floats:
    """Return the chances of all labels: the given ones, and what is left evenly over the others."""
    row = np.full(CLASSES, (1 - sum(given.values())) / (CLASSES - len(given)))
    row[list(given)] = list(given.values())
    return row


def confusion_row(worker: Worker, truth: int, time: datetime) -> Floats:
    """Return the planted answer chances of a worker for one true digit at one moment."""
    if worker.habit:
        return np.array(worker.habit)
    if worker.kind == "adversary":
        return spread({(truth + 1) % CLASSES: worker.accuracy})
    if worker.kind == "careless":
        return spread({truth: worker.accuracy})
    for digit, other, chance in worker.swaps:
        if digit == truth:
            return spread({truth: 0.97 - chance, other: chance})
    accuracy = worker.accuracy_after if worker.drift and time >= worker.drift else worker.accuracy
    return spread({truth: accuracy, LOOK_ALIKE[truth]: (1 - accuracy) / 2})


def answer(worker: Worker, truth: int, time: datetime, factor: float, draw: float) -> int:
    """Turn a uniform draw into a label; people who mostly know a digit err more on hard images."""
    row = confusion_row(worker, truth, time)
    if not worker.habit and row[truth] > 0.5:
        row *= factor
        row[truth] += 1 - row.sum()
    return min(int(np.searchsorted(np.cumsum(row), draw, side="right")), CLASSES - 1)


def assign_items(rng: np.random.Generator, items: int) -> dict[str, Ints]:
    """Give each worker distinct items so that every item gets two to five judgments."""
    extra = sum(worker.judgments for worker in WORKERS) - 2 * items
    wanted = 2 + np.bincount(rng.permutation(np.repeat(np.arange(items), 3))[:extra], minlength=items)
    chosen = {}
    for position, worker in enumerate(sorted(WORKERS, key=lambda worker: -worker.judgments)):
        keys = np.where(wanted > 0, rng.random(items) * wanted, -1.0)
        keys[wanted >= len(WORKERS) - position] = np.inf
        picked = np.argsort(-keys, kind="stable")[: worker.judgments]
        wanted[picked] -= 1
        chosen[worker.id] = rng.permutation(picked)
    if wanted.any():
        raise ValueError("the planted numbers of judgments do not fit the items")
    return chosen


def session_times(rng: np.random.Generator, count: int) -> list[datetime]:
    """Return `count` rising times in sessions on different working days of four weeks."""
    sessions = min(WORKING_DAYS, -(-count // SESSION_LENGTH))
    days = np.sort(rng.permutation(WORKING_DAYS)[:sessions])
    times = []
    for day, share in zip(days.tolist(), np.array_split(np.arange(count), sessions), strict=True):
        start = FIRST_DAY + timedelta(days=day // 5 * 7 + day % 5, seconds=int(28800 + 36000 * rng.random()))
        gaps = 4 + (rng.random(len(share)) ** 3 * 40).astype(np.int64)
        times += [start + timedelta(seconds=second) for second in np.cumsum(gaps).tolist()]
    return times


def simulate(truth: Ints, factors: Floats) -> list[Judgment]:
    """Return all judgments of the planted crowd in the order in which they arrived."""
    items_of = assign_items(np.random.default_rng([SEED, 3]), len(truth))
    judgments = []
    for number, worker in enumerate(WORKERS):
        rng = np.random.default_rng([SEED, 4, number])
        times = session_times(rng, worker.judgments)
        for item, time in zip(items_of[worker.id].tolist(), times, strict=True):
            label = answer(worker, int(truth[item]), time, float(factors[item]), rng.random())
            judgments.append((time, worker.id, item, label))
    return sorted(judgments)


def write_csv(path: Path, header: str, rows: Iterable[Iterable[object]]) -> int:
    """Write one table with LF line ends and return its size in bytes."""
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    return path.write_bytes("".join(f"{line}\n" for line in lines).encode("ascii"))


def main() -> None:
    """Build the four tables and write them to the folder named on the command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "digits"
    folder.mkdir(parents=True, exist_ok=True)
    images, target = datasets.load_digits(return_X_y=True)
    truth: Ints = target.astype(np.int64)
    names = [f"digit_{item:04d}" for item in range(len(truth))]
    votes = model_votes(images, truth)
    crowd = simulate(truth, error_factors(votes, truth))
    gold = np.sort(np.random.default_rng([SEED, 5]).permutation(len(truth))[:GOLD_ITEMS]).tolist()
    judged = [(names[item], worker, label, f"{time.isoformat()}Z") for time, worker, item, label in crowd]
    voted = [
        (name, model, *(f"{p / 1000:g}" for p in votes[model][item].tolist()))
        for item, name in enumerate(names)
        for model in votes
    ]
    size = write_csv(folder / "truth.csv", "item,label", zip(names, truth, strict=True))
    size += write_csv(folder / "gold.csv", "item,label", ((names[item], truth[item]) for item in gold))
    size += write_csv(folder / "judgments.csv", "item,worker,label,timestamp", judged)
    header = ",".join(["item", "model", *(f"p_{label}" for label in range(CLASSES))])
    size += write_csv(folder / "model_votes.csv", header, voted)
    sys.stdout.write(f"{len(crowd)} judgments of {len(names)} items, {size} bytes in 4 files\n")


if __name__ == "__main__":
    main()
