"""How many judgments policies need to be as right as fixed redundancy, by replay of public crowds."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zlib
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from consensus import Replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from consensus import Consensus
    from tests.benchmarks import escalation_curves as curves
    from tests.benchmarks import escalation_policies as policies
    from tests.benchmarks import markdown_tables, peers
else:  # run as a script, its own folder is on the path
    import escalation_curves as curves
    import escalation_policies as policies
    import markdown_tables
    import peers

PROCESSES = 2
START, BATCH, RHO = 2, 0.05, 0.3
UPTO, UNIFORM_UPTO = 7.2, 8.0  # judgments an item; uniform's are needed beyond 7, as its curve is made monotone
CLEANLAB = "ActiveLab, cleanlab with our posterior"
POLICIES = (*policies.SCORES, CLEANLAB)


@dataclass(frozen=True, slots=True)
class Job:
    """One replay."""

    name: str
    policy: str
    seed: int
    scale: int = 1
    python: Path | None = None
    """That of the peers, for cleanlab."""


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What came of it."""

    curve: curves.Curve
    fixed: dict[int, int]
    """Judgments of each fixed redundancy."""
    per_item: float
    """Judgments an item, of all there are."""


def replayed(
    crowd: curves.Crowd,
    policy: str,
    seed: int,
    score: Callable[[Consensus], NDArray[np.float64]],
    upto: float,
) -> curves.Curve:
    """The accuracy after each batch that a policy asks for, to ``upto`` judgments an item."""
    n_items = crowd.judgments.n_items
    rng = np.random.default_rng([seed, 77])
    tie, batch = rng.random(n_items), max(round(BATCH * n_items), 1)
    replay = Replay(crowd.judgments, start=START, seed=seed, rho=RHO, threads=1, model="dawid_skene")
    x, y = [], []
    for step in replay:
        x.append(float(step.n_judgments))
        y.append(curves.accuracy(step.result, crowd.truth))
        if step.n_judgments >= upto * n_items:
            break
        if policy == policies.WITH_CHOICE:
            pairs = policies.most_urgent_pairs(replay, step.result, score(step.result), batch, tie, rng)
            replay.ask_codes(*pairs)
        else:
            replay.ask_codes(policies.most_urgent(score(step.result), step.left, batch, tie))
    return np.array(x), np.array(y)


def done(job: Job) -> Done:
    """Run a replay."""
    crowd = curves.crowd(job.name, job.seed, curves.MOST_ITEMS // job.scale)
    upto = UNIFORM_UPTO if job.policy == policies.UNIFORM else UPTO
    if job.policy == CLEANLAB:
        assert job.python is not None
        with cleanlab(job.python) as score:
            curve = replayed(crowd, job.policy, job.seed, score, upto)
    else:
        curve = replayed(crowd, job.policy, job.seed, {**policies.SCORES, **policies.HEDGES}[job.policy], upto)
    fixed = {r: crowd.fixed(r) for r in curves.REDUNDANCIES}
    return Done(curve, fixed, float(crowd.judgments.per_item.mean()))


@contextmanager
def cleanlab(python: Path) -> Iterator[Callable[[Consensus], NDArray[np.float64]]]:
    """cleanlab's own function, in a process that stays, with our posterior where it wants a classifier's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [str(python), "-W", "ignore", str(peers.HERE / "peer_active.py"), name]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            peers.check_version(python, "cleanlab", process.stdout.readline().strip())

            def score(result: Consensus) -> NDArray[np.float64]:
                assert process.stdin is not None
                assert process.stdout is not None
                of = result.judgments
                labels = np.full((of.n_items, of.n_workers), np.nan)
                labels[of.item, of.worker] = of.label
                np.save(folder / "labels.npy", labels[:, of.per_worker > 0])
                np.save(folder / "probabilities.npy", result.posterior)
                process.stdin.write("\n")
                process.stdin.flush()
                if process.stdout.readline().strip() != "done":
                    raise SystemExit(f"{CLEANLAB} failed; what it said stands above")
                return -np.asarray(np.load(folder / "scores.npy"))

            yield score
            process.stdin.close()


def hedges(sets: Sequence[str], seeds: Sequence[int], scale: int) -> str:
    """The same for hedges of the class prior, on public and on simulated crowds."""
    some = (policies.UNIFORM, *policies.HEDGES)
    return "\n\n".join(table(crowds, seeds, scale, None, some) for crowds in (sets, tuple(curves.UNEVEN)))


def table(
    sets: Sequence[str], seeds: Sequence[int], scale: int, python: Path | None, some: Sequence[str] = POLICIES
) -> str:
    """Judgments to match each fixed redundancy, as a share of its, by ``some`` policies."""
    jobs = [
        Job(name, policy, seed, scale, python)
        for name in sets
        for policy in some
        for seed in seeds
        if policy != CLEANLAB or python is not None
    ]
    jobs.sort(key=lambda job: zlib.crc32(repr(job).encode()))  # long and short ones mixed
    with ProcessPoolExecutor(PROCESSES) as pool:
        found = dict(zip(jobs, map(_told, jobs, pool.map(done, jobs)), strict=True))
    parts = []
    for r in curves.REDUNDANCIES:
        rows = []
        for policy in some:
            figures = {}
            for name in sets:
                mine = [found[job] for seed in seeds if (job := Job(name, policy, seed, scale, python)) in found]
                base = [found[Job(name, policies.UNIFORM, seed, scale, python)] for seed in seeds]
                if mine:
                    fixed = [float(one.fixed[r]) for one in base]
                    enough = bool(np.mean([one.per_item for one in base]) >= r)
                    figures[name] = (*curves.ratio([d.curve for d in mine], [d.curve for d in base], fixed), enough)
            if figures:
                rows.append((policy, *_row(figures, sets)))
        head = [f"to match {r}", *sets, "geometric mean", f"of sets with {r} an item"]
        parts.append(markdown_tables.table(head, rows))
    told = f"Seeds {seeds[0]} to {seeds[-1]}: mean, ± standard error (jackknife over the seeds)."
    return "\n\n".join([told, *parts])


def _told(job: Job, result: Done) -> Done:
    sys.stderr.write(f"{job.name}, {job.policy}, seed {job.seed}: {result.curve[1][-1]:.4f} at the end\n")
    return result


def _row(figures: dict[str, tuple[float, float, bool]], sets: Sequence[str]) -> list[str]:
    cells = [f"{figures[name][0]:.2f} ±{figures[name][1]:.2f}" for name in sets]
    return [*cells, *(_mean(list(figures.values()), only_enough) for only_enough in (False, True))]


def _mean(figures: Sequence[tuple[float, float, bool]], only_enough: bool) -> str:
    """Geometric mean of the ratios, and its standard error: sets are independent."""
    some = np.array([(ratio, error) for ratio, error, enough in figures if enough or not only_enough])
    if not len(some):
        return ""
    mean = np.exp(np.log(some[:, 0]).mean())
    error = mean * np.sqrt(((some[:, 1] / some[:, 0]) ** 2).sum()) / len(some)
    return f"{mean:.3f} ±{error:.3f}"
