"""``consensus run --by`` and ``check --by``: each of several questions by itself, and a table over all of them."""

import json as json_module
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from consensus.cli import job
from consensus.cli.terminal import visible
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from consensus.cli.options import Given
    from consensus.cli.running import Written
    from consensus.config import RunConfig
    from consensus.found.cautions import Caution
    from consensus.runs import SideInputs
    from consensus.runs.folder import Output

COLUMNS = ("question", "items", "workers", "labels", "judgments", "accepted", "escalated", "mean_confidence")
"""Of the table on the screen."""


def run(
    given: "Given",
    chosen: "RunConfig",
    written: "Written",
    show: job.Show,
    output: "Output",
    beside: "SideInputs",
    *,
    json: bool,
) -> None:
    """Write a folder for each question."""
    from consensus.report import page
    from consensus.runs import question_folders, questions

    inputs = [*given.paths(), *(path for path in (chosen.costs, chosen.workers) if path is not None)]
    out = question_folders.check(written.output, overwrite=written.overwrite, inputs=inputs)
    with show.stages(), questions.opened(given.judgments) as source:
        asked = questions.several(
            chosen, source, show, beside=beside, model_votes=given.model_votes or None, gold=given.gold
        )
        job.compile_all(show, with_votes=bool(given.model_votes))
        rows = question_folders.write(asked, out, output, show)
    show.tell_timings()
    if asked.exports is not None:
        show.say(asked.exports.told)
    where = "" if chosen.by is None or asked.exports is not None else f' by "{chosen.by}"'
    show.say(f"{counted(len(rows), 'question')}{where}, each run by itself:")
    for line in _table([{name: _cell(row[name]) for name in COLUMNS} for row in rows]):
        show.say(line)
    if asked.without:
        show.say(
            f"{counted(asked.without, 'row names', 'rows name')} no question and "
            f"{'is' if asked.without == 1 else 'are'} in no run"
        )
    n_warnings = sum(row["warnings"] for row in rows)
    show.say(f"{counted(n_warnings, 'warning')}: see summary.json or {page.FILE} of each question")
    show.say(f"wrote {written.output / page.FILE}" if output.report else f"wrote {written.output}")
    if json:
        typer.echo((out / "summary.json").read_text(encoding="utf-8"), nl=False)


def warnings(out: Path) -> "list[Caution]":
    """What all questions of a run warn of, once each."""
    from consensus.found.cautions import Caution

    told = json_module.loads((out / "summary.json").read_text(encoding="utf-8"))["questions"]
    each = [json_module.loads((out / one["folder"] / "summary.json").read_text(encoding="utf-8")) for one in told]
    found = {one["code"]: Caution(one["code"], one["message"]) for summary in each for one in summary["warnings"]}
    return list(found.values())


def check(judgments: list[Path], chosen: "RunConfig", show: job.Show, *, json: bool) -> "list[Caution]":
    """Tell of each question what a dry run finds; what to beware of in any."""
    from consensus.runs import checking, questions

    with show.stages(), questions.opened(judgments) as source:
        asked = questions.several(chosen, source, show)
        given = {name: getattr(chosen, name) for name in chosen.model_fields_set}
        found = {name: checking.check(source, listener=show, **(given | {"only": name})) for name in asked}
    cautions = [caution for one in found.values() for caution in one.warnings]
    command = checking.recommended(judgments, chosen, [one.judgments for one in found.values()], ())
    if json:
        told: dict[str, Any] = {name: one.as_json() | {"command": None} for name, one in found.items()}
        kinds = {} if asked.exports is None else {"asked": dict(asked.exports.kinds)}
        typer.echo(json_module.dumps({**kinds, "questions": told, "without": asked.without, "command": command}))
        return cautions
    if asked.exports is not None:
        typer.echo(visible(asked.exports.told))
    for name, one in found.items():
        typer.echo(visible(f'question "{name}":'))
        for line in one.lines():
            typer.echo(f"  {line}")
    if asked.without:
        typer.echo(
            f"{counted(asked.without, 'row names', 'rows name')} no question and "
            f"{'is' if asked.without == 1 else 'are'} in no run"
        )
    typer.echo(f"run all of them, each by itself, with: {command}")
    return cautions


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else "-" if value is None else shlex.quote(str(value)).strip("'")


def _table(rows: list[dict[str, str]]) -> list[str]:
    """Rows as lines: texts to the left, numbers to the right."""
    names = {name: name.replace("_", " ") for name in COLUMNS}
    width = {name: max(len(one[name]) for one in (names, *rows)) for name in COLUMNS}
    return [
        "  ".join(f"{one[name]:{'<' if name == 'question' else '>'}{width[name]}}" for name in COLUMNS).rstrip()
        for one in (names, *rows)
    ]
