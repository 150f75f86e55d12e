"""The page of the command line, made from the program: ``python -m tests.command_line_page`` writes it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typer.main import get_command

from consensus.cli import app, help_text
from consensus.cli.examples import EXAMPLES
from consensus.config import RENAMED
from consensus.errors import CODES, EXIT_CODES
from consensus.found import cautions

PAGE = Path(__file__).parent.parent / "docs" / "command-line.md"
INTRODUCTION = """\
# The command line

This page is made from the program by `python -m tests.command_line_page`.

`consensus COMMAND --help` tells one line an option, in groups; `--help-all` tells everything, as this page does. Tables
go to standard output, or to the file of `--output` (`-o`); words, progress and errors go to standard error. `-` is
standard input where a file is read, and standard output where one is written. Any setting may also stand in a TOML file
(`--config`), under its name with underscores, such as `min_judgments = 3`; options on the command line win.
"""
FOR_PROGRAMS = """\
## For programs

With `--json` a table is one JSON object a line, and lists are lists. Errors are JSON, too: the last line of standard
error is an object of `code`, `message`, `file` and `line`; the last two are null where it is about no file or line.
`--quiet` leaves nothing but tables and errors. `--fail-on small_data,copying` (or `any`) exits with 4 if one of these
warnings arises; all output is written before. `consensus escalate --summary FILE` writes the promise and the counts as
JSON beside the rows.
"""


def made() -> str:
    """The whole page."""
    commands = every(get_command(app))
    parts = [INTRODUCTION, _commands(commands), *(_command(name, one) for name, one in commands.items()), FOR_PROGRAMS]
    return "\n".join([*parts, _exit_codes(), _codes(), _warnings(), _renamed()])


def every(group: Any, before: str = "") -> dict[str, Any]:
    """All commands by their names, those of a group behind its own, as in ``chunks run``."""
    found: dict[str, Any] = {}
    for name, one in group.commands.items():
        found |= every(one, f"{before}{name} ") if hasattr(one, "commands") else {f"{before}{name}": one}
    return found


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines) + "\n"


def _commands(commands: dict[str, Any]) -> str:
    rows = [
        (f"[`{name}`](#consensus-{name.replace(' ', '-')})", help_text.summary(one)) for name, one in commands.items()
    ]
    return f"## Commands\n\n{_table(('command', 'what it does'), rows)}"


def _command(name: str, command: Any) -> str:
    command.complete()
    parameters = [one for one in command.params if one.name not in help_text.GENERAL]
    usage = " ".join(help_text.argument(one) for one in parameters if one.param_type_name == "argument")
    text = "\n\n".join(" ".join(part.split()) for part in command.help.split("\n\n"))
    parts = [f"## `consensus {name}`\n", f"`consensus {name} [OPTIONS] {usage}`\n".replace(" `", "`"), f"{text}\n"]
    for heading, of_it in help_text.by_heading(parameters).items():
        rows = [
            (f"`{help_text.left(one)}`", help_text.in_full(one, command.hints.get(one.name, help_text.NO_HINT)))
            for one in of_it
        ]
        parts.append(f"**{heading}**\n\n{_table(('option', 'what it means'), rows)}")
    examples = "\n".join(EXAMPLES[name])
    return "\n".join([*parts, f"Examples:\n\n```\n{examples}\n```\n"])


def _exit_codes() -> str:
    rows = [(str(code), about) for code, about in EXIT_CODES.items()]
    return f"## Exit codes\n\n{_table(('exit code', 'what it means'), rows)}"


def _codes() -> str:
    rows = [(f"`{code}`", str(status), about) for code, (status, about) in CODES.items()]
    return f"## Codes of errors\n\n{_table(('code', 'exit code', 'what it means'), rows)}"


def _warnings() -> str:
    rows = [(f"`{code}`", one.means) for code, one in cautions.CODES.items()]
    told = "What `--fail-on` takes; [warnings](warnings.md) tells what to do about each.\n"
    return f"## Codes of warnings\n\n{told}\n{_table(('code', 'what it means'), rows)}"


def _renamed() -> str:
    rows = [(f"`--{old.replace('_', '-')}`", f"`--{new.replace('_', '-')}`") for old, new in RENAMED.items()]
    rows += [("`run --out`", "`run --output`, `-o`"), ("`audit --worker WORKER`", "`audit --evidence WORKER`")]
    rows += [("status `expert`", "status `needs_expert`")]
    told = "The former names are understood for one version more, and a note on standard error tells the new one.\n"
    return f"## Former names\n\n{told}\n{_table(('up to 0.4', 'now'), rows)}"


if __name__ == "__main__":
    PAGE.write_text(made(), encoding="utf-8")
