"""How a command ends that can't do what it shall: one line on stderr, or JSON, and an exit code."""

import json
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import typer

from consensus import wording
from consensus.cli import help_text
from consensus.cli.options import ANY
from consensus.errors import CODES, USAGE, ConsensusError, OutputError, reason, refused

if TYPE_CHECKING:
    from consensus.found.cautions import Caution

UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""What Typer raises where it can't understand a command line."""


NUMBERS = {"NUMBER": "a number", "SHARE": "a share such as 0.95"}
"""What values of options are that are numbers, by what they are called."""


class WarnedError(ConsensusError):
    """A warning that ``--fail-on`` names; all output is written."""

    code = "warning"


def refuse(warnings: "Iterable[Caution]", codes: str | None) -> None:
    """End a command whose output is written, if there is a warning of one of the ``codes`` of ``--fail-on``.

    Raises
    ------
    WarnedError
        There is.
    """
    named = {one.strip() for one in codes.split(",")} if codes else set()
    met = [one for one in warnings if named & {one.code, ANY}]
    if met:
        more = f" (and {', '.join(one.code for one in met[1:])})" if met[1:] else ""
        raise WarnedError(f"warning {met[0].code}{more}, which --fail-on names: {met[0].message}")


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether errors are to be JSON."""
    ends = list(arguments).index("--") if "--" in arguments else len(arguments)
    return "--json" in arguments[:ends]


def told(error: Exception, *, as_json: bool) -> int:
    """Write an ``error`` to stderr, in words or as JSON; how the command exits."""
    if isinstance(error, ConsensusError):
        code, text, file, line = error.code, str(error), error.file, error.line
    elif isinstance(error, OSError):
        file, line = None if error.filename is None else str(error.filename), None
        # without a file, it is what a full disk is behind
        said = f"standard output {refused(error)}" if file is None else f"{file}: {reason(error)}"
        code, text = "bad_output", str(OutputError(said))
    else:
        code, text, file, line = "usage", _usage(error), None, None
    _write({"code": code, "message": text, "file": file, "line": line}, as_json)
    return CODES[code][0]


def tell_stopped(number: int, *, as_json: bool) -> None:
    """Say on stderr that a signal of this number stopped the command."""
    name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
    said = f"stopped by {name}; nothing is left half-written"
    _write({"code": "stopped", "message": said, "file": None, "line": None}, as_json)


def _write(found: dict[str, Any], as_json: bool) -> None:
    line = json.dumps(found, ensure_ascii=False) if as_json else f"consensus: {found['message']}"
    with suppress(OSError):  # who closed stderr, or has a full disk behind it, still gets the exit code
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def is_help(error: Any) -> bool:
    """Whether it is none, but the help that is shown where nothing was asked."""
    return type(error).__name__ == "NoArgsIsHelpError"


def show_help(error: Any) -> int:
    """Show that help."""
    error.show()
    return USAGE


def _usage(error: Any) -> str:
    """What Typer says, as one sentence with the way to the help; in words of ours where its own change by version."""
    path = error.ctx.command_path if error.ctx is not None else "consensus"
    wrong = getattr(error, "option_name", None)
    if wrong is not None and hasattr(error, "possibilities"):
        return f"there is no option {wrong}{wording.aside(wrong, error.possibilities or ())}; see {path} --help"
    text = " ".join(str(error.message).split()).rstrip(".").removeprefix("Value error, ")
    param = getattr(error, "param", None)
    if param is not None and not text:  # an argument, of which Typer tells only its name
        text = f"there must be {help_text.named(param)}"
    elif param is not None and param.param_type_name == "option":
        name = max(param.opts, key=len)
        is_number = param.metavar in NUMBERS and any(word in text for word in ("valid", "parse"))
        number = "a whole number" if "integer" in text else NUMBERS.get(param.metavar)
        text = f"{name} takes {number}" if is_number else f"{name}: {text}"
    return f"{text[:1].lower()}{text[1:]}; see {path} --help"
