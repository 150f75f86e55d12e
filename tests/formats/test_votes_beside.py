"""Votes of models that an export holds beside its judgments: they count, unless others are named, or none."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from consensus import check, fit, plan_budget, read, read_model_votes
from consensus.errors import FormatError
from consensus.formats import platforms
from consensus.formats.platforms import records
from consensus.formats.platforms.records import Judged, Table
from consensus.formats.platforms.seam import Head
from consensus.formats.tables.blocks import Reading
from consensus.formats.tables.roles import Roles
from consensus.formats.tables.text_form import TextForm
from tests.conftest import Run

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Write = Callable[[str, str | bytes], Path]


class Made:
    """A platform whose rows are judgments, or votes of models: ``who`` begins with "m"."""

    NAME, TITLE = "made", "made-up export"

    def sniff(self, head: Head, /) -> bool:
        """By its header."""
        return head.columns[:1] == ["thing"]

    def read(self, path: Path, roles: Roles, form: TextForm, /) -> Reading:
        """All rows, twice."""
        del roles, form

        def judged(is_model: bool) -> list[Judged]:
            names = {"item": "thing", "model" if is_model else "worker": "who", "label": "what"}
            rows = [row for row in Table.of(path).rows() if row.cells["who"].startswith("m") == is_model]
            return [Judged(row.line, {role: row.cells[name] or None for role, name in names.items()}) for row in rows]

        table = Table.of(path)
        list(table.rows())
        votes = records.reading(
            path, judged(True), ("item", "model", "label"), digest=table.digest, platform=self.TITLE
        )
        columns = {"item": "thing", "worker": "who", "label": "what"}
        opened = records.reading(
            path,
            judged(False),
            tuple(columns),
            digest=table.digest,
            platform=self.TITLE,
            columns=columns,
            header=table.names,
        )
        return replace(opened, votes=votes)


@pytest.fixture
def export(write: Write, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An export with votes of two models."""
    monkeypatch.setattr(platforms, "PLATFORMS", (Made(),))
    people = [f"i{i},w{w},{'x' if (i + w) % 3 else 'y'}" for i in range(12) for w in range(3)]
    models = [f"i{i},m{m},{'x' if (i + m) % 4 else 'y'}" for i in range(12) for m in range(2)]
    return write("export.csv", "\n".join(["thing,who,what", *people, *models, "i0,m2,", ""]))


def test_they_count_as_if_they_were_named(export: Path, write: Write) -> None:
    found = read(export)
    assert (found.n_judgments, found.n_workers) == (36, 3)
    assert found.model_votes is not None
    assert (found.model_votes.n_votes, found.model_votes.models) == (24, ("m0", "m1", "m2"))
    assert (found.model_votes.tally.abstained, found.model_votes.sources) == (1, ())
    rows = [line for line in export.read_text().splitlines() if ",m" in line]
    named = read_model_votes(write("votes.csv", "\n".join(["item,model,label", *rows, ""])))
    pd.testing.assert_frame_equal(fit(found).labels, fit(found, model_votes=named).labels)
    assert fit(found).labels["n_model_votes"].tolist() == [2] * 12
    assert fit(found, model="majority_vote").labels["n_model_votes"].tolist() == [0] * 12
    assert check(export).model.name == "dawid_skene"
    assert len(plan_budget(found, votes=(2,), targets=(0.9,)))


def test_those_of_several_exports_are_one_table(export: Path, write: Write) -> None:
    header, *rows = export.read_text().splitlines()
    halves = [write(f"{n}.csv", "\n".join([header, *rows[n::2], ""])) for n in range(2)]
    found, whole = read(halves).model_votes, read(export).model_votes
    assert found is not None
    assert whole is not None
    assert (found.n_votes, set(found.models)) == (24, set(whole.models))


def test_without_a_label_there_are_none(export: Path) -> None:
    assert read(export, abstain=["x", "y"]).model_votes is None


def test_a_row_that_is_no_vote_is_told(export: Path) -> None:
    export.write_text(export.read_text() + ",m0,x\n")
    votes = read(export).model_votes
    assert votes is not None
    assert [(one.line, one.reason) for one in votes.rejects] == [(63, "the item is missing")]


@pytest.mark.parametrize(
    ("options", "n_votes"),
    [
        ((), 2),
        (("--model-votes", "none"), 0),
        (("--model-votes", "votes.csv"), 1),
        (("--model", "majority_vote"), 0),
    ],
    ids=["own", "none", "others", "majority"],
)
def test_a_run_is_made_again_as_it_was(
    export: Path, options: tuple[str, ...], n_votes: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(export.parent)
    Path("votes.csv").write_text("item,model,label\n" + "".join(f"i{i},n,x\n" for i in range(12)))
    ran = run("run", export, "--output", "out", *options)
    assert ran.status == 0, ran.err
    labels = pd.read_csv("out/labels.csv")
    assert labels["n_model_votes"].tolist() == [n_votes] * 12
    told = run("explain", "out", "i3", "--json")
    assert told.status == 0, told.err
    confidence = labels.set_index("item")["confidence"]["i3"]
    assert np.isclose(float(told.out.partition('"confidence": ')[2].split(",")[0]), confidence)


def test_none_beside_no_judgments_is_a_file(run: Run, write: Write) -> None:
    ran = run("run", "--model-votes", "none", "--output", write("x", "").parent / "out")
    assert (ran.status, FormatError("none: no such file").args[0] in ran.err) == (1, True)
