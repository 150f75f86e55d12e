"""What needs a decision: workers, gold, models and labels, each with what is known and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import worker_audit
from consensus.inputs.counted import counted
from consensus.inputs.vocabulary import positions
from consensus.report.page_data import about_workers
from consensus.report.page_data.about_costs import USELESS
from consensus.report.page_data.plain_records import records
from consensus.report.terms import CONDEMNED
from consensus.worker_audit.accuracy import units_of_workers
from consensus.worker_audit.on_gold.retest_items import MOST_NEEDED

if TYPE_CHECKING:
    from consensus.runs.whole_run import Run
    from consensus.worker_audit import WorkerAudit

    Facts = dict[str, Any]
    Records = list[dict[str, Any]]

MOST_NAMED = 12  # workers, items or labels that a decision names
ECHO = 0.35  # share of a model's votes that repeat people's majority, from which it is said
OFTEN = 0.1  # share of the judgments of a label's items that give one wrong label, from which the two are confused
LEAST_CONFUSED = 20.0  # expected judgments of such a pair
MOST_PAIRS = 5
ALMOST = 0.99  # probability above which it is no longer told exactly


def decision_records(run: Run, people: Records, drift: Records) -> Records:
    """What somebody has to decide, the most pressing first; empty only where there is nothing.

    Each has a ``title``, ``about`` (what to do), ``section`` (where the rows behind it stand), ``rows`` of ``kind``
    (worker, item, label or model), ``id`` and ``note``, and ``n``, how many there are in all.

    Parameters
    ----------
    people, drift
        The workers that the page shows, and those who changed.
    """
    told = run.summary
    humans = sorted((one for one in people if one["kind"] == "human"), key=lambda one: -one["n_judgments"])
    found = [
        *_workers(humans, told, run.audit),
        _changed(drift, about_workers.n_changed(run.audit)),
        _copying(run.audit),
        _gold(run.audit),
        _models(told["models"]),
        _confused(run),
        _over_target(told["quality"]),
    ]
    return [one for one in found if one is not None]


def _workers(humans: Records, told: Facts, audit: WorkerAudit) -> Records:
    """Whom to stop, to talk to, to teach, to test."""
    n_of = told["verdicts"]
    least = told["settings"]["min_worker_judgments"]
    n_biased, doubtful, changed = _counted(audit.of_members, least)
    n_in_doubt = len(doubtful)
    in_doubt = [one for one in humans if one["worker"] in doubtful]
    in_doubt = _with_missing(in_doubt[:MOST_NAMED], audit)
    n_few = n_of.get("too_few", 0) - n_in_doubt
    few = f" {counted(n_few, 'other worker has', 'other workers have')} {_so_few(audit, least)} so far."
    groups = (
        (
            [one for one in humans if one["verdict"] in USELESS],
            sum(n_of.get(name, 0) for name in USELESS),
            "Stop {}?",
            "worker",
            "Their answers say nothing of what is true, or go against it. Look at the evidence of each first.",
        ),
        (
            [one for one in humans if one["verdict"] == "careless"],
            n_of.get("careless", 0),
            "Talk to {}, or train them",
            "careless worker",
            "They are right far less often than the median worker.",
        ),
        (
            [one for one in humans if one["verdict"] == "biased" and one["worker"] not in changed],
            n_biased,
            "Show {} which labels they mix up",
            "biased worker",
            "Their other answers are usable, and the labels allow for the mix-up.",
        ),
        (
            in_doubt,
            n_in_doubt,
            "Test {} again",
            "worker",
            "Their judgments do not settle how good they are. Give them items whose label is known: consensus run "
            "--retest 20 puts up to 20 for each of them on the list of what to ask, and consensus audit --table "
            f"retest prints these alone.{few if n_few else ''}",
        ),
    )
    found = []
    for some, n, title, noun, about in groups:
        if some:
            rows = [{"kind": "worker", "id": one["worker"], "note": one["reason"] or ""} for one in some[:MOST_NAMED]]
            found.append(_one(title.format(counted(n, noun)), about, "workers", rows, n))
    return found


def _with_missing(in_doubt: Records, audit: WorkerAudit) -> Records:
    """Each with how many judgments a verdict takes, in the reason."""
    code = positions([one["worker"] for one in in_doubt], audit.of_members.result.judgments.worker_ids)
    missing = worker_audit.missing_judgments(audit)[code].tolist()
    return [
        one | {"reason": f"{one['reason']}; {way} {counted(n, 'judgment')} on such items would settle it"}
        for one, n in zip(in_doubt, missing, strict=True)
        for way in ("about" if n < MOST_NEEDED else "at least",)
    ]


def _so_few(audit: WorkerAudit, least: int) -> str:
    """What those lack who can't have a verdict."""
    units = audit.result.units
    lacking = f"fewer than {least} judgments" + ("" if units is None else ", as they count,")
    few_clusters = f" or items of fewer than {units_of_workers.LEAST_CLUSTERS} clusters"
    return lacking if units is None or units.n_clusters is None else lacking + few_clusters


