"""Options of the settings, made from the settings' own fields, so that each is described once.

A command is a plain function. Two kinds of its parameters stand for several options:

- a bundle, such as ``given: Given`` (a dataclass), for one a field;
- ``chosen: Annotated["RunConfig", Takes("ReadConfig", "threads")]`` for one a setting. It receives the settings of
  ``--config``, overruled by the options that were given. The option has the name of the field, unless the field is
  marked with an ``option``.
"""

import csv
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from consensus.cli import help_text, options
from consensus.errors import EXIT_CODES

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from consensus.config.settings_base import Settings

Body = Callable[..., None]
BODIES: dict[str, Body] = {}
"""The function of each command, by its name behind those of its group."""
STDIN = Path("-")
"""Names standard input where a file is read."""
EVERYTHING = "consensus.everything"
"""Whether a help text tells everything, in the ``meta`` of a context."""


class Takes:
    """Settings that a command takes: classes of ``consensus.config`` and single fields, less those of ``but``.

    All of them are names, so that the settings are imported only by a command that is called. They are fields of
    ``of``, and that is what the command receives.
    """

    def __init__(self, *names: str, but: tuple[str, ...] = (), of: str = "RunConfig") -> None:
        self.names, self.but, self.of = names, but, of

    def kind(self) -> type["Settings"]:
        """The class that the command receives."""
        from consensus import config

        found: type[Settings] = getattr(config, self.of)
        return found

    def fields(self) -> dict[str, "FieldInfo"]:
        """The settings, group by group."""
        from consensus import config

        known = self.kind().model_fields
        taken = {
            one for name in self.names for one in ([name] if name in known else getattr(config, name).model_fields)
        }
        place = {group: n for n, group in enumerate(config.GROUPS)}
        classes = (*self.kind().__mro__[1:], self.kind())  # as they stand there, those of a class together
        each = dict.fromkeys(name for one in classes for name in getattr(one, "model_fields", ()))
        ordered = sorted(each, key=lambda name: place.get(_marked(known[name], "group"), len(place)))
        return {name: known[name] for name in ordered if name in taken and name not in self.but}


