"""Compile the loops before the tests run, where that is not done: ``python -m tests.compiling``."""

from pathlib import Path

from consensus import kernels
from consensus.cli import job


def is_done() -> bool:
    """Whether the loops were compiled after the last change of their sources."""
    from consensus.kernels import em

    if not kernels.are_compiled(with_votes=True):
        return False
    compiled = Path(em.em_pass.stats.cache_path)  # type: ignore[attr-defined]
    for source in Path(kernels.__file__).parent.glob("*.py"):
        entries = [path.stat().st_mtime for path in compiled.glob(f"{source.stem}.*.nbi")]
        if entries and max(entries) < source.stat().st_mtime:
            return False
    return True


if __name__ == "__main__" and not is_done():
    job.compile_all(job.Show(quiet=True), with_votes=True)
