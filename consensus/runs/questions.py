"""Several questions in one source: a run of each by itself, and what all of them come to."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.config import ReadConfig, RunConfig
from consensus.errors import ConfigError, JudgmentError
from consensus.formats import export_questions, given, questions, sources
from consensus.inputs.judgments import listed
from consensus.inputs.understood import quoted
from consensus.runs.listening import SILENT
from consensus.runs.run_inputs import Inputs, SideInputs
from consensus.runs.whole_run import Run

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from consensus.formats.export_questions import Asked
    from consensus.runs.listening import Listener

LONGEST = 60  # characters of the name of a folder
RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)")
"""Names that Windows takes for devices."""
ACCEPTED = ("accepted", "unaudited")


class Questions(Mapping[str, Run]):
    """The runs of several questions, by the name of each: made when they are asked for, and kept.

    Examples
    --------
    >>> found = consensus.run_by(judgments.assign(topic="animal"), "topic")
    >>> found["animal"].labels.shape[0]
    12
    """

    def __init__(
        self,
        config: RunConfig,
        judgments: Any,
        counts: Mapping[str, int],
        listener: Listener = SILENT,
        *,
        exports: Asked | None = None,
        **others: Any,
    ) -> None:
        self.config: RunConfig = config
        self.counts: dict[str, int] = {name: n for name, n in counts.items() if name}
        """Rows, or answers, of each question."""
        self.exports: Asked | None = exports
        """What exports ask, where the questions are theirs."""
        self.without: int = counts.get("", 0)
        """Rows without a question, which are in no run."""
        self.folders: dict[str, str] = folders_of(list(self.counts))
        """The name of the folder of each question."""
        self._judgments = judgments
        self._listener = listener
        self._others = {name: one for name, one in others.items() if one is not None}
        self._covered: dict[str, set[str]] = {
            name: self._covers(name) for name in ("gold", "model_votes") if name in self._others
        }
        self._kept: dict[str, Run] = {}

    def __getitem__(self, question: str) -> Run:
        """The run of one question."""
        if question not in self.counts:
            raise KeyError(f'no question "{question}"; there are {listed(list(self.counts))}')
        if question not in self._kept:
            self._kept[question] = self.made(question)
        return self._kept[question]

    def __iter__(self) -> Iterator[str]:
        return iter(self.counts)

    def __len__(self) -> int:
        return len(self.counts)

    def __repr__(self) -> str:
        return f"Questions({listed(list(self.counts))})"

    def made(self, question: str) -> Run:
        """The run of one question, made anew and not kept.

        Raises
        ------
        ConsensusError
            Its judgments can't be used.
        """
        config = self.config.of(self.config, only=question)
        given = {name: one for name, one in self._others.items() if question in self._covered.get(name, {question})}
        beside = given.pop("beside", None) or SideInputs.read(config)
        try:
            inputs = Inputs.read(config, self._judgments, beside=beside, listener=self._listener, **given)
        except JudgmentError as error:
            way_out = ""
            if self.config.by is not None:
                leave = shlex.join(("--drop", f"{self.config.by}={question}"))
                way_out = f"; or leave it out with {leave}"
            raise JudgmentError(f"question {quoted(question)}: {error}{way_out}").about(error) from None
        return Run(inputs, listener=self._listener)

    @property
    def table(self) -> pd.DataFrame:
        """One row a question: items, workers, labels, judgments, accepted, escalated, mean confidence, its folder."""
        import pandas as pd

        return pd.DataFrame([in_short(name, self.folders[name], self[name]) for name in self])

    @property
    def workers(self) -> pd.DataFrame:
        """One row a worker and question: judgments, accuracy, verdict."""
        import pandas as pd

        return pd.DataFrame([one for name in self for one in of_workers(name, self[name])])

    def save(self, folder: Path | str, *, overwrite: bool = False, **output: Any) -> None:
        """Write a folder for each question into one, as ``consensus run --by`` does; ``output`` is as in ``Run.save``.

        Raises
        ------
        ConfigError
            An argument is unknown or out of range.
        OutputError
            The folder exists (and ``overwrite`` is not set), or can't be written.
        """
        from consensus.runs import question_folders
        from consensus.runs.folder import Output

        how = replace(Output.of(**output), overwrite=overwrite)
        real = question_folders.check(given.path(folder, "folder", "name one to write"), overwrite=overwrite)
        question_folders.write(self, real, how, self._listener, kept=True)

    def _covers(self, name: str) -> set[str]:
        """The questions that gold or votes speak of."""
        source = self._others[name]
        found = questions.covered(source, self.config.by, self.counts)
        if not found:
            what = name.replace("_", " ")
            column = f'a column "{self.config.by}", or ' if self.config.by is not None else ""
            raise ConfigError(
                f"{what} of several questions: it does not say which question it is about; give it {column}columns "
                f"that are called like the questions ({listed(list(self.counts))}), or do one question with --only"
            )
        return found


def run_by(
    judgments: Any,
    by: str | None = None,
    *,
    model_votes: Any = None,
    gold: Any = None,
    **settings: Any,
) -> Questions:
    """Do the whole job for each of several questions by itself, as ``consensus run --by`` does.

    Parameters
    ----------
    judgments
        Paths or tables, as ``read`` takes them; what can be read only once is not among them.
    by
        The column that tells the question of a judgment, or "question" for all that platforms' exports ask; or none,
        with ``wide="questions"`` or ``questions=...``, where each question has a column.
    model_votes, gold
        Paths or tables with the same column, or with a column for each question.
    **settings
        Fields of ``RunConfig``, such as ``target=0.99``.

    Returns
    -------
    Questions
        The run of each question by its name, made when they are asked for; ``table`` and ``workers`` are about all
        of them, and ``save`` writes them.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range, or nothing tells the questions apart.
    FormatError
        Something can't be read.

    Examples
    --------
    >>> consensus.run_by(judgments.assign(topic="animal"), "topic").table["question"].tolist()
    ['animal']
    """
    config = RunConfig.of(None, **settings, **({} if by is None else {"by": by}))
    judgments = given.readable(judgments, given.JUDGMENTS, none=False)
    gold, model_votes = given.readable(gold, given.GOLD), given.readable(model_votes, given.MODEL_VOTES)
    return several(config, judgments, model_votes=model_votes, gold=gold)


def several(config: RunConfig, judgments: Any, listener: Listener = SILENT, **others: Any) -> Questions:
    """The questions of ``judgments``; ``others`` are what ``Inputs.read`` takes besides.

    Raises
    ------
    ConfigError
        Nothing tells them apart, there is none, or an earlier run is named.
    FormatError
        The judgments can't be read.
    """
    if not config.are_several:
        raise ConfigError("nothing tells questions apart; name their column with by, or their columns with questions")
    if config.previous is not None:
        raise ConfigError("previous: an earlier run is of one question; do one with --only")
    given = {name: getattr(config, name) for name in ReadConfig.model_fields if name in config.model_fields_set}
    settings = ReadConfig.of(None, **given)
    of_exports = export_questions.are_meant(judgments, settings)
    exports = export_questions.asked(judgments, settings) if of_exports else None
    counts = questions.asked(judgments, settings) if exports is None else exports.counts
    if not any(counts):
        raise ConfigError("there is no question; see whether the right column was named with --by")
    return Questions(config, judgments, counts, listener, exports=exports, **others)


@contextmanager
def opened(source: Any) -> Iterator[Any]:
    """A source that can be read several times while this is open, even if it is standard input."""
    with sources.opened(source) as found:
        yield source if found is None else found


def folders_of(names: list[str]) -> dict[str, str]:
    """A name of a folder for each question, which all systems take; no two differ by case alone."""
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^\w.-]+", "_", name).strip("._")[:LONGEST].rstrip(".") or "question"
        plain = f"{plain}_" if RESERVED.match(plain) else plain
        one, n = plain, 1
        while one.casefold() in {other.casefold() for other in found.values()}:
            n += 1
            one = f"{plain}-{n}"
        found[name] = one
    return found


def in_short(question: str, folder: str, found: Run) -> dict[str, Any]:
    """A question in numbers."""
    counts = found.summary["counts"]
    known = found.result.confidence[np.isfinite(found.result.confidence)]
    return {
        "question": question,
        "folder": folder,
        "items": counts["items"],
        "workers": counts["workers"],
        "labels": counts["labels"],
        "judgments": counts["judgments"],
        "accepted": sum(counts["status"].get(name, 0) for name in ACCEPTED),
        "escalated": sum(counts["status"].get(name, 0) for name in ("escalate", "needs_expert")),
        "gold": counts["status"].get("gold", 0),
        "mean_confidence": float(known.mean()) if len(known) else None,
        "expected_error": found.summary["quality"]["expected_error"],
        "warnings": len(found.warnings),
    }


def of_workers(question: str, found: Run) -> list[dict[str, Any]]:
    """The people of a question."""
    table = found.workers
    people = table[table["kind"] == "human"]
    wanted = ["worker", "n_judgments", "accuracy", "verdict"]
    rows = people[wanted].astype(object).to_dict("records")
    return [{"question": question, **{str(k): None if v != v else v for k, v in one.items()}} for one in rows]
