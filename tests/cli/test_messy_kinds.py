"""Kinds of messy judgments: each variation is told, and the command line that is recommended mends it.

What is mended holds the same judgments as the crowd that was never messy.
"""

import json
import os
import random
import shlex
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import consensus
from consensus.inputs.judgments import Judgments
from tests.conftest import Run, csv

Write = Callable[[str, str | bytes], Path]
Row = tuple[str, str, str]


def crowd(labels: tuple[str, ...] = ("yes", "no"), n_items: int = 24, per_item: int = 4) -> list[Row]:
    """Items that a few of six workers judged, most of them right."""
    rng = random.Random(len(labels))
    rows = []
    for i in range(n_items):
        truth = rng.choice(labels)
        workers = rng.sample(range(6), per_item)
        rows += [(f"Q{i:02}", f"W{w}", truth if rng.random() < 0.85 else rng.choice(labels)) for w in workers]
    return rows


def spelled(rows: list[Row], column: int, spell: Callable[[str], str]) -> list[Row]:
    """Every third row with one cell written otherwise."""
    found = [list(row) for row in rows]
    for row in found[::3]:
        row[column] = spell(row[column])
    return [(item, worker, label) for item, worker, label in found]


def mended(run: Run, path: Path, code: str, option: str) -> Judgments:
    """The judgments of a file as they are read by the recommended command, once ``code`` was told."""
    told = json.loads(run("check", path, "--json").out)
    assert code in {one["code"] for one in told["warnings"]}
    words = typed(told["command"])
    assert words[:2] == ["consensus", "run"]
    given = [one for word in words[3:] for one in (word.split("=", 1) if word.startswith("--") else [word])]
    assert option in given
    again = json.loads(run("check", *words[2:], "--json").out)
    assert code not in {one["code"] for one in again["warnings"]}
    settings: dict[str, Any] = {"abstain": (), "fold": (), "anonymous": ()}
    for name, value in zip(given[::2], given[1::2], strict=True):
        settings[name[2:]] += tuple(value.split(",")) if name == "--fold" else (value,)
    return consensus.read(path, **settings)


def typed(command: str) -> list[str]:
    """The words that a shell makes of a command."""
    script, utf8 = f"printf '%s\\0' {command}", {**os.environ, "LC_ALL": "C.UTF-8"}
    told = subprocess.run(["bash", "-c", script], capture_output=True, check=True, env=utf8)
    return told.stdout.decode().split("\0")[:-1]


def triples(judgments: Judgments) -> list[tuple[str, str, str]]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return sorted((items[i].lower(), workers[w].lower(), judgments.labels[k].lower()) for i, w, k in codes)


def as_plain(rows: list[Row]) -> list[tuple[str, str, str]]:
    return sorted((item.lower(), worker.lower(), label.lower()) for item, worker, label in rows)


@pytest.mark.parametrize(
    "text", ['""', '" "', "nan", "N/A", "{}", "-1", "?", "Unsure", "I don't know", '"\u00a0"', "..."]
)
def test_texts_for_no_answer(run: Run, write: Write, text: str) -> None:
    rows = crowd()
    path = write("j.csv", csv([(*row[:2], text if n % 5 == 0 else row[2]) for n, row in enumerate(rows)]))
    found = mended(run, path, "no_answer_texts", "--abstain")
    assert triples(found) == as_plain([row for n, row in enumerate(rows) if n % 5])
    assert found.tally.abstained == len(rows[::5])


@pytest.mark.parametrize(
    ("labels", "spell"),
    [
        (("yes", "no"), str.upper),
        (("yes", "no"), lambda text: f" {text} "),
        (("yes", "no"), lambda text: f"{text}\u00a0"),
        (("yes", "no"), lambda text: f"{text}."),
        (("caf\u00e9", "th\u00e9"), lambda text: unicodedata.normalize("NFD", text)),
        (("not spam", "is spam"), lambda text: text.replace(" ", "_")),
        (("not spam", "is spam"), lambda text: text.title().replace(" ", "-")),
        (("yes", "no"), lambda text: f"**{text}**"),
        (("yes", "no"), lambda text: f'"""{text}"""'),
        (("1", "0"), lambda text: f"{text}.0"),
        (("1", "2", "3"), lambda text: f"0{text}"),
        (("1", "2", "3"), lambda text: f"+{text}"),
    ],
)
def test_labels_that_look_alike(run: Run, write: Write, labels: tuple[str, ...], spell: Callable[[str], str]) -> None:
    rows = crowd(labels)
    found = mended(run, write("j.csv", csv(spelled(rows, 2, spell))), "look_alike_labels", "--fold")
    assert triples(found) == as_plain(rows)


@pytest.mark.parametrize("column", [0, 1], ids=["items", "workers"])
@pytest.mark.parametrize(
    "spell",
    [
        str.lower,
        lambda text: f"{text} ",
        lambda text: f"\u200b{text}",
        lambda text: f"{text}.",
        lambda text: f"\ufeff {text}",
    ],
)
def test_ids_that_look_alike(run: Run, write: Write, column: int, spell: Callable[[str], str]) -> None:
    rows = crowd()
    code = ("look_alike_items", "look_alike_workers")[column]
    found = mended(run, write("j.csv", csv(spelled(rows, column, spell))), code, "--fold")
    assert triples(found) == as_plain(rows)


@pytest.mark.parametrize("name", ["not-logged-in", "Guest", "<anonymous>", "(none)", "NULL", "Anonymous User"])
@pytest.mark.parametrize("n_each", [2, 5])
def test_people_without_a_name(run: Run, write: Write, name: str, n_each: int) -> None:
    rows = [*crowd(), *((f"Q{i:02}", name, "yes" if i % 2 else "no") for i in range(24) for _ in range(n_each))]
    told = json.loads(run("check", write("j.csv", csv(rows)), "--json").out)
    assert [one["code"] for one in told["warnings"]] == ["shared_identity"]
    assert shlex.split(told["command"])[-2:] == ["--anonymous", name]
    assert told["judgments"] == len(rows)


@pytest.mark.parametrize(
    "spell",
    [
        lambda parts: "|".join(reversed(parts)),
        lambda parts: "; ".join(reversed(parts)),
        lambda parts: '"' + ", ".join(reversed(parts)) + '"',
        lambda parts: '"' + json.dumps(parts[::-1]).replace('"', '""') + '"',
        lambda parts: "|".join([*reversed(parts), parts[0]]),
    ],
)
def test_answers_of_several_parts(write: Write, spell: Callable[[list[str]], str]) -> None:
    labels = ("billing|policy", "policy|safety", "billing|policy|safety", "other")
    rows = crowd(labels)
    messy = spelled(rows, 2, lambda text: spell(text.split("|")) if "|" in text else text)
    path = write("j.csv", csv(messy))
    told = consensus.check(path)
    assert {one.code for one in told.warnings} & {"list_labels", "look_alike_labels"}
    found = consensus.read(path, fold=("labels",))
    sets = sorted((item, worker, frozenset(parts(label))) for item, worker, label in triples(found))
    assert sets == sorted((item, worker, frozenset(label.split("|"))) for item, worker, label in as_plain(rows))


def parts(label: str) -> list[str]:
    from consensus.inputs import look_alikes

    return look_alikes.parts_of(label) or [label]
