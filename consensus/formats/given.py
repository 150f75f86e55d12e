"""What a Python caller gives in place of a file: made into columns, or refused with the name of the argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fsencode
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError, FormatError
from consensus.formats.recorded import Recorded
from consensus.formats.sources import Opened
from consensus.inputs.decision_costs import Costs
from consensus.inputs.gold import Gold
from consensus.inputs.judgments import Judgments
from consensus.inputs.model_votes import ModelVotes
from consensus.inputs.worker_pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable

    Columns = dict[str, list[Any]]


LONGEST = 255  # bytes of the name of a file


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument that takes tables."""

    name: str
    takes: str
    """What it takes besides paths, data frames, mappings of columns and lists of records."""
    pairs: Callable[[Mapping[Any, Any]], Columns | None] = lambda _: None
    """The columns of a mapping that is none of columns; None if it can't be read so."""
    keys: tuple[str, ...] = ()
    """A mapping whose values are lists is one of columns if it has one of these keys, or there are none."""


def table(source: Any, argument: Argument) -> Any:
    """A ``source`` as its reader takes it: paths, open files and data frames as they are; others as columns.

    Raises
    ------
    FormatError
        It is none of these.
    """
    if isinstance(source, Mapping):
        return _columns(source, argument)
    for one in source if isinstance(source, (list, tuple)) else (source,):
        _refuse_content(one, argument)
    if _is_file(source) or isinstance(source, (Opened, Recorded)) or hasattr(source, "__arrow_c_stream__"):
        if hasattr(source, "to_frame"):  # a series
            raise refusal(source, argument)
        return source
    if isinstance(source, Sequence) and source and all(map(_is_file, source)):
        return source
    if isinstance(source, Sequence) and source and all(isinstance(one, Mapping) for one in source):
        names = list(dict.fromkeys(str(name) for one in source for name in one))
        rows = [{str(name): value for name, value in one.items()} for one in source]
        return {name: [one.get(name) for one in rows] for name in names}
    raise refusal(source, argument)


def readable(source: Any, argument: Argument, *, none: bool | None = None) -> Any:
    """The same of what may be left out (not so with ``none`` false), or was read before.

    Raises
    ------
    FormatError
        It is none of these.
    """
    if (source is None and none is not False) or isinstance(source, (Judgments, Gold, ModelVotes, Costs, Pool)):
        return source
    return table(source, argument)


def refusal(source: Any, argument: Argument) -> FormatError:
    """That an argument takes no such thing."""
    return FormatError(
        f"{argument.name}: {told(source)} can't be read; give a path, a data frame, a mapping of columns, a list of "
        f"records, or {argument.takes}"
    )


def path(one: Any, name: str, way_out: str) -> Path:
    """The path that an argument ``name`` is.

    Raises
    ------
    ConfigError
        It is none.
    """
    if not isinstance(one, (str, PathLike)):
        raise ConfigError(f"{name}: {told(one)} is no path; {way_out}")
    return Path(one)


def _refuse_content(one: object, argument: Argument) -> None:
    """Refuse a text that can't be the name of a file: none at all, or what a file holds."""
    if not isinstance(one, str):
        return
    if not one.strip():
        raise FormatError(f"{argument.name}: an empty text is no path; name a file")
    if (
        "\n" in one
        or "\0" in one
        or not _is_name(one)
        or any(len(part.encode(errors="replace")) > LONGEST for part in one.split("/"))
    ):
        raise FormatError(f"{argument.name}: this text is no path; give io.StringIO(text) if it is what a file holds")


def _is_name(one: str) -> bool:
    """Whether the system could call a file so: half of a pair of surrogates has no bytes."""
    try:
        fsencode(one)
    except UnicodeEncodeError:
        return False
    return True


def told(given: object) -> str:
    """What something is, in words: None, a number, the name of its kind."""
    if given is None:
        return "None"
    if isinstance(given, (bool, int, float)):
        return f"{given!r}"
    if isinstance(given, (list, tuple, dict)) and not given:
        return f"an empty {type(given).__name__}"
    if isinstance(given, (list, tuple)):
        return f"a {type(given).__name__} of {type(given[0]).__name__}"
    name = type(given).__name__
    return f"{'an' if name[0] in 'AEIOaeio' else 'a'} {name}"


