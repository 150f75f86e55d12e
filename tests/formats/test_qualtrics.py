"""Exports of Qualtrics: below the header the texts of the questions, which may span lines, and the ImportIds."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from consensus import read

Write = Callable[[str, str | bytes], Path]


class TestQualtrics:
    HEAD = ("StartDate", "worker", "item", "label")
    TEXTS = ("Start Date", "Who are you?", "Which picture,\nthat is?", 'What is "it"?')
    IDS = ('{"ImportId":"startDate","timeZone":"America/Denver"}', *(f'{{"ImportId":"QID{n}"}}' for n in range(3)))
    ROWS = (("2024-01-02 03:04:05", "w", "i", "a"), ("2024-01-02 03:04:06", "v", "i", "b"), ("", "u", "i"))

    def table(self, *rows: Sequence[str], delimiter: str = ",") -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
        return text.getvalue()

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    @pytest.mark.parametrize("delimiter", [",", "\t"])
    def test_are_passed_over(self, delimiter: str, encoding: str, write: Write) -> None:
        name = "q.csv" if delimiter == "," else "q.tsv"
        content = self.table(self.HEAD, self.TEXTS, self.IDS, *self.ROWS, delimiter=delimiter)
        found = read(write(name, content.encode(encoding)), timestamp="StartDate")
        assert (found.n_judgments, found.n_items, found.labels) == (2, 1, ("a", "b"))
        assert [(one.line, one.reason) for one in found.rejects] == [(7, "too few fields: 3 instead of 4")]
        note = (
            f"{name}: a row of question texts and one of ImportIds below the header, as Qualtrics writes them, passed"
        )
        assert [one for one in found.notes if "Qualtrics" in one] == [f"{note} over"]
        assert found.timestamp is not None
        assert not np.isnat(found.timestamp).any()

    def test_texts_may_be_left_out(self, write: Write) -> None:
        found = read(write("q.csv", self.table(self.HEAD, self.IDS, *self.ROWS)))
        assert (found.n_judgments, found.rejects[0].line) == (2, 5)
        assert "q.csv: a row of ImportIds below the header, as Qualtrics writes them, passed over" in found.notes

    def test_nothing_else_looks_like_it(self, write: Write) -> None:
        odd = ("", "x", "j", '{"ImportId":"a"}')
        found = read(write("q.csv", self.table(self.HEAD, self.ROWS[0], odd, ("", "", "", ""))))
        assert '{"ImportId":"a"}' in found.labels
        late = read(write("r.csv", self.table(self.HEAD, *self.ROWS[:2], self.IDS)))
        assert late.n_judgments == 3
        assert not [one for one in (*found.notes, *late.notes) if "Qualtrics" in one]