class Commands(TyperGroup):
    """All commands."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write what each command does, to the end of its sentence."""
        rows = [(name, help_text.summary(self.commands[name])) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer calls it so
        """Write how commands exit."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), about.removesuffix(".")) for code, about in EXIT_CODES.items()])

    def get_help_option(self, ctx: Any) -> Any:
        """The option ``--help``: not given is false, since Typer would import half of pydantic to make None a flag."""
        option: Any = super().get_help_option(ctx)
        option.default = False
        return option


class Command(TyperCommand):
    """A command whose options are made when it is called for, and whose help has headings and examples."""

    key: str
    """Its name in ``BODIES``."""
    hints: Mapping[str, help_text.Hint]
    files: set[str]
    """Names of the parameters that are files or folders."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """What the ``args`` say."""
        self.complete()
        return super().make_context(info_name, self._renamed(args), parent, **extra)

    def complete(self) -> None:
        """Make the options."""
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        body = BODIES[self.key]
        typed = signed(body)
        alone.command(self.name)(typed)
        made = get_command(alone)
        self.files = {one.name for one in inspect.signature(typed).parameters.values() if _is_file(one.annotation)}
        self.params, self.callback, self.hints = made.params, made.callback, hints(body)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse files without a name, as a variable of the shell that is not set: Path makes them the folder."""
        values, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        for one in self.params:
            given = values.get(str(one.name))
            if one.name in self.files and "" in (given if isinstance(given, (list, tuple)) else [given]):
                raise typer.BadParameter(f"a name is empty: that of {help_text.named(one)}", ctx)
        return super().parse_args(ctx, args)

    def _renamed(self, args: list[str]) -> list[str]:
        """The same ``args`` with options by the names that they have now; a line on stderr tells of each other one."""
        from consensus.config import RENAMED

        former = {_dashed(old): _dashed(new) for old, new in {**RENAMED, **options.RENAMED}.items()}
        known = {name for one in self.params for name in one.opts}
        found = []
        is_quiet = bool({"-q", "--quiet"} & set(args))
        for n, one in enumerate(args):
            old, is_one, value = one.partition("=")
            new = former.get(old)
            if one in options.NEEDLESS and "--raw-cells" in known and "--" not in args[:n]:
                if not is_quiet:
                    typer.echo(f"note: {options.NEEDLESS[one]}", err=True)
                continue
            if args[n - 1 : n] == ["--"] or "--" in args[:n] or new is None or old in known or new not in known:
                found.append(one)
                continue
            if not is_quiet:
                typer.echo(f"note: {old} is now called {new}", err=True)
            found.append(f"{new}{is_one}{value}")
        return found

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What stands behind the name in the line of usage."""
        arguments = (one for one in self.get_params(ctx) if one.param_type_name == "argument")
        return ["[OPTIONS]", *map(help_text.argument, arguments)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options under their headings."""
        help_text.write_options(self, ctx, formatter, self.hints, everything=ctx.meta.get(EVERYTHING, False))

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer calls it so
        """Write the examples."""
        help_text.write_examples(self.key, formatter)


def _help_all(ctx: typer.Context, wanted: bool) -> None:
    if wanted:
        ctx.meta[EVERYTHING] = True
        typer.echo(ctx.get_help())
        raise typer.Exit


HelpAll = Annotated[
    bool,
    typer.Option("--help-all", callback=_help_all, is_eager=True, help="Print everything about every option."),
]


def add(app: typer.Typer, name: str, body: Body, group: str = "") -> None:
    """Give ``app`` a command; where it is a ``group`` of commands itself, that is its name."""
    key = f"{group} {name}".strip()
    BODIES[key] = body
    app.command(name, cls=type("Command", (Command,), {"key": key}), help=body.__doc__)(lambda: None)


def signed(body: Body) -> Body:
    """The function that Typer calls for ``body``, with a parameter for every option."""
    parameters = list(inspect.signature(body).parameters.values())
    parts = {parameter.name: list(_parts(parameter)) for parameter in parameters}

    def command(**values: Any) -> None:
        if "judgments" in values and not values["judgments"] and not (values.get("model_votes") or values.get("state")):
            raise typer.BadParameter("give files of judgments, or of model votes with --model-votes")
        _refuse_two_of_stdin(values)
        received: dict[str, Any] = {}
        for parameter in parameters:
            own = {part.name: values[part.name] for part in parts[parameter.name]}
            takes = _takes(parameter)
            if takes is not None:
                received[parameter.name] = settings(takes.kind(), own, values.get("config"), quiet=values.get("quiet"))
            elif isinstance(parameter.annotation, type) and is_dataclass(parameter.annotation):
                received[parameter.name] = parameter.annotation(**own)
            else:
                received |= own
        body(**received)

    every = [part for of_one in parts.values() for part in of_one]
    every.append(_keyword("help_all", HelpAll, False))
    command.__annotations__ = {part.name: part.annotation for part in every}
    command.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]  # read by inspect.signature
    return command


def _refuse_two_of_stdin(values: Mapping[str, Any]) -> None:
    """Refuse to read standard input for several things: what the first reads, the next lacks."""
    read = {name: value for name, value in values.items() if name not in {"output", "summary"}}
    named = [
        name for name, value in read.items() for one in (value if isinstance(value, list) else [value]) if one == STDIN
    ]
    if len(named) > 1:
        raise typer.BadParameter(
            f"- is standard input, which can be read once, and {named[0]} and {named[1]} both name it; name a file for "
            "one of them"
        )


