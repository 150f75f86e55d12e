"""The caller's words: messages are written once, with the options of the command line; Python is told its arguments.

``--gold-item`` of the command line is ``gold_item=`` in Python, ``--overwrite`` is ``overwrite=True``, and ``consensus
plan-gold`` is ``consensus.plan_gold``. Only names that are known are replaced, and nothing between double quotes, where
ids, labels and names of columns stand.
"""

from __future__ import annotations

import difflib
import re
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic.fields import FieldInfo

ON_THE_COMMAND_LINE: ContextVar[bool] = ContextVar("on_the_command_line", default=False)
"""Whether a command runs; ``consensus.__main__`` says so."""

ARGUMENTS = {
    "approve": "approve=True",
    "classes": "classes=",
    "full": "full=True",
    "columns": "columns=",
    "gold": "gold=",
    "images": "images=",
    "items": "n=",
    "item-url": "item_url=",
    "model-votes": "model_votes=",
    "models": "models=",
    "no-report": "report=False",
    "ordinal": 'level="ordinal"',
    "output": "folder=",
    "overwrite": "overwrite=True",
    "posteriors": "posteriors=True",
    "report": "report=True",
    "source": "source=",
    "state": "folder=",
    "title": "title=",
    "to": "to=",
    "top": "top=",
    "void": "void=",
    "wait": "wait=",
}
"""Arguments of functions that are no settings, by the option."""
FUNCTIONS = {
    "agreement": "consensus.agreement",
    "audit": "consensus.audit",
    "check": "consensus.check",
    "diff": "consensus.diff",
    "escalate": "consensus.escalate",
    "evaluate": "consensus.evaluate",
    "explain": "run.explain",
    "export": "consensus.requeue.export",
    "plan-budget": "consensus.plan_budget",
    "plan-gold": "consensus.plan_gold",
    "report": "run.report",
    "requeue": "consensus.requeue.requeue",
    "run": "consensus.run",
    "shares": "consensus.shares",
    "simulate": "consensus.simulate",
    "update": "state.update",
}
"""What does in Python what a command does."""
TABLES = {
    "behaviour": 'run.table("behaviour")',
    "confusions": "run.confusions",
    "copying": "run.copying",
    "drift": "run.drift",
    "gold": "run.gold_health",
    "labels": 'run.table("label_accuracy")',
    "new-gold": 'run.table("new_gold")',
    "retest": 'run.table("retest")',
    "workers": "run.workers",
}
"""The table of a run that ``consensus audit --table`` prints."""
VALUES = {
    "by": ("question", "worker-pair"),
    "item": ("column", "worker"),
    "model-votes": ("none",),
    "platform": ("none", "mturk"),
    "time-format": ("month-first", "day-first", "year-first", "excel", "epoch"),
    "worker": ("item", "row", "user_name"),
}
"""Values that stand behind an option in messages, besides those that its setting lists."""
VALUE = r"(?:\"[^\"]*\"|'[^']*'|[^\s;,()\"']*[^\s;,.:()\"'`])"
MARK = re.compile(
    rf"""
    (?P<data>"[^"]*")
    | (?P<ticks>`?)consensus\ (?P<command>{"|".join(FUNCTIONS)})(?![\w-])
      (?P<options>(?:\ --[a-z][a-z-]*(?:[ =]{VALUE})?)*)(?P=ticks)
    | (?<![\w-])--(?P<option>[a-z][a-z-]*)(?![\w-])(?:(?P<sign>[ =])(?P<value>{VALUE}))?
    | (?<![\w-])plan-(?P<plan>gold|budget)(?![\w-])
    """,
    re.VERBOSE,
)
WITH_VALUE = re.compile(rf"--([a-z][a-z-]*)(?:[ =]({VALUE}))?")


MOST_MEANT = 3  # names in a message
LIKE = 0.7  # of 1: how far a name must be like another one to be taken for it


def meant(name: str, known: Sequence[str]) -> str:
    """What may be meant by a ``name`` that is none of the ``known``: "did you mean a, b?", or nothing."""
    near = difflib.get_close_matches(name, known, MOST_MEANT, LIKE)
    return f"did you mean {', '.join(near)}?" if near else ""


