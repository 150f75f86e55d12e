"""The questions of platforms' exports: which there are, and the settings that read one of them."""

from __future__ import annotations

import shlex
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError, FormatError
from consensus.formats import platforms, sources
from consensus.formats.opening import readings
from consensus.formats.platforms.questions import CLOSED, SeveralQuestionsError
from consensus.formats.recorded import Recorded
from consensus.formats.tables.by_column import as_text
from consensus.formats.tables.roles import NAMED_ONLY, Roles, listed
from consensus.formats.tables.text_form import TextForm
from consensus.inputs.counted import counted
from consensus.inputs.understood import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consensus.config import ReadConfig

BY = "question"
"""What ``by`` names to mean the questions of exports, whose columns have other names."""
LEFT_OUT = f"{BY}="
"""Begins what ``drop`` says of a question of exports."""
NOWHERE = "settings: only names one of several questions; say with --by or --questions where these are"
ADDRESS = r"^\S+@\S+\.\S+$"
ADDRESSES = "e-mail addresses"


@dataclass(frozen=True, slots=True)
class Asked:
    """What exports ask."""

    titles: tuple[str, ...]
    """What the platforms' exports are called."""
    kinds: Mapping[str, str]
    """Kind by name of the question, in the order of the exports; "" where the export does not tell."""
    counts: Mapping[str, int]
    """How many answers those have that can be run: they come from a list, and the user does not leave them out."""
    dropped: tuple[str, ...]
    """Questions that the user leaves out."""

    @property
    def left(self) -> dict[str, str]:
        """Kind by name of those that are not run."""
        return {name: kind for name, kind in self.kinds.items() if name not in self.counts}

    @property
    def told(self) -> str:
        """The questions in a line, with how many answers those have that can be run."""
        each = [
            f"{name} ({self.kinds[name]}{', ' * bool(self.kinds[name])}{counted(n, 'answer')})"
            for name, n in self.counts.items()
        ]
        n = len(self.kinds)
        said = f"{' and '.join(self.titles)} of {counted(n, 'question')}: {listed(each, longest=80)}"
        dropped = [name for name in self.left if name in self.dropped]
        others = [f"{name} ({kind})" for name, kind in self.left.items() if name not in dropped]
        said += f"; not run, as --drop says: {listed(dropped)}" if dropped else ""
        return said + (f"; not run, for their answers are no labels: {listed(others, longest=80)}" if others else "")


def are_meant(source: Any, settings: ReadConfig) -> bool:
    """Whether the settings speak of questions of exports, and all files of the source are such."""
    if not (settings.by == BY or settings.is_alone) or settings.platform == platforms.NONE:
        return False
    with sources.opened(source) as found:
        if found is None:
            return isinstance(source, Recorded) and source.of_exports()
        heads = [platforms.head_of(file.path) for file in found.files]
        return settings.platform is not None or all(platforms.recognised(head) is not None for head in heads)


def settled(source: Any, settings: ReadConfig) -> ReadConfig:
    """The settings, where one question of exports is meant with its name as the label.

    Raises
    ------
    ConfigError
        A question is named, and nothing tells where questions stand; or one is named twice.
    """
    if settings.only is None:
        return settings
    if are_meant(source, settings):
        if settings.label is not None:
            raise ConfigError("only and label both name the question of an export; leave out one")
        drop = tuple(one for one in settings.drop if not one.startswith(LEFT_OUT))
        return settings.of(settings, by=None, only=None, label=settings.only, drop=drop)
    if settings.is_alone:
        raise ConfigError(NOWHERE)
    return settings


def asked(source: Any, settings: ReadConfig) -> Asked:
    """The questions of exports.

    Raises
    ------
    ConfigError
        The user named a question besides, or leaves out all.
    FormatError
        A file can't be read, or has no question with fixed answers.
    """
    if settings.label is not None:
        raise ConfigError(f"label names one question, and by {BY} is about all; leave out one")
    named = {role: getattr(settings, role) for role in ("item", "worker", *NAMED_ONLY)}
    roles = Roles({role: name for role, name in named.items() if name is not None})  # no label: all are told
    titles: dict[str, None] = {}
    kinds: dict[str, str] = {}
    with sources.opened(source) as found:
        assert found is not None
        for file in found.files:
            try:
                one = sources.Opened((file,))
                for reading in readings(one, roles, settings.platform, TextForm.of(settings), sheet=settings.sheet):
                    reading.blocks.close()
                    titles |= {reading.platform: None}
                    kinds.setdefault(reading.columns["label"], "")
            except SeveralQuestionsError as error:
                titles |= {error.title: None}
                kinds |= error.questions
    dropped = tuple(one.removeprefix(LEFT_OUT) for one in settings.drop if one.startswith(LEFT_OUT))
    counts: dict[str, int] = {}
    for name, kind in kinds.items():
        if kind in {"", *CLOSED} and name not in dropped:
            try:
                counts[name], are_addresses = _answers(source, settings, name)
            except FormatError as error:
                way_out = shlex.join(("--drop", LEFT_OUT + name))
                told = f"question {quoted(name)}: {error}; or leave it out with {way_out}"
                raise FormatError(told).about(error) from None
            if are_addresses:  # they tell who somebody is, and are run only if they are named
                kinds[name] = ADDRESSES
                del counts[name]
    if not counts:
        raise ConfigError(
            f"by {BY}: no question is left; the export asks {listed(list(kinds))}; name one with "
            "--label, or leave out fewer"
        )
    return Asked(tuple(titles), kinds, counts, dropped)


def _answers(source: Any, settings: ReadConfig, question: str) -> tuple[int, bool]:
    """How many answers to a question are not rejected, and whether most are e-mail addresses."""
    import pyarrow.compute as pc

    one = settled(source, settings.of(settings, only=question))
    named = {"item": one.item, "worker": one.worker, "label": one.label}
    n, n_addresses = 0, 0
    with closing(readings(source, Roles(named), one.platform, TextForm.of(one), sheet=one.sheet)) as each:
        for reading in each:
            for block in reading.blocks:
                labels = as_text(block.columns["label"])
                n += len(labels) - labels.null_count
                n_addresses += pc.sum(pc.match_substring_regex(labels, ADDRESS)).as_py() or 0
    return n, n_addresses * 2 > n
