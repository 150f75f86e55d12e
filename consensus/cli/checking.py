"""``consensus check``: a dry run."""

import json as json_module
from typing import TYPE_CHECKING, Annotated

import typer

from consensus.cli import failing, job, options, running_questions
from consensus.cli.settings import Takes

if TYPE_CHECKING:
    from consensus.config import RunConfig


def check(
    judgments: options.Judgments,
    chosen: Annotated["RunConfig", Takes("ReadConfig", "labels", "model", "threads", "memory", but=("drift_by",))],
    config: options.Config = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    fail_on: options.FailOn = None,
) -> None:
    """Read JUDGMENTS and tell what was understood, what to beware of, and how to run it.

    A platform's export with several questions is told question by question.
    """
    del config  # its settings are among the chosen ones
    show = job.Show(quiet)

    from consensus.formats.export_questions import BY
    from consensus.formats.platforms.questions import SeveralQuestionsError
    from consensus.formats.sources import is_read_once
    from consensus.runs import checking

    if chosen.are_several:
        failing.refuse(running_questions.check(judgments, chosen, show, json=json), fail_on)
        return
    given = {name: getattr(chosen, name) for name in chosen.model_fields_set}
    try:
        with show.stages():
            found = checking.check(judgments, listener=show, **given)
    except SeveralQuestionsError:
        if any(map(is_read_once, judgments)):
            raise
        failing.refuse(running_questions.check(judgments, chosen.of(chosen, by=BY), show, json=json), fail_on)
        return
    if json:
        typer.echo(json_module.dumps(found.as_json()))
    for line in () if json else found.lines():
        typer.echo(line)
    failing.refuse(found.warnings, fail_on)