def aside(name: str, known: Sequence[str]) -> str:
    """The same within a sentence: in brackets, with a blank before."""
    told = meant(name, known)
    return f" ({told})" if told else ""


def in_words_of_the_caller(message: str) -> str:
    """A message as the command line, or Python, is told it."""
    return message if ON_THE_COMMAND_LINE.get() else in_python(message)


def in_python(message: str) -> str:
    """A message with the names of Python in place of options and commands."""
    return MARK.sub(lambda found: _replaced(found, message), message)


def is_known(option: str) -> bool:
    """Whether Python has something for an ``option``, such as ``gold-item``."""
    return option in ARGUMENTS or option in _settings() or option == "table"


def _replaced(found: re.Match[str], message: str) -> str:
    if found["data"] is not None:
        return found["data"]
    if found["plan"] is not None:
        return f"plan_{found['plan']}"
    if found["command"] is not None:
        return _call(found["command"], found["options"], found["ticks"])
    option, value = found["option"], found["value"]
    if not is_known(option):
        return found[0]
    if value is None:
        return _argument(option)
    before, behind = message[: found.start()], message[found.end() :]
    leads = not before and behind.startswith(":")  # what was given stands at the beginning
    is_example = option == "label" and before.endswith("such as ")
    if found["sign"] == "=" or leads or is_example or _is_value(option, value):
        return _argument(option, value)
    return f"{_argument(option)}{found['sign']}{MARK.sub(lambda one: _replaced(one, value), value)}"


def _call(command: str, options: str, ticks: str) -> str:
    """Such as ``consensus.escalate(audit_sample=0.05)``."""
    given = WITH_VALUE.findall(options)
    taken = [(option, value) for option, value in given if is_known(option)]
    shown = FUNCTIONS[command]
    behind = ""
    if taken and taken[0][0] == "table":
        value = taken[0][1]
        shown = TABLES.get(value, f'run.table("{value}")')
    elif taken and taken[0][1]:
        shown += f"({', '.join(_argument(option, value or None) for option, value in taken)})"
    elif given:
        behind = MARK.sub(lambda one: _replaced(one, options), options)
    return f"{ticks}{shown}{ticks}{behind}"


def _argument(option: str, value: str | None = None) -> str:
    """Such as ``fold=`` or ``fold="labels"``."""
    if option in ARGUMENTS and option not in _settings():
        argument = ARGUMENTS[option]
        name, _, known = argument.partition("=")
        return argument if known or value is None else f"{name}={_quoted(value)}"
    name, field = _settings()[option]
    if field.annotation is bool:
        return f"{name}=True" if value is None else f"{name}=True {value}"
    if value is None:
        return f"{name}="
    is_number = not _choices(field) and _reads_as_number(value)
    return f"{name}={value if is_number else _quoted(value)}"


def _quoted(value: str) -> str:
    plain = value[1:-1] if value[:1] in ("'", '"') else value
    return f'"{plain}"'


def _is_value(option: str, value: str) -> bool:
    """Whether the word behind an option is its value, and no word of the sentence."""
    if value[0] in "'\"" or value in VALUES.get(option, ()):
        return True
    if option not in _settings():
        return False
    field = _settings()[option][1]
    if field.annotation is bool:
        return False
    return value in _choices(field) or bool(re.search(r"[=@%\d]", value))


def _reads_as_number(value: str) -> bool:
    return re.fullmatch(r"-?\d+(?:\.\d+)?", value) is not None


def _choices(field: FieldInfo) -> set[str]:
    """The texts that a setting lists."""
    found: set[str] = set()
    waiting: list[Any] = [field.annotation]
    while waiting:
        for one in get_args(waiting.pop()):
            if isinstance(one, str):
                found.add(one)
            else:
                waiting.append(one)
    return found


@cache
def _settings() -> dict[str, tuple[str, FieldInfo]]:
    """Every setting by its option: its name in Python, and its field."""
    from consensus.config import BudgetConfig, RunConfig

    found = {}
    for name, field in (BudgetConfig.model_fields | RunConfig.model_fields).items():
        mark = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        found[str(mark.get("option") or name).replace("_", "-")] = (name, field)
    return found
