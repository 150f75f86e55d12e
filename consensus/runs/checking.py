"""A dry run: what was understood of judgments, what to beware of, what a run takes, and the command line for it."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consensus import memory
from consensus.backends import Threads
from consensus.config import FitConfig, RunConfig
from consensus.inputs import understood
from consensus.inputs.counted import counted
from consensus.models import diagnostics, time_needs
from consensus.models.base import chosen
from consensus.report import charts, words
from consensus.runs.listening import SILENT
from consensus.runs.run_inputs import judged

if TYPE_CHECKING:
    from consensus.found.cautions import Caution
    from consensus.inputs.judgments import Judgments
    from consensus.models.choice import Choice
    from consensus.models.memory_needs import Needs
    from consensus.models.time_needs import Seconds
    from consensus.runs.listening import Listener

    Options = dict[str, list[str | None]]

FROM_WORDS = r"--(?:fold|time-format) (?:\"[^\"]*\"|'[^']*'|[^\s;)]*[^\s;,.)])"
"""Options that the words of a caution or a note name, with a value."""
REPEATED = ("--abstain", "--anonymous", "--drop")
"""Options that may be given several times."""
LISTS = ("--fold",)
"""Options whose value is a list."""
ABOUT_A_RESULT = {"items_without_judgments"}  # cautions about labels, of which there are none yet
COMPILING = 20.0  # seconds that the loops take to be compiled, once on a machine


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """What a dry run found.

    Examples
    --------
    >>> consensus.check("judgments.csv").command
    'consensus run judgments.csv'
    """

    judgments: Judgments
    warnings: tuple[Caution, ...]
    """What to beware of."""
    command: str | None
    """The command line that is recommended; None where the judgments are no files."""
    model: Choice
    """What would find the labels."""
    memory: Needs
    """Bytes that a run needs."""
    reading: float
    """Seconds that reading took."""
    seconds: Seconds
    """About how long the rest of a run takes."""
    compiling: float = 0.0
    """Seconds that compiling the loops takes besides, where that was never done on this machine."""

    def as_json(self) -> dict[str, Any]:
        """The same as numbers and texts."""
        read, seconds = self.judgments, self.seconds
        return {
            "rows": asdict(read.tally),
            "judgments": read.n_judgments,
            "items": read.n_items,
            "workers": read.n_workers,
            "labels": read.n_labels,
            "understood": {
                "columns": [column._asdict() for column in read.understood],
                "unused": list(read.unused),
                **({} if read.reading is None else understood.written(read.reading)),
                **({} if read.time_format is None else {"time_format": read.time_format}),
            },
            "notes": list(read.notes),
            "warnings": [asdict(one) for one in self.warnings],
            "model": self.model.name,
            "model_because": self.model.because,
            "memory": {**asdict(self.memory), "peak": self.memory.peak},
            "passes": seconds.passes,
            "seconds": {
                "reading": self.reading,
                "pass": seconds.a_pass,
                "tables": seconds.tables,
                "compiling": self.compiling,
                "total": self._total,
            },
            "command": self.command,
        }

    def lines(self) -> list[str]:
        """The same in words."""
        read, need, seconds = self.judgments, self.memory, self.seconds
        columns = [understood.line(read.understood, read.unused)] if read.understood else []
        compiling = f", compiling once {self.compiling:.0f} s" if self.compiling else ""
        return [
            words.balance(asdict(read.tally)),
            f"{words.crowd({'items': read.n_items, 'workers': read.n_workers, 'labels': read.n_labels})}, "
            f"{read.n_judgments / max(read.n_items, 1):.2f} judgments an item",
            *columns,
            *read.notes,
            f"model: {words.model(self.model.name, self.model.because)}",
            f"memory: about {memory.told(need.peak)} at the most (reading {memory.told(need.reading)}, fitting "
            f"{memory.told(need.fitting)}, tables {memory.told(need.tables)})",
            f"time: about {self._total:.0f} s (reading {self.reading:.1f} s, {seconds.passes} passes of "
            f"{seconds.a_pass:.3f} s, tables {seconds.tables:.1f} s{compiling})",
            *(words.warning(one) for one in self.warnings),
            *([] if self.command is None else [f"run it with: {self.command}"]),
        ]

    @property
    def _total(self) -> float:
        return self.reading + self.seconds.total + self.compiling

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return f"Check({self.judgments!r}, {counted(len(self.warnings), 'warning')})"


def check(judgments: Any, *, listener: Listener = SILENT, **settings: Any) -> Check:
    """Read judgments and tell what was understood of them, what to beware of, and what a run would take.

    Nothing is fitted and nothing is written: it takes as long as reading.

    Parameters
    ----------
    judgments
        What ``read`` takes.
    listener
        Is told the stages.
    **settings
        Fields of ``RunConfig``, such as ``item="unit"``.

    Returns
    -------
    Check
        ``print`` shows it in words; ``as_json()`` has the numbers, ``warnings`` what to beware of, ``command`` the
        command line that is recommended.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range.
    FormatError
        The judgments can't be read.
    JudgmentError
        They can't be used as they are.

    Examples
    --------
    >>> found = consensus.check("judgments.csv")
    >>> found.judgments.n_items
    12
    """
    from consensus.kernels import are_compiled
    from consensus.models import memory_needs
    from consensus.models.readings import most_states

    config = RunConfig.of(None, **settings)
    begin = time.perf_counter()
    read = judged(judgments, config, listener)
    reading = time.perf_counter() - begin
    fit = FitConfig.of(None, **config.part(FitConfig))
    if fit.labels is not None:
        read = read.with_labels(fit.labels)
    both, votes = (read, None) if read.model_votes is None else read.model_votes.align(read, fit.labels)
    model = chosen(read, votes, fit)
    n_states = most_states(read.n_labels) if model.name == "average" else 0
    warnings = tuple(one for one in diagnostics.of_judgments(read) if one.code not in ABOUT_A_RESULT)
    return Check(
        read,
        warnings,
        recommended(judgments, config, [read], warnings),
        model,
        memory_needs.of(both, votes, report=charts.are_there(), n_states=n_states, gold=read.gold is not None),
        reading,
        time_needs.of(read, model.name, fit, Threads(fit.threads).n_threads),
        0.0 if are_compiled() else COMPILING,
    )


def recommended(source: Any, config: RunConfig, read: Sequence[Judgments], warnings: Sequence[Caution]) -> str | None:
    """The command line for a run: what the user gave, and the options that are named by what reading noticed.

    Of several questions, each was ``read`` by itself.
    """
    paths = [source] if isinstance(source, (str, Path)) else source
    if not (isinstance(paths, Sequence) and paths and all(isinstance(one, (str, Path)) for one in paths)):
        return None
    given = _given(config)
    for notice in (one for judgments in read for one in judgments.cautions):
        for option, value in zip(notice.options[::2], notice.options[1::2], strict=True):
            _put(given, option, value)
    notes = (note for judgments in read for note in judgments.notes)
    for words_said in (*(warning.message for warning in warnings), *notes):
        for option in re.findall(FROM_WORDS, words_said):
            _put(given, *shlex.split(option))
    words_of = [(option, value) for option, values in given.items() for value in values]
    options = [word for option, value in words_of for word in _typed(option, value)]
    return " ".join(map(_in_a_shell, ["consensus", "run", *map(str, paths), *options]))


def _in_a_shell(word: str) -> str:
    """A word as it is typed in a shell; what can't be seen as a code, as bash understands it."""
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(_code(one) if not one.isprintable() or one in "'\\" else one for one in word) + "'"


