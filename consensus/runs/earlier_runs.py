"""Runs beside others: one that was saved made again, two compared, one scored against truth, one as the earlier one."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consensus import evaluation
from consensus.errors import ConfigError, ConsensusError, ConsensusWarning
from consensus.evaluation import Scores
from consensus.formats import given, labels_table, read_gold, read_previous
from consensus.found.given_result import fitted
from consensus.found.result import Consensus, framed
from consensus.inputs import item_columns, shown
from consensus.inputs.counted import counted
from consensus.inputs.gold import Gold
from consensus.report import differences
from consensus.runs import finished
from consensus.runs.whole_run import Run

if TYPE_CHECKING:
    import pandas as pd

    from consensus.inputs.earlier_run import Previous
    from consensus.report.differences import Cause


def load(folder: Path | str) -> Run:
    """Make the run of an output folder again, from the inputs that it names: the same settings, the same bits.

    Parameters
    ----------
    folder
        Written by ``Run.save`` or by ``consensus run``. Its input files must be where they were, and unchanged; tables
        that ``consensus.run`` was given in memory were saved with it, but for an earlier run.

    Raises
    ------
    OutputError
        It is no such folder, an input is gone or has changed, or it was in no file and no table.

    Examples
    --------
    >>> consensus.run("judgments.csv").save("out", overwrite=True, report=False)
    >>> consensus.load("out").labels["label"].tolist()[:3]
    ['cat', 'dog', 'cat']
    """
    return Run(
        finished.inputs_of(given.path(folder, "folder", "give the folder that run.save wrote"), side_inputs=True)
    )


def diff(old: Run | Path | str, new: Run | Path | str) -> pd.DataFrame:
    """What is different between two runs: labels that flipped first, with whose judgments did it.

    Parameters
    ----------
    old, new
        Runs, or their output folders.

    Returns
    -------
    pandas.DataFrame
        item, change ("label", "status", "judgments", "new", "gone"), label_before, label, status_before, status,
        n_judgments_before, n_judgments, by (what speaks for the new label, and by how much it changed the odds;
        missing where nothing shows it). No rows where nothing is different.

    Raises
    ------
    ConfigError
        One is neither a run nor a path.
    FormatError
        A folder can't be read.

    Examples
    --------
    >>> before = consensus.run(judgments)
    >>> after = consensus.run(judgments, gold={"img0": "dog"})
    >>> consensus.diff(before, after)[["item", "change", "label_before", "label"]].head(1)
       item change label_before label
    0  img0  label          cat   dog
    """
    sides = [_side(one, name) for one, name in ((old, "old"), (new, "new"))]
    made = framed(differences.table(*map(_previous, sides)))
    flips = made[made["change"] == "label"].dropna(subset=["label_before", "label"])
    flipped = list(zip(flips["item"], flips["label_before"], flips["label"], strict=True))
    found: dict[str, list[Cause]] = {}
    if flipped:
        then, now = map(_result, sides)
        found = {} if now is None else differences.causes(flipped, now, then)
    made["by"] = [differences.in_words(found.get(item, [])) or None for item in made["item"]]
    return made


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation(Scores):
    """How good labels are (see ``Scores``), and for which labels they were taken.

    Examples
    --------
    >>> found = consensus.evaluate({"img0": "cat", "img1": "cat"}, {"img0": "cat", "img1": "dog"})
    >>> found.n_items, found.accuracy
    (2, 0.5)
    """

    confusion: pd.DataFrame | None = None
    """One row a true label and label: true_label, label, count, share."""

    def __repr__(self) -> str:
        figures = ", ".join(f"{name} {value}" for name, value in self._figures())
        return shown.line("Evaluation", f"{counted(self.n_items, 'item')}: {figures}")

    def _repr_html_(self) -> str:
        return shown.card("Evaluation", [("items", self.n_items), *self._figures()])

    def _figures(self) -> list[tuple[str, str]]:
        known = (("log loss", self.log_loss), ("Brier score", self.brier), ("calibration error", self.ece))
        right = f"{self.accuracy:.1%} [{self.accuracy_low:.1%} to {self.accuracy_high:.1%}]"
        return [("accuracy", right), *((name, f"{value:.3f}") for name, value in known if value is not None)]


def evaluate(labels: Any, truth: Any) -> Evaluation:
    """Score labels against truth: accuracy, log loss, Brier score, calibration error, confusion.

    Parameters
    ----------
    labels
        A run, or a fit; the folder of a run, or its labels or posteriors as a file; a data frame of item and label (and
        confidence), or of item and a column of probabilities a label; or labels by item.
    truth
        The true labels of items, as gold is given: a path, a data frame, ``{"img7": "cat"}``, a list of records.

    Raises
    ------
    FormatError
        One can't be read.
    JudgmentError
        No item has both a label and a truth, or a probability is none.

    Examples
    --------
    >>> consensus.evaluate(consensus.run(judgments), truth={"img0": "cat", "img1": "dog"}).accuracy
    1.0
    """
    table, label_set, beside = _scored(labels)
    known = truth if isinstance(truth, Gold) else read_gold(given.table(truth, given.TRUTH))
    scores, confusion = evaluation.evaluate(table, known, label_set, beside)
    return Evaluation(**{one.name: getattr(scores, one.name) for one in fields(Scores)}, confusion=confusion)


def _scored(labels: Any) -> tuple[pd.DataFrame, tuple[str, ...] | None, pd.DataFrame | None]:
    """Labels or posteriors as a table, all labels that could have been given, and what items count for; where known."""
    import pandas as pd

    if isinstance(labels, (Run, Consensus)):
        result = fitted(labels)
        table = result.posteriors if result.identified else result.labels
        sources = result.labels.set_index("item")["source"]
        judgments = result.judgments
        beside = framed({"item": judgments.item_ids, **item_columns.of(judgments, slice(0, judgments.n_items))})
        return table.assign(source=table["item"].map(sources)), judgments.labels, beside
    source = given.table(labels, given.LABELS)
    if isinstance(source, (str, Path)):
        path = Path(source)
        return labels_table.read_scored(path), labels_table.label_set_of(path), labels_table.counted_by(path)
    try:
        table = source.to_pandas() if hasattr(source, "to_pandas") else pd.DataFrame(source)
    except (TypeError, ValueError):
        raise given.refusal(labels, given.LABELS) from None
    if "item" not in table.columns:
        raise ConfigError(f"labels: there is no item column; the columns are: {', '.join(map(str, table.columns))}")
    return table.assign(item=table["item"].astype(str)), None, None


def _side(one: Any, name: str) -> Run | Path:
    if isinstance(one, Run):
        return one
    if not isinstance(one, (str, Path)):
        raise ConfigError(f"{name}: {given.told(one)} is no run; give what consensus.run returns, or its folder")
    return Path(one)


def _previous(side: Run | Path) -> Previous:
    return side.as_previous() if isinstance(side, Run) else read_previous(side)


def _result(side: Run | Path) -> Consensus | None:
    """The fit of a run; None, with a warning why, where its inputs are not what they were."""
    if isinstance(side, Run):
        return side.result
    try:
        return Run(finished.inputs_of(side)).result
    except ConsensusError as error:
        warnings.warn(f"nothing shows what its judgments did: {error}", ConsensusWarning, stacklevel=3)
        return None
