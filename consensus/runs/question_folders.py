"""Writing what several questions come to: a folder for each in one folder, with a summary and a page over all."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from consensus.formats import writing
from consensus.report import page, questions_page
from consensus.runs import folder
from consensus.runs.questions import in_short, of_workers
from consensus.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from consensus.runs.folder import Output
    from consensus.runs.listening import Listener
    from consensus.runs.questions import Questions

OVER_ALL = frozenset({"summary.json", page.FILE})


def check(out: Path, *, overwrite: bool, inputs: Iterable[Path] = ()) -> Path:
    """Refuse, before any work is done, a folder that could not be written in the end; return its real path.

    It may exist with ``overwrite``, if it holds nothing but what a run of one or of several questions wrote.

    Raises
    ------
    OutputError
        As for the folder of one run.
    """
    ours = folder.OF_A_RUN | {name for name in _folders_in(out) if _is_of_a_run(out / name)}
    return folder.check(out, overwrite=overwrite, ours=ours, inputs=inputs)


def write(
    asked: Questions, out: Path, output: Output, listener: Listener, *, kept: bool = False
) -> list[dict[str, Any]]:
    """Run each question and write it into a folder in ``out``, which ``check`` returned; a row about each is returned.

    Parameters
    ----------
    asked
        The questions.
    out
        The folder of all.
    output
        What is written of each, and whether there are pages.
    listener
        Is told the stages.
    kept
        Keep what is found of each.

    Raises
    ------
    OutputError
        Something can't be written; then ``out`` is as it was.
    """
    rows: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    provenance: dict[str, Any] = {}
    with folder.whole(out, overwrite=output.overwrite) as real:
        for n, name in enumerate(asked, 1):
            listener.stage(f"question {n:,} of {len(asked):,}: {name}")
            found = asked[name] if kept else asked.made(name)
            folder.write(found, real / asked.folders[name], output, listener)
            rows.append(in_short(name, asked.folders[name], found))
            people += of_workers(name, found)
            provenance = provenance or found.summary["provenance"]
        told = summary(asked, rows, people, provenance)
        if output.report:
            writing.write_bytes(questions_page.made(told, output.page).encode(), real / page.FILE)
        text = json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False)
        writing.write_bytes(f"{text}\n".encode(), real / "summary.json")
    return rows


def summary(
    asked: Questions, rows: list[dict[str, Any]], people: list[dict[str, Any]], provenance: dict[str, Any]
) -> dict[str, Any]:
    """What all questions come to: their rows, each worker over all of them, and what was read."""
    workers: dict[str, dict[str, Any]] = {}
    for one in people:
        known = workers.setdefault(one["worker"], {"worker": one["worker"], "n_judgments": 0, "questions": {}})
        known["n_judgments"] += one["n_judgments"]
        known["questions"][one["question"]] = {name: one[name] for name in ("n_judgments", "accuracy", "verdict")}
    return {
        "provenance": {"consensus": VERSION, "judgments": provenance.get("judgments", [])},
        "by": asked.config.by,
        "rows": {"read": sum(asked.counts.values()) + asked.without, "without_question": asked.without},
        "questions": rows,
        **({} if asked.exports is None or not asked.exports.left else {"not_run": dict(asked.exports.left)}),
        "workers": [workers[name] for name in sorted(workers, key=str.encode)],
    }


def _folders_in(out: Path) -> list[str]:
    """The folders of questions that an older output names."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads((out / "summary.json").read_text(encoding="utf-8"))
        return [str(one["folder"]) for one in told["questions"]]
    return []


def _is_of_a_run(path: Path) -> bool:
    """Whether a folder holds nothing but what a run wrote."""
    return path.is_dir() and {one.name for one in path.iterdir()} <= folder.OF_A_RUN