def _code(character: str) -> str:
    return f"\\U{ord(character):08x}" if ord(character) > 0xFFFF else f"\\u{ord(character):04x}"


def _typed(option: str, value: str | None) -> tuple[str, ...]:
    """The words of an option; a value that would look like an option is joined to it."""
    if value is None:
        return (option,)
    return (f"{option}={value}",) if value.startswith("-") else (option, value)


def _put(given: Options, option: str, value: str) -> None:
    """Add a value to an option that may be repeated, else let it take the place of that which was given."""
    known = given.get(option, []) if option in REPEATED or option in LISTS else []
    if option in LISTS:
        each = [part for one in (*known, value) for part in str(one).split(",")]
        given[option] = [",".join(dict.fromkeys(each))]
    else:
        given[option] = list(dict.fromkeys([*known, value]))


def _given(config: RunConfig) -> Options:
    """The settings that the user gave, as options; a flag has the value None."""
    found: Options = {}
    for name, field in RunConfig.model_fields.items():
        value = getattr(config, name)
        if name not in config.model_fields_set or value is None or value is False or value == ():
            continue
        mark = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        option = f"--{str(mark.get('option') or name).replace('_', '-')}"
        if value is True:
            found[option] = [None]
        elif isinstance(value, tuple):
            found[option] = [",".join(map(_csv, value))] if mark.get("csv") else list(map(str, value))
        else:
            found[option] = [str(value)]
    return found


def _csv(text: str) -> str:
    """A text as a cell of CSV."""
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\n]', text) else text
