"""report.html over several questions: a row for each, with a link to its page, and every worker over all of them."""

from __future__ import annotations

from typing import Any

from consensus.inputs.counted import counted
from consensus.report import guarding
from consensus.report.page_options import PageOptions
from consensus.report.rendering import asset, environment
from consensus.report.terms import CONDEMNED

COLUMNS = (
    ("items", "items", "count"),
    ("workers", "workers", "count"),
    ("labels", "labels", "count"),
    ("judgments", "judgments", "count"),
    ("accepted", "accepted", "count"),
    ("escalated", "escalated", "count"),
    ("mean_confidence", "mean confidence", "percent"),
    ("expected_error", "expected error", "percent"),
    ("warnings", "warnings", "count"),
)
MOST_WORKERS = 2_000


def made(told: dict[str, Any], options: PageOptions | None = None) -> str:
    """The page, from the summary of all questions; workers who are in question somewhere come first.

    Raises
    ------
    ImportError
        The extra ``report`` is not installed.
    """
    from markupsafe import Markup

    options = options or PageOptions()
    told, css = guarding.cleaned(told), asset("page.css")
    n_all = f"{counted(len(told['questions']), 'question')}, {counted(len(told['workers']), 'worker')}"
    workers = sorted(told["workers"], key=lambda one: (-_in_question(one), -one["n_judgments"]))
    return (
        environment()
        .get_template("questions.html")
        .render(
            told=told,
            title=guarding.cleaned(options.title) or n_all,
            subtitle=n_all if options.title else "",
            columns=COLUMNS,
            names=[one["question"] for one in told["questions"]],
            workers=workers[:MOST_WORKERS],
            left_out=max(len(workers) - MOST_WORKERS, 0),
            policy=guarding.policy(css),
            css=Markup(css),
        )
    )


def _in_question(worker: dict[str, Any]) -> int:
    """On how many questions they do badly."""
    return sum(one["verdict"] in CONDEMNED for one in worker["questions"].values())