def _counted(audit: WorkerAudit, least: int) -> tuple[int, set[str], set[str]]:
    """How many are biased and did not change; the ids of who is in doubt after enough judgments, and of who changed.

    Of all workers: the page may show some of them.
    """
    import pyarrow as pa

    judgments, verdict = audit.result.judgments, audit.verdicts.verdict
    changed = judgments.is_person & (audit.drifts.changed if judgments.in_order else False)
    biased = judgments.is_person & (verdict == worker_audit.VERDICTS.index("biased")) & ~changed
    in_doubt = judgments.is_person & (verdict == worker_audit.VERDICTS.index("too_few"))
    in_doubt &= units_of_workers.per_worker(audit.result) >= least
    if audit.result.units is not None and audit.result.units.n_clusters is not None:
        in_doubt &= audit.result.units.n_clusters >= units_of_workers.LEAST_CLUSTERS
    doubtful, ids = (
        set(judgments.worker_ids.take(pa.array(np.flatnonzero(one))).to_pylist()) for one in (in_doubt, changed)
    )
    return int(biased.sum()), doubtful, ids


def _changed(drift: Records, n: int) -> Facts | None:
    if not drift:
        return None
    rows = [{"kind": "worker", "id": one["worker"], "note": _moved(one)} for one in drift[:MOST_NAMED]]
    title = f"Ask {counted(n, 'worker')} what changed"
    about = "Their accuracy is not what it was: fatigue, another person on the account, or other items."
    return _one(title, about, "workers", rows, n)


def _moved(one: Facts) -> str:
    day = str(one["changed_at"])[:10] if "T" in str(one["changed_at"]) else one["changed_at"]
    return f"right on {one['accuracy_before']:.0%} before {day}, on {one['accuracy_after']:.0%} since"


def _copying(audit: WorkerAudit) -> Facts | None:
    if audit.result.copies is None or not audit.copies.n_groups:
        return None
    columns = worker_audit.copies_columns(audit)
    pairs = records(columns, ("group", "worker_a", "worker_b"))
    groups: dict[int, list[str]] = {}
    for one in pairs:
        known = groups.setdefault(one["group"], [])
        known += [name for name in (one["worker_a"], one["worker_b"]) if name not in known]
    rows = [
        {"kind": "worker", "id": name, "note": f"group {number}"} for number, names in groups.items() for name in names
    ][:MOST_NAMED]
    n = sum(len(names) for names in groups.values())
    title = f"Look at {counted(n, 'worker')} who judge too much alike"
    return _one(title, "They may copy, or use the same tool. Nobody can know who copied whom.", "workers", rows, n)


def _gold(audit: WorkerAudit) -> Facts | None:
    if audit.result.gold is None:
        return None
    columns = worker_audit.gold_columns(audit)
    suspect = np.flatnonzero(np.asarray(columns["suspect"]))
    if not len(suspect):
        return None
    by_doubt = suspect[np.argsort(-np.asarray(columns["p_wrong"])[suspect], kind="stable")]
    some = records(columns, ("item", "gold_label", "label", "p_wrong"), by_doubt[:MOST_NAMED].tolist())
    rows = [
        {
            "kind": "item",
            "id": one["item"],
            "note": f"gold says {one['gold_label']}, good workers say {one['label']}: wrong with a probability of "
            f"{_sure(one['p_wrong'])}",
        }
        for one in some
    ]
    about = "Good workers contradict them. Correct the wrong ones: they count as errors of workers and of labels."
    return _one(f"Check {counted(len(suspect), 'gold item')}", about, "items", rows, len(suspect))


