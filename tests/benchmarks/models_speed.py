"""What soft votes of four models on every item add to the time of a fit of ten million judgments."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import consensus
from consensus.simulation import simulate, simulate_votes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import ModelVotes

N_ITEMS, N_WORKERS, N_LABELS, PER_ITEM, N_MODELS = 2_000_000, 20_000, 4, 5, 4
WARM_UP = 100  # times smaller is what is fitted first
LEAST_ITEMS = 100
MOST_EXTRA = 60.0  # per cent of the seconds without votes
BYTES_PER_MAXRSS = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Timed:
    """One fit."""

    what: str
    seconds: float
    """Wall."""
    cpu_seconds: float
    """Of all threads; tells what is what on a busy machine."""
    passes: int
    peak_mb: float
    """Largest resident memory of the process up to the end of the fit, with the input; of 10^6 bytes."""

    @classmethod
    def fit(cls, what: str, judgments: Judgments, **settings: Any) -> Timed:
        start, cpu_start = time.perf_counter(), time.process_time()
        found = consensus.fit(judgments, model="dawid_skene", **settings)
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_PER_MAXRSS / 1e6
        return cls(what, seconds, cpu_seconds, found.convergence.iterations, peak)


def drawn(scale: int, seed: int = 0) -> tuple[Judgments, ModelVotes]:
    """Judgments and votes, the sizes divided by ``scale``."""
    workers = max(N_WORKERS // scale, 4 * PER_ITEM)
    crowd = simulate(max(N_ITEMS // scale, LEAST_ITEMS), workers, N_LABELS, PER_ITEM, seed=seed)
    return crowd.judgments, simulate_votes(crowd, N_MODELS, soft=True, seed=seed)


def timed(scale: int) -> list[Timed]:
    """A fit without votes and one with them, in this process, after one each of a small crowd."""
    judgments, votes = drawn(scale * WARM_UP)
    consensus.fit(judgments, model="dawid_skene")
    consensus.fit(judgments, model_votes=votes)
    judgments, votes = drawn(scale)
    what = f"{judgments.n_judgments:,} judgments"
    without = Timed.fit(what, judgments)
    return [without, Timed.fit(f"{what} and {votes.n_votes:,} soft votes", judgments, model_votes=votes)]


def extra(fits: Sequence[Timed]) -> float:
    """Per cent of the first fit's seconds that the second takes longer."""
    without, beside = fits
    return 100 * (beside.seconds / without.seconds - 1)


def table(fits: Sequence[Timed]) -> str:
    """Markdown: one line a fit."""
    lines = ["| fit of | s | CPU s | passes | peak MB |", "|---|--:|--:|--:|--:|"]
    for one in fits:
        figures = f"{one.seconds:.2f} | {one.cpu_seconds:.2f} | {one.passes} | {one.peak_mb:,.0f}"
        lines.append(f"| {one.what} | {figures} |")
    return "\n".join(lines)


def acceptance(fits: Sequence[Timed], *, full: bool = True) -> dict[str, bool]:
    """The acceptance figure and whether it is met; it is that of the ``full`` sizes."""
    more = extra(fits)
    return {f"speed: votes take {more:.0f} % more, under {MOST_EXTRA:g} %": more < MOST_EXTRA} if full else {}
