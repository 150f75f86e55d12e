"""``consensus shares``: how common each label is, to stdout or a file."""

from typing import TYPE_CHECKING, Annotated

from consensus.cli import job, printing
from consensus.cli.options import Given, Warned
from consensus.cli.settings import Takes
from consensus.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from consensus.config import RunConfig
    from consensus.runs import Inputs, Run


def shares(
    given: Given,
    chosen: Annotated[
        "RunConfig",
        Takes(
            "ReadConfig", "VotesConfig", "GoldConfig", "FitConfig", "CollusionConfig", but=("drift_by", "keep", "ties")
        ),
    ],
    printed: Warned,
) -> None:
    """Print one row for each label: how common it is among all items, with a 95 % interval.

    The interval needs gold drawn at random.

    JUDGMENTS may be the output folder of a run; its own files, gold and settings are then used.
    """
    folder = _finished(given)
    printing.fit_and_print(given, chosen, printed, _table, None if folder is None else _reader(folder, given, chosen))


def _table(found: "Run") -> "printing.Told":
    from consensus.found.result import framed
    from consensus.report import class_shares, words

    told = class_shares.in_numbers(found.shares)
    return framed(found.shares.columns()), [*words.of_result(found), *class_shares.lines(told)]


def _finished(given: Given) -> "Path | None":
    """The output folder of a run, if that is what was given."""
    from consensus.runs import finished

    judgments = given.judgments or []
    return judgments[0] if len(judgments) == 1 and finished.is_one(judgments[0]) else None


def _reader(folder: "Path", given: Given, chosen: "RunConfig") -> "printing.Reader":
    """What reads the inputs of a finished run.

    Raises
    ------
    ConfigError
        Files or settings are given besides: the run has its own.
    """
    own = [name for name in ("model_votes", "gold", "config") if getattr(given, name)]
    own += sorted(chosen.model_fields_set - {"threads"})
    if own:
        raise ConfigError(
            f"a finished run has its own files and settings; leave out --{own[0].replace('_', '-')}, or give "
            "the judgments themselves",
            folder,
        )

    def read(show: job.Show) -> "Inputs":
        from consensus.runs import finished

        return finished.inputs_of(folder, show, threads=chosen.threads)

    return read
