"""What tables of the audit cost beside the fit of ten million judgments."""

from __future__ import annotations

import functools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

import consensus
from consensus import worker_audit

if TYPE_CHECKING:
    from collections.abc import Callable

    from consensus.found.result import Consensus
    from consensus.inputs.judgments import Judgments
    from tests.benchmarks import audit_behaviour, markdown_tables
else:  # run as a script, its own folder is on the path
    import audit_behaviour
    import markdown_tables

N_ITEMS, N_WORKERS, N_LABELS, PER_ITEM = 2_000_000, 20_000, 4, 5
TIMED = ", random times"  # of judgments that have some
TABLES: dict[str, Callable[[Consensus], object]] = {
    "audit": consensus.audit,
    "confusions": worker_audit.confusions,
    "copying": worker_audit.copies,
    "drift": worker_audit.drifting,
    "drift" + TIMED: worker_audit.drifting,
    "audit" + TIMED: consensus.audit,
}
WARM_UP = 100  # times smaller is what goes through everything first
LEAST_ITEMS = 100
RUNS = 2  # of everything, from the fit on: the lesser of both counts


def drawn(scale: int, seed: int) -> Judgments:
    """The crowd, its sizes divided by ``scale``."""
    workers = max(N_WORKERS // scale, 4 * PER_ITEM)
    return consensus.simulate(max(N_ITEMS // scale, LEAST_ITEMS), workers, N_LABELS, PER_ITEM, seed=seed).judgments


def times(seed: int, scale: int) -> str:
    """Seconds of the fit and of each table, in turn in one process, after a small crowd went the same way."""
    measured(drawn(scale * WARM_UP, seed), seed)
    judgments = drawn(scale, seed)
    runs = [measured(judgments, seed) for _ in range(RUNS)]
    found = {what: tuple(np.min([run[what] for run in runs], axis=0).tolist()) for what in runs[0]}
    fit_wall, fit_cpu = found["fit"]
    rows = [
        (what, f"{wall:.2f}", f"{cpu:.2f}", markdown_tables.share(wall, fit_wall), markdown_tables.share(cpu, fit_cpu))
        for what, (wall, cpu) in found.items()
    ]
    size = f"{judgments.n_judgments:,} judgments by {judgments.n_workers:,} workers"
    return f"{size}:\n\n{markdown_tables.table(['', 's', 'CPU s', '% of the fit', '% of its CPU s'], rows)}"


def measured(judgments: Judgments, seed: int) -> dict[str, tuple[float, float]]:
    """Wall and CPU seconds (of all threads) of each step."""
    found = {}

    def timed(what: str, made: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        value = made()
        found[what] = time.perf_counter() - wall, time.process_time() - cpu
        return value

    result = timed("fit", lambda: consensus.fit(judgments, model="dawid_skene"))
    with_times = audit_behaviour.timed(judgments, seed)
    for what, table in TABLES.items():
        given = replace(result, judgments=with_times) if what.endswith(TIMED) else result
        timed(what, functools.partial(table, given))
    return found
