"""``consensus check``: a dry run."""

import json as json_module
from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import job, options, running_questions
from consensus.cli.settings import Takes

if TYPE_CHECKING:
    from consensus.config import RunConfig


def check(
    judgments: options.Judgments,
    chosen: Annotated["RunConfig", Takes("ReadConfig", "labels", "model", "threads", "memory", but=("drift_by",))],
    config: options.Config = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Read JUDGMENTS and tell what was understood, what to beware of, what a run takes, and the command line for it.

    A platform's export with several questions is told question by question.
    """
    del config  # its settings are among the chosen ones
    show = job.Show(quiet)

    from consensus.formats.export_questions import BY
    from consensus.formats.platforms.questions import SeveralQuestionsError
    from consensus.formats.sources import STDIN
    from consensus.runs import checking

    if chosen.are_several:
        running_questions.check(judgments, chosen, show, json=json)
        return
    given = {name: getattr(chosen, name) for name in chosen.model_fields_set}
    try:
        with show.stages():
            found = checking.check(judgments, listener=show, **given)
    except SeveralQuestionsError:
        if STDIN in judgments:  # it can't be read again
            raise
        running_questions.check(judgments, chosen.of(chosen, by=BY), show, json=json)
        return
    if json:
        typer.echo(json_module.dumps(found.as_json()))
        return
    for line in found.lines():
        typer.echo(line)
