"""``consensus.run``: the whole job, and what comes of it as tables, page and folder."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import explanation
from consensus.config import RunConfig
from consensus.errors import ConfigError
from consensus.formats import given
from consensus.inputs import shown
from consensus.inputs.counted import counted
from consensus.inputs.earlier_run import Previous
from consensus.report import page as run_page
from consensus.report.page_options import PageOptions
from consensus.report.shown_page import Page
from consensus.report.summary import summary
from consensus.runs import folder as out_folder
from consensus.runs import kept_inputs, tables
from consensus.runs.fitting import warn
from consensus.runs.parts import Parts
from consensus.runs.run_inputs import Inputs, SideInputs

if TYPE_CHECKING:
    import pandas as pd

    from consensus.explanation import Explanation
    from consensus.found.result import Consensus
    from consensus.report.plots import Plots


def run(
    judgments: Any,
    *,
    model_votes: Any = None,
    gold: Any = None,
    costs: Any = None,
    workers: Any = None,
    previous: Any = None,
    **settings: Any,
) -> Run:
    """Do the whole job, as ``consensus run`` does: merge, look for copies, audit workers, list what to escalate.

    Parameters
    ----------
    judgments, model_votes, gold, costs, workers, previous
        Paths, tables, or what ``read``, ``read_model_votes``, ``read_gold``, ``read_costs``, ``read_workers`` and
        ``read_previous`` return. With model votes there may be no judgments (None).
    **settings
        Fields of ``RunConfig``: those of ``FitConfig``, ``EscalateConfig``, ``AuditConfig`` and ``ReadConfig``, and
        ``collusion``; such as ``target=0.99``.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range.
    FormatError
        Something can't be read.
    JudgmentError
        The judgments can't be used, or something does not fit them.

    Examples
    --------
    >>> run = consensus.run(judgments, gold={"img0": "cat"}, target=0.9)
    >>> run.labels["status"].tolist()[0]
    'gold'
    """
    costs, workers = given.readable(costs, given.COSTS), given.readable(workers, given.WORKERS)
    config, beside = _settled(settings, costs=costs, workers=workers, previous=previous)
    judgments = given.readable(judgments, given.JUDGMENTS, none=model_votes is not None)
    gold, model_votes = given.readable(gold, given.GOLD), given.readable(model_votes, given.MODEL_VOTES)
    inputs = Inputs.read(config, judgments, model_votes=model_votes, gold=gold, beside=beside)
    all_given = {"judgments": judgments, "model_votes": model_votes, "gold": gold, "costs": costs, "workers": workers}
    found = Run(replace(inputs, tables=kept_inputs.tables_of(**all_given)))
    warn(found.warnings)  # the fit, the plan and the audit: what can go wrong goes wrong here, not at the first table
    return found


def _settled(settings: dict[str, Any], **files: Any) -> tuple[RunConfig, SideInputs]:
    """The settings, with those of the costs, workers and earlier run that are files; and all of these, read."""
    named = {name: Path(source) for name, source in files.items() if isinstance(source, (str, Path))}
    config = RunConfig.of(None, **settings, **named)
    return config, SideInputs.read(config, **files)


class Run(Parts):
    """What a run finds in its inputs. Each part is made when it is first asked for, and kept.

    Examples
    --------
    >>> run = consensus.run(judgments)
    >>> run.labels[["item", "label", "status"]].shape
    (12, 3)
    >>> run.explain("img0").label
    'cat'
    """

    @classmethod
    def of(
        cls, result: Consensus, *, costs: Any = None, workers: Any = None, previous: Any = None, **settings: Any
    ) -> Run:
        """What follows from a ``result`` that was fitted elsewhere; the rest as in ``run``.

        Raises
        ------
        ConfigError
            A setting is unknown or out of range, or one of the fit that is not the result's own.
        """
        fitted = result.config.model_dump()
        config, beside = _settled({**fitted, **settings}, costs=costs, workers=workers, previous=previous)
        for name in fitted:
            own = {getattr(result.config, name), *([result.model] if name == "model" else [])}
            if getattr(config, name) not in own:
                raise ConfigError(f"setting {name}: the result was fitted with another one; fit again, or leave it out")
        last = None if beside.previous is None else beside.previous.among(result.judgments)
        inputs = Inputs(config, result.judgments, costs=beside.costs, pool=beside.pool, previous=last)
        return cls(inputs, result=result)

    def __len__(self) -> int:
        return len(self.result)

    def __repr__(self) -> str:
        counts = ", ".join(f"{n:,} {name}" for name, n in self.summary["counts"]["status"].items())
        facts = f"{self.result.model}: {counted(self.result.judgments.n_items, 'item')}, {counts}"
        return shown.line("Run", facts, self.result.judgments.tally, [one.code for one in self.warnings])

    def _repr_html_(self) -> str:
        counts = self.summary["counts"]
        sizes = [(name, counts[name]) for name in ("judgments", "items", "workers", "labels", "gold_items")]
        rows = [("model", self.result.model), *sizes, *counts["status"].items()]
        return shown.card("Run", rows, map(str, self.warnings))

    def to_pandas(self) -> pd.DataFrame:
        """The ``labels``: one row an item, with its status."""
        return self.labels

    def as_previous(self) -> Previous:
        """What it says of the items, as an earlier run of another one."""
        labels, waiting = self.labels, self.plan
        asked = waiting.columns(self.result, slice(None))
        return Previous.of(
            labels["item"].tolist(),
            [label if isinstance(label, str) else None for label in labels["label"]],
            labels["status"].tolist(),
            labels["n_judgments"].to_numpy(np.int64),
            asked["item"].to_pylist(),  # type: ignore[union-attr]  # ids are texts of Arrow
            np.asarray(asked["judgments_needed"], np.float64),
            self.outlook.correction,
        )

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The content of summary.json."""
        _ = self.plan  # so that its stages are told before the next one
        self._listener.stage("summary of the items")
        return summary(self)

    @property
    def labels(self) -> pd.DataFrame:
        """One row an item, with its ``status``, as in labels.csv."""
        return self.table("labels")

    @property
    def workers(self) -> pd.DataFrame:
        """One row a worker, as in workers.csv."""
        return self.table("workers")

    @property
    def confusions(self) -> pd.DataFrame:
        """One row for each worker, true label and label given, as in confusions.csv."""
        return self.table("confusions")

    @property
    def escalations(self) -> pd.DataFrame:
        """What to ask for next, as in escalations.csv."""
        return self.table("escalations")

    @property
    def posteriors(self) -> pd.DataFrame:
        """One row an item, with the probability of each label in a column of its name."""
        return self.table("posteriors")

    @property
    def models(self) -> pd.DataFrame:
        """What is known of each model, as in models.csv; no rows without model votes."""
        return self._if_any("models")

    @property
    def drift(self) -> pd.DataFrame:
        """One row a worker, and one for everyone: the change over time; no rows where nothing tells the order."""
        return self._if_any("drift")

    @property
    def gold_health(self) -> pd.DataFrame:
        """One row a gold item that was judged: whether it may be wrong, too easy or leaked; no rows without gold."""
        return self._if_any("gold_health")

    @property
    def copying(self) -> pd.DataFrame:
        """One row a pair of workers who judge too much alike; no rows where none do, or nobody looked."""
        return self._if_any("copying")

    @property
    def plot(self) -> Plots:
        """Charts by the settings of this run, such as ``run.plot.workers()``; they need the extra ``report``."""
        from consensus.report.plots import Plots

        return Plots(self.result, self.rule, self.audit.config)

    def explain(self, item: str) -> Explanation:
        """Why an item has its label: what each judgment, model and the prior say, and which of them decide it.

        Raises
        ------
        ConfigError
            Nobody judged such an item.
        """
        return explanation.of_item(self.result, item)

    def report(self, *, title: str | None = None, item_url: str | None = None) -> Page:
        """The page of the run, as report.html; a notebook shows it, and ``.save(path)`` writes it.

        Parameters
        ----------
        title
            Of the page, instead of how much there is.
        item_url
            Address of an item in the tool where people judge, with ``{item}`` for its id.

        Raises
        ------
        ConfigError
            ``item_url`` is no such address.
        OutputError
            The extra ``report`` is not installed.
        """
        options = PageOptions(title, item_url)
        return Page(run_page.made(self, self._listener.stage, options).decode())

    def table(self, name: str) -> pd.DataFrame:
        """A table by the name of its file, such as "confusions" (``runs.tables`` has all of them).

        Raises
        ------
        ConfigError
            There is no such table, or what it needs is not there.
        """
        return tables.made(tables.named_table(name), self)

    def audited(self, name: str) -> pd.DataFrame:
        """A table by the name that ``consensus audit --table`` knows, such as "labels" (``runs.tables.AUDITED``).

        Raises
        ------
        ConfigError
            There is no such table, or what it needs is not there.
        """
        if name not in tables.AUDITED:
            raise ConfigError(f'there is no table "{name}"; there are {", ".join(tables.AUDITED)}')
        return tables.made(tables.AUDITED[name], self)

    def _if_any(self, name: str) -> pd.DataFrame:
        """A table by its name; its columns without a row where a run writes no such file."""
        table = tables.named_table(name)
        return tables.made(table, self) if table.when is not None and table.when(self) else tables.without_rows(table)

    def save(
        self,
        folder: Path | str,
        *,
        overwrite: bool = False,
        format: str = "csv",
        report: bool | None = None,
        posteriors: bool = False,
        raw_cells: bool = False,
        **page: Any,
    ) -> None:
        """Write the output folder, as ``consensus run`` does; ``consensus.load`` makes the run of it again.

        Parameters
        ----------
        folder
            To write. Tables that were given in memory are written beside the results, to be read again.
        overwrite
            Replace an older output.
        format
            Of the tables: "csv", "parquet" or "jsonl".
        report
            Also write report.html; by default if its libraries are installed (the extra ``report``).
        posteriors
            Also write the table of posteriors.
        raw_cells
            Leave text that a spreadsheet would take for a formula as it is; else ``'`` stands before it in CSV.
        **page
            ``title`` and ``item_url`` of the page, as in ``report``.

        Raises
        ------
        ConfigError
            An argument is none of these, or out of range.
        OutputError
            The folder exists (and ``overwrite`` is not set), or can't be written.
        """
        output = out_folder.Output.of(format=format, report=report, posteriors=posteriors, raw_cells=raw_cells, **page)
        named = given.path(folder, "folder", "name one to write")
        output = replace(output, overwrite=overwrite)
        out_folder.write(self, out_folder.check(named, overwrite=overwrite), output, self._listener)
