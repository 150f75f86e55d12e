"""Whether the audit finds who changes, who copies, and which gold is wrong; and how often it accuses the innocent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import consensus
from consensus import worker_audit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments
    from tests.benchmarks import markdown_tables, peers
else:  # run as a script, its own folder is on the path
    import markdown_tables
    import peers

PLANTED = {"w14": "2025-03-14", "w32": "2025-03-18"}  # who drifts in data/digits, and when
STEADY_WORKERS, STEADY_ITEMS, STEADY_PER_ITEM, STEADY_SEEDS = 1000, 20_000, 4, 5
DAYS = 30  # that simulated judgments are spread over
N_HONEST, RING, RING_ITEMS, COPIED = 60, 5, 150, 0.95
HONEST_ITEMS, HONEST_PER_ITEM, JUDGED_BY_RING = 600, 5, 0.8
N_GOLD, N_WRONG = 200, 10


def timed(judgments: Judgments, seed: int) -> Judgments:
    """The judgments at random times, which no one's accuracy depends on."""
    rng = np.random.default_rng([seed, 3])
    seconds = rng.integers(0, DAYS * 86_400, judgments.n_judgments)
    start = np.datetime64("2025-03-03T00:00:00", "us")
    return replace(judgments, timestamp=start + (seconds * 1_000_000).astype("timedelta64[us]"))


def drift(seed: int, scale: int) -> str:
    """On data/digits; then false alarms among steady workers."""
    rows = [row for given in ((), ("gold",), ("gold", "model_votes")) for row in _in_digits(given)]
    head = ["data/digits, given", "worker", "planted", "found", "off, % of the timeline", "before", "after"]
    found = markdown_tables.table([*head, "p", "drifts", "others who drift"], rows)
    return f"{found}\n\n{_steady(seed, scale)}"


def _in_digits(given: tuple[str, ...]) -> list[tuple[object, ...]]:
    folder = peers.ROOT / "data" / "digits"
    judgments = consensus.read(folder / "judgments.csv")
    assert judgments.timestamp is not None
    files: dict[str, Any] = {name: folder / f"{name}.csv" for name in given}
    result = consensus.fit(judgments, **files)
    table = worker_audit.drifting(result)
    table = table[table["scope"] == "worker"].set_index("worker")
    drifts = set(table.index[table["drifts"]])
    ids = judgments.worker_ids.to_pylist()
    rows: list[tuple[object, ...]] = []
    for worker, day in PLANTED.items():
        one: dict[str, Any] = table.loc[worker].to_dict()  # type: ignore[assignment]
        at = judgments.timestamp[judgments.worker == ids.index(worker)]
        off = abs(int((at < np.datetime64(day)).sum()) - int(one["n_before"]))
        rows.append(
            (
                " and ".join(("judgments", *given)),
                worker,
                day,
                one["changed_at"],
                f"{markdown_tables.share(off, len(at))} ({off} of {len(at)})",
                f"{one['accuracy_before']:.2f}",
                f"{one['accuracy_after']:.2f}",
                f"{one['p_value']:.1e}",
                "yes" if one["drifts"] else "no",
                ", ".join(sorted(drifts - set(PLANTED))) or "none",
            )
        )
    return rows