def _is_file(one: object) -> bool:
    return isinstance(one, (str, Path)) or (callable(getattr(one, "read", None)) and not hasattr(one, "columns"))


def _columns(source: Mapping[Any, Any], argument: Argument) -> Mapping[Any, Any]:
    """A mapping as one of columns."""
    if not source:
        raise refusal(source, argument)
    known = {str(name).casefold() for name in source}
    if all(map(_is_column, source.values())) and (not argument.keys or known.intersection(argument.keys)):
        return source
    found = argument.pairs(source)
    return source if found is None else found


def _is_column(value: object) -> bool:
    if isinstance(value, (str, bytes, Mapping)) or getattr(value, "ndim", 1) == 0:  # an array of no axis is a value
        return False
    return hasattr(value, "__iter__")


def labels_of_items(source: Mapping[Any, Any]) -> Columns | None:
    """``{"img7": "cat", "img8": ["cat", "lynx"]}`` as columns."""
    found: Columns = {"item": [], "label": []}
    for item, given in source.items():
        if isinstance(given, Mapping):
            return None
        for label in given if _is_column(given) else [given]:
            found["item"].append(item)
            found["label"].append(label)
    return found


def costs_of_labels(source: Mapping[Any, Any]) -> Columns | None:
    """``{("cat", "dog"): 5}``, true and decided label, or ``{"cat": {"dog": 5}}``, as columns."""
    flat: dict[Any, Any] = {}
    for true, costs in source.items():
        of_one = costs.items() if isinstance(costs, Mapping) else ()
        flat |= {(true, decided): cost for decided, cost in of_one} or {true: costs}
    if not all(isinstance(pair, tuple) and len(pair) == 2 for pair in flat):
        return None
    return {
        "true": [true for true, _ in flat],
        "decided": [decided for _, decided in flat],
        "cost": list(flat.values()),
    }


def facts_of_workers(source: Mapping[Any, Any]) -> Columns | None:
    """``{"w1": {"price": 0.05, "available": 3}}`` as columns."""
    if not all(isinstance(facts, Mapping) for facts in source.values()):
        return None
    names = list(dict.fromkeys(name for facts in source.values() for name in facts))
    return {"worker": list(source), **{name: [facts.get(name) for facts in source.values()] for name in names}}


def votes_of_models(source: Mapping[Any, Any]) -> Columns | None:
    """``{"gpt": {"img7": "cat"}}`` as columns."""
    if not all(isinstance(votes, Mapping) for votes in source.values()):
        return None
    return {
        "model": [model for model, votes in source.items() for _ in votes],
        "item": [item for votes in source.values() for item in votes],
        "label": [label for votes in source.values() for label in votes.values()],
    }


ITEMS = ("item", "item_id", "task", "task_id", "unit", "unit_id", "question", "label", "gold", "truth")
"""A mapping with one of these names and lists is a table, not accepted labels of an item that is called so."""
JUDGMENTS = Argument("judgments", "what consensus.read returns")
GOLD = Argument(
    "gold", 'labels by item such as {"img7": "cat"}, or what consensus.read_gold returns', labels_of_items, ITEMS
)
TRUTH = Argument(
    "truth", 'labels by item such as {"img7": "cat"}, or what consensus.read_gold returns', labels_of_items, ITEMS
)
LABELS = Argument("labels", 'labels by item such as {"img7": "cat"}, or a run', labels_of_items, ITEMS)
MODEL_VOTES = Argument(
    "model_votes",
    'labels by model and item such as {"gpt": {"img7": "cat"}}, or what consensus.read_model_votes returns',
    votes_of_models,
)
COSTS = Argument(
    "costs",
    'costs by true and decided label such as {("cat", "dog"): 5}, or what consensus.read_costs returns',
    costs_of_labels,
)
WORKERS = Argument(
    "workers",
    'facts by worker such as {"w1": {"price": 0.05}}, or what consensus.read_workers returns',
    facts_of_workers,
)
PREVIOUS = Argument("previous", "a run, or what consensus.read_previous returns")