def n_suspect(audit: WorkerAudit) -> int:
    """How many gold items are probably wrong."""
    return 0 if audit.result.gold is None else int(np.asarray(worker_audit.gold_columns(audit)["suspect"]).sum())


def _sure(p: float) -> str:
    """No probability below 1 is told as 100%."""
    return f"{p:.0%}" if p < ALMOST else f"more than {ALMOST:.0%}"


def _models(models: Facts | None) -> Facts | None:
    rows = []
    for one in [] if models is None else models["models"]:
        if one["echo"] >= ECHO:
            note = f"repeats the majority of people in {one['echo']:.0%} of its votes"
        elif one["declared_family"] != one["family"]:
            note = f"makes the mistakes of another family than its own, {one['declared_family']}"
        elif one["worth"] is not None and one["worth"] <= 0:
            note = "adds nothing to people"
        else:
            continue
        rows.append({"kind": "model", "id": one["model"], "note": note})
    if not rows:
        return None
    about = "Their votes count for less than they seem to say. Leave them out, or ask whoever trained them."
    return _one(f"Look at {counted(len(rows), 'model')}", about, "models", rows[:MOST_NAMED], len(rows))


def _confused(run: Run) -> Facts | None:
    pairs = confused_pairs(run)
    if not pairs:
        return None
    rows = [
        {"kind": "label", "id": one["label"], "note": f"is called {one['called']} in {one['share']:.0%} of judgments"}
        for one in pairs
    ]
    about = "Say in the instructions how to tell them apart, with an example of each."
    title = f"Make {counted(len(rows), 'pair')} of labels clearer"
    return _one(title, about, "labels", rows, len(rows))


def confused_pairs(run: Run) -> Records:
    """Labels that are often called another one, by the workers who are not to be stopped; the most often first."""
    cells, labels = run.confusion_cells, run.result.judgments.labels
    bad = _condemned(run)
    kept = ~bad[cells.worker]
    K = len(labels)
    pair = cells.true_label[kept].astype(np.int64) * K + cells.label[kept]
    pairs, where = np.unique(pair, return_inverse=True)
    n = np.bincount(where, cells.count[kept], len(pairs))
    true, label = pairs // K, pairs % K
    total = np.bincount(true, n, K)[true]
    share = np.divide(n, total, out=np.zeros(len(n)), where=total > 0)
    often = np.flatnonzero((true != label) & (share >= OFTEN) & (n >= LEAST_CONFUSED))
    first = often[np.argsort(-share[often], kind="stable")][:MOST_PAIRS]
    return [
        {"label": labels[int(true[i])], "called": labels[int(label[i])], "share": float(share[i]), "n": float(n[i])}
        for i in first.tolist()
    ]


def _condemned(run: Run) -> Any:
    """(W,) workers who are to be stopped or trained, by code."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns, judgments = run.worker_columns, run.confusion_cells.result.judgments
    bad = pc.is_in(columns["verdict"], value_set=pa.array(CONDEMNED)).to_numpy(zero_copy_only=False)
    rows = records(columns, ["worker"], np.flatnonzero(bad).tolist())
    code = positions([one["worker"] for one in rows], judgments.worker_ids)
    found = np.zeros(judgments.n_workers, np.bool_)
    found[code[code >= 0]] = True
    return found


def _over_target(quality: Facts) -> Facts | None:
    """Labels whose accepted items are clearly more often wrong on gold than the target allows."""
    most = 1.0 - quality["target"]
    rows = []
    for label, one in quality["by_label"].items():
        if one["gold_items"] and one["low"] > most:
            note = f"{one['gold_errors']:,} of {one['gold_items']:,} gold items accepted as it are wrong"
            rows.append({"kind": "label", "id": label, "note": note})
        elif one["accepted"] and one["expected_error"] is not None and one["expected_error"] > most:
            note = f"{one['expected_error']:.0%} of its accepted items are expected to be wrong"
            rows.append({"kind": "label", "id": label, "note": note})
    if not rows:
        return None
    about = (
        f"More of their accepted items are wrong than the {100 * most:.3g}% that the target allows: raise the target."
    )
    return _one(f"Do not trust {counted(len(rows), 'label')} yet", about, "labels", rows[:MOST_NAMED], len(rows))


def _one(title: str, about: str, section: str, rows: Records, n: int) -> Facts:
    return {"title": title, "about": about, "section": section, "rows": rows, "n": n}
