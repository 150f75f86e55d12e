"""Which platform takes what, and the way from a run to its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from consensus.errors import ConfigError
from consensus.requeue import (
    argilla,
    crowdflower,
    crowdflower_json,
    doccano,
    label_studio,
    mturk,
    original,
    prodigy,
    sagemaker,
    tasks,
    toloka,
    zooniverse,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consensus.requeue.tasks import Task
    from consensus.runs import Run


class Platform(Protocol):
    """A module of this package."""

    NAME: str
    ENDING: str
    """Of its files."""
    TAKES_GOLD: bool
    """It takes test questions among its tasks."""

    def again(self, run: Run, files: tuple[Path, ...], asked: Sequence[Task], gold: bool, /) -> tuple[bytes, list[str]]:
        """The file that asks for more judgments, and what is to be said of it.

        Where ``gold`` is true, test questions are proposed in it.
        """
        ...


class Reporter(Protocol):
    """A module of this package whose platform has a report of labels."""

    NAME: str

    def report(self, run: Run, files: tuple[Path, ...], /) -> tuple[bytes, list[str]]:
        """The labels as the platform's own report of them, and what is to be said."""
        ...


MODULES = (
    argilla,
    crowdflower,
    crowdflower_json,
    doccano,
    label_studio,
    mturk,
    prodigy,
    sagemaker,
    toloka,
    zooniverse,
)
PLATFORMS: dict[str, Platform] = {one.NAME: one for one in MODULES}
REPORTS: dict[str, Reporter] = {one.NAME: one for one in MODULES if one is not mturk}


@dataclass(frozen=True, slots=True)
class Sent:
    """A file for a platform."""

    platform: str
    content: bytes
    n_items: int
    n_judgments: int
    """That it asks for; 0 for a report."""
    said: tuple[str, ...]
    """What is to be said of it."""


def settle(name: str | None, files: tuple[Path, ...]) -> Platform:
    """The platform of a ``name``; where there is none, the one whose export the ``files`` are.

    Raises
    ------
    ConfigError
        It is unknown, or nothing tells.
    """
    listed = ", ".join(PLATFORMS)
    if name is not None and name not in PLATFORMS:
        raise ConfigError(f'--to: unknown platform "{name}"; known are {listed}', code="unknown_name")
    known = original.platform_of(files) if files else name
    if known in PLATFORMS and name in {None, known}:
        return PLATFORMS[known]
    if name is None:
        what = "the judgments are a plain table" if known is None else f"no file goes back to {known} yet"
        raise ConfigError(f"{what}; name a platform with --to: {listed}")
    if known is not None:
        raise ConfigError(
            f"--to {name}: the judgments are an export of {known}, and the file needs what one of {name} holds"
        )
    return PLATFORMS[name]


def _named(run: Run) -> str | None:
    """The platform that the judgments were read as, where that was said: exports like anybody's JSON lines are so."""
    reading = run.result.judgments.reading
    return reading.platform if reading is not None and reading.platform in PLATFORMS else None


def requeue(
    run: Run,
    to: str | None = None,
    *,
    source: Sequence[Path] = (),
    until_settled: bool = False,
    top: int | None = None,
    gold: bool = False,
) -> Sent:
    """The escalation list of a run as the file that a platform takes.

    Parameters
    ----------
    run
        Of ``consensus.run`` or ``consensus.load``, or the last one of a state.
    to
        Name of the platform, one of ``PLATFORMS``; by default the one whose export the judgments are.
    source
        Where the export is now, if not where it was read.
    until_settled
        Ask at once for as many judgments of an item as it is expected to need; else for those to ask for now.
    top
        Items at most.
    gold
        Also propose test questions, for platforms that take some.

    Raises
    ------
    ConfigError
        The platform is unknown, nothing tells it, or it takes no proposals; or ``top`` is not positive.
    RunError
        The export is gone or has changed.
    """
    if top is not None and top < 1:
        raise ConfigError(f"--top = {top}: expected 1 or more")
    files = original.files_of(run.result.judgments, source)
    platform = settle(to or _named(run), files)
    if gold and not platform.TAKES_GOLD:
        takes = " and ".join(name for name, one in PLATFORMS.items() if one.TAKES_GOLD)
        raise ConfigError(
            f"--gold: {platform.NAME} takes no test questions in a file of tasks ({takes} do); leave it out"
        )
    asked = tasks.of_run(run, until_settled=until_settled, top=top)
    content, said = platform.again(run, files, asked.tasks, gold)
    n_judgments = sum(one.judgments for one in asked.tasks)
    return Sent(platform.NAME, content, len(asked.tasks), n_judgments, (*said, *asked.left_out))


def export(run: Run, to: str | None = None, *, source: Sequence[Path] = (), approve: bool = False) -> Sent:
    """The labels of a run as a platform's own report; parameters and errors as of ``requeue``.

    With ``approve``, of Mechanical Turk the results file with decisions about assignments (``mturk.review``).
    """
    files = original.files_of(run.result.judgments, source)
    platform = settle(to or _named(run), files)
    if approve:
        if platform is not mturk:
            raise ConfigError(
                f"--approve: assignments are approved at mturk, and these files are of {platform.NAME}; leave it out"
            )
        content, said = mturk.review(run, files)
        return Sent(platform.NAME, content, run.result.judgments.n_items, 0, tuple(said))
    if platform.NAME not in REPORTS:
        raise ConfigError(f"--to {platform.NAME}: the platform has no report of labels; use labels.csv, or --approve")
    content, said = REPORTS[platform.NAME].report(run, files)
    return Sent(platform.NAME, content, run.result.judgments.n_items, 0, tuple(said))