def _steady(seed: int, scale: int) -> str:
    """Workers who do not change, a tenth of them spammers; times are random."""
    rows = []
    for number in range(STEADY_SEEDS):
        crowd = consensus.simulate(
            max(STEADY_ITEMS // scale, 100),
            max(STEADY_WORKERS // scale, 10),
            4,
            STEADY_PER_ITEM,
            spammers=0.1,
            seed=seed + 1000 * number,
        )
        table = worker_audit.drifting(consensus.fit(timed(crowd.judgments, seed + number)))
        of_crowd = table[table["scope"] == "everyone"]
        workers = table[table["scope"] == "worker"]
        tested = workers.dropna(subset="p_value")
        shares = [markdown_tables.share((tested["p_value"] <= level).sum(), len(tested)) for level in (0.01, 0.05)]
        everyone = "yes" if of_crowd["drifts"].any() else "no"
        rows.append((number, f"{len(workers):,}", f"{len(tested):,}", *shares, int(workers["drifts"].sum()), everyone))
    head = ["steady crowd", "workers", "tested", "p <= .01, %", "p <= .05, %", "who drift", "everyone drifts"]
    return markdown_tables.table(head, rows)


def ringed(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Judgments (item, worker, label), and the truth; workers of the ring are called ``source`` and ``copy0``, ...

    Five judgments an item by honest workers. On some items a spammer answers, too, and each of the ring copies them: it
    has most of their items, and says something else now and then.
    """
    n_labels = 2 + seed % 4
    crowd = consensus.simulate(HONEST_ITEMS, N_HONEST, n_labels, HONEST_PER_ITEM, seed=seed)
    rng = np.random.default_rng([seed, 4])
    labels = np.array(crowd.judgments.labels)
    items = rng.choice(np.array(crowd.judgments.item_ids.to_pylist()), RING_ITEMS, replace=False)
    said = rng.integers(0, n_labels, RING_ITEMS)
    parts = [crowd.judgments_table(), pd.DataFrame({"item": items, "worker": "source", "label": labels[said]})]
    for n in range(RING):
        does = rng.random(RING_ITEMS) < JUDGED_BY_RING
        own = np.where(rng.random(RING_ITEMS) < COPIED, said, rng.integers(0, n_labels, RING_ITEMS))
        parts.append(pd.DataFrame({"item": items[does], "worker": f"copy{n}", "label": labels[own[does]]}))
    return pd.concat(parts, ignore_index=True), crowd.truth_table()


def copying(seed: int, n_seeds: int) -> str:
    """Who of a ring is found, who else, and what the ring costs."""
    found: list[list[float]] = []
    for number in range(n_seeds):
        judged, truth = ringed(seed + number)
        honest = judged[~_of_ring(judged["worker"])]
        result = worker_audit.fit_without_copies(judged, collusion="report")
        pairs = worker_audit.copies(result)
        inside = _of_ring(pairs["worker_a"]).astype(int) + _of_ring(pairs["worker_b"])
        members = {*pairs["worker_a"][inside == 2], *pairs["worker_b"][inside == 2]}
        right = [_right(one, truth) for one in (consensus.fit(honest), worker_audit.fit_without_copies(judged), result)]
        accused = [int((inside == 1).sum()), int((inside == 0).sum())]
        found.append([len(members - {"source"}), "source" in members, *accused, *right])
    rows: list[tuple[object, ...]] = [
        (f"seed {n}, {2 + (seed + n) % 4} labels", *map(int, row[:4]), *(f"{x:.2f}" for x in row[4:]))
        for n, row in enumerate(found)
    ]
    mean = np.mean(found, axis=0)
    rows.append(("mean", *(f"{x:.2f}" for x in mean)))
    far = max(abs(row[5] - row[4]) for row in found)
    head = [
        "crowd",
        f"found of {RING}",
        "source found",
        "honest with ring",
        "honest pairs",
        "accuracy % without the ring",
        "merged",
    ]
    return f"{markdown_tables.table([*head, 'unmerged'], rows)}\n\nMerged is off by {far:.2f} points at most."


def _of_ring(worker: pd.Series[str]) -> pd.Series[bool]:
    return worker.str.startswith(("source", "copy"))


def _right(result: consensus.Consensus, truth: pd.DataFrame) -> float:
    """Per cent of the items."""
    labels = result.labels
    return 100 * float((labels["label"] == labels["item"].map(truth.set_index("item")["label"])).mean())


def wrong_gold(seed: int, n_seeds: int) -> str:
    """Ten of 200 gold labels are wrong: how many are suspect, and how many of the others."""
    found = [_suspects(seed + number) for number in range(n_seeds)]
    hits, false = np.array(found).T
    both = int(((hits >= 8) & (false <= 2)).sum())
    rows: list[tuple[object, ...]] = [(f"seed {n}", hit, wrong) for n, (hit, wrong) in enumerate(found)]
    rows.append(("mean", f"{hits.mean():.2f}", f"{false.mean():.2f}"))
    told = f"At least 8 found and at most 2 false alarms in {both} of {n_seeds}."
    return f"{markdown_tables.table(['crowd', f'found of {N_WRONG}', 'false alarms'], rows)}\n\n{told}"


def _suspects(seed: int) -> tuple[int, int]:
    crowd = consensus.simulate(1500, 30, 4, 5, accuracy=0.8, seed=seed)
    gold = crowd.truth_table(N_GOLD, seed=seed)
    rng = np.random.default_rng([seed, 5])
    wrong = rng.choice(N_GOLD, N_WRONG, replace=False)
    labels = np.array(crowd.judgments.labels)
    code: NDArray[np.int64] = np.searchsorted(labels, gold["label"].iloc[wrong].to_numpy(str))
    gold.loc[wrong, "label"] = labels[(code + rng.integers(1, 4, N_WRONG)) % 4]
    table = worker_audit.gold(consensus.fit(crowd.judgments, gold=gold))
    suspects = set(table["item"][table["suspect"]])
    planted = set(gold["item"].iloc[wrong])
    return len(suspects & planted), len(suspects - planted)