def settings(
    kind: type["Settings"], given: Mapping[str, Any], file: Path | None, *, quiet: bool | None = False
) -> "Settings":
    """Settings of a ``kind``: those in the ``file`` of ``--config``, overruled by the options that were ``given``.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range.
    """
    found = {name: value for name, value in given.items() if value not in (None, [])}
    for name, value in found.items():
        if isinstance(value, str) and _marked(kind.model_fields[name], "csv"):
            found[name] = tuple(next(csv.reader([value], skipinitialspace=True)))
    with warnings.catch_warnings(record=True) as renamed:
        warnings.simplefilter("always", FutureWarning)
        from_file = {} if file is None else kind.from_toml(file)
        chosen = kind.of(None, **(from_file | found))
    for one in () if quiet else renamed:
        typer.echo(f"note: {file}: {one.message}", err=True)
    return chosen


def _takes(parameter: inspect.Parameter) -> Takes | None:
    marks = get_args(parameter.annotation)[1:] if get_origin(parameter.annotation) is Annotated else ()
    return next((mark for mark in marks if isinstance(mark, Takes)), None)


def _parts(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    """The options that a parameter stands for."""
    takes = _takes(parameter)
    if takes is not None:
        for name, field in takes.fields().items():
            yield _keyword(name, _option(name, field), None)
    elif is_dataclass(parameter.annotation):
        for one in fields(parameter.annotation):
            yield _keyword(one.name, one.type, one.default)
    else:
        yield _keyword(parameter.name, parameter.annotation, parameter.default)


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _option(name: str, field: "FieldInfo") -> Any:
    """The option of a setting. It is None where it is not given, so that a settings file may set it."""
    kinds = [kind for kind in _united(field.annotation) if kind is not NoneType]
    repeated = get_origin(kinds[0]) is tuple and not _marked(field, "csv")
    of_one_kind = len(kinds) == 1 and kinds[0] in (bool, int, float, Path)
    known = kinds[0] if of_one_kind else str  # others are text that the settings understand
    choices = get_args(kinds[0]) if get_origin(kinds[0]) is Literal else ()
    value = "|".join(choices) or {int: "NUMBER", float: "NUMBER", Path: "FILE"}.get(kinds[0], "NAME")
    return Annotated[
        (list[str] if repeated else known) | None,
        typer.Option(
            _dashed(_marked(field, "option") or name),
            help=field.description,
            metavar=None if known is bool else _marked(field, "metavar") or value,
            rich_help_panel=_marked(field, "group"),
        ),
    ]


def _dashed(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def hints(body: Body) -> dict[str, help_text.Hint]:
    """What is known of the options of a command beside their texts, by name of the parameter."""
    found = {name: help_text.Hint(is_rare=True) for name in options.RARE}
    for parameter in inspect.signature(body).parameters.values():
        takes = _takes(parameter)
        for name, field in ({} if takes is None else takes.fields()).items():
            default = "" if field.default in (None, (), False) else _short(field.default)
            found[name] = help_text.Hint(bool(_marked(field, "rare")), _bounds(field), default)
    return found


def _united(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _is_file(annotation: Any) -> bool:
    """Whether it is of a file, or of several."""
    return any(Path in (one, *get_args(one)) for one in _united(get_args(annotation)[0]))


def _marked(field: "FieldInfo", mark: str) -> Any:
    """What a field says of itself: its ``group``, its name as an ``option``, or that it is one line of ``csv``."""
    return field.json_schema_extra.get(mark) if isinstance(field.json_schema_extra, dict) else None


def _bounds(field: "FieldInfo") -> str:
    """Such as ``0 < x < 1``, or nothing where there are none."""
    low, high = "", ""
    for rule in field.metadata:
        for name, sign in (("gt", "<"), ("ge", "<=")):
            low = f"{_short(getattr(rule, name))} {sign} " if hasattr(rule, name) else low
        for name, sign in (("lt", "<"), ("le", "<=")):
            high = f" {sign} {_short(getattr(rule, name))}" if hasattr(rule, name) else high
    if low and not high:  # x stands first where there is one bound
        bound, sign = low.split()
        return f"x {sign.replace('<', '>')} {bound}"
    return f"{low}x{high}" if high else ""


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
