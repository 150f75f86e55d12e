"""The help of a command: options under their headings, one line each, and examples.

``--help`` tells the first sentence of each option, and only names those that few need. ``--help-all`` tells everything.
"""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consensus.cli.examples import EXAMPLES
from consensus.cli.options import GROUPS, OUTPUT

WIDTH = 100
"""Columns that a help text takes at most."""
LEFT = 34
"""Columns for an option and what its value is; a longer one stands on a line of its own."""
OTHERS = "Options"
"""Heading of what has no group."""
GENERAL = ("help", "help_all")
"""Options of every command; they are told last, in one line."""
FIRST = re.compile(r".*?\.(?= |$)")


@dataclass(frozen=True)
class Hint:
    """What is known of an option beside its text."""

    is_rare: bool = False
    """Few need it."""
    bounds: str = ""
    """Such as ``0 < x < 1``."""
    default: str = ""
    """In words; empty where its text tells, or it is none."""


NO_HINT = Hint()


def write_options(command: Any, ctx: Any, formatter: Any, hints: Mapping[str, Hint], *, everything: bool) -> None:
    """Write the options of a ``command`` under their headings."""
    groups = by_heading(command.get_params(ctx))
    shown = {
        heading: [one for one in of_it if everything or not hints.get(one.name, NO_HINT).is_rare]
        for heading, of_it in groups.items()
    }
    general = "--help, --help-all"
    width = max(len(text) for text in (general, *(left(one) for of_it in shown.values() for one in of_it)))
    width = min(width, LEFT)
    for heading, of_it in groups.items():
        rows = [
            (left(one), (in_full if everything else in_short)(one, hints.get(one.name, NO_HINT)))
            for one in shown[heading]
        ]
        if heading == OUTPUT:
            rows.append((general, "Print this text; everything about every option"))
        with formatter.section(heading):
            formatter.write_dl([(f"{name:{width}}", text) for name, text in rows], LEFT)
            rare = [f"--{name_of(one)}" for one in of_it if one not in shown[heading]]
            if rare:
                formatter.write(_wrapped(f"also, in --help-all: {', '.join(rare)}", formatter.width))


def summary(command: Any) -> str:
    """What a ``command`` does: the first paragraph of its help."""
    return " ".join(str(command.help).split("\n\n")[0].split())


def write_examples(name: str, formatter: Any) -> None:
    """Write the examples of the command of this ``name``."""
    with formatter.section("Examples"):
        for example in EXAMPLES[name]:
            formatter.write(f"  {example}\n")


def by_heading(parameters: Sequence[Any]) -> dict[str, list[Any]]:
    """What a command takes, under its headings in their order, less what every command takes."""
    found: dict[str, list[Any]] = {OTHERS: [], **{group: [] for group in GROUPS}}
    for one in parameters:
        if one.name not in GENERAL:
            found[one.rich_help_panel or OTHERS].append(one)
    return {heading: of_it for heading, of_it in found.items() if of_it}


def left(one: Any) -> str:
    """Such as ``-o, --output FILE``."""
    if one.param_type_name == "argument":
        return argument(one)
    names = sorted(one.opts, key=len)
    if one.secondary_opts:
        return f"{names[-1]} / {one.secondary_opts[0]}"
    return ", ".join(names) + ("" if one.is_flag else f" {one.metavar}")


def argument(one: Any) -> str:
    """How an argument stands in the line of usage, such as ``[JUDGMENTS]...``."""
    name = str(one.metavar) if one.required else f"[{one.metavar}]"
    return f"{name}..." if one.nargs == -1 else name


def named(one: Any) -> str:
    """What a parameter is called in messages: ``--gold``, ``JUDGMENTS``."""
    return str(one.metavar) if one.param_type_name == "argument" else max(one.opts, key=len)


def name_of(one: Any) -> str:
    """Of an option, without dashes."""
    return str(max(one.opts, key=len).removeprefix("--"))


def in_short(one: Any, hint: Hint) -> str:
    """The first sentence about an option, and its default."""
    first = FIRST.match(one.help)
    text = (first[0] if first else one.help).removesuffix(".")
    return f"{text} [{_default(one, hint)}]" if _default(one, hint) else text


def in_full(one: Any, hint: Hint) -> str:
    """Everything about an option."""
    several = "may be repeated" if getattr(one, "multiple", False) else ""
    default = _default(one, hint)
    told = "; ".join(part for part in (hint.bounds, several, default and f"default: {default}") if part)
    return f"{one.help} [{told}]" if told else str(one.help)


def _wrapped(text: str, width: int) -> str:
    """Indented lines that break no name at a hyphen."""
    return f"{textwrap.fill(text, width, initial_indent='  ', subsequent_indent='  ', break_on_hyphens=False)}\n"


def _default(one: Any, hint: Hint) -> str:
    if hint.default:
        return hint.default
    return "" if one.default in (None, False, True, "", 0, ()) or one.required else str(one.default)
