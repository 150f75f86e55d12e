"""What is read of each example of a platform is what plain pandas and json count in it."""

import pytest

from consensus.formats import platforms
from tests import naive_platforms
from tests.naive_platforms import EXAMPLES, EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_example_holds_what_plain_code_counts(name: str) -> None:
    found = naive_platforms.read(EXAMPLES / name)
    assert found == EXPECTED[name]()
    assert 18 <= found.rows <= 70
    assert found.rows == found.used + found.abstains + found.rejected + (found.model_votes if not found.used else 0)


def test_all_examples_are_counted() -> None:
    assert {*EXPECTED} == {path.name for path in EXAMPLES.iterdir()}
    assert {platform.NAME for platform in platforms.PLATFORMS} <= {path.stem for path in EXAMPLES.iterdir()}


def test_table_tells_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    table = naive_platforms.markdown()
    assert len(table.splitlines()) == 2 + len(EXPECTED)
    assert "plain" not in table
    assert "| mturk.csv | 28 | 25 | 7 | 5 | 3 | 0 | 1 | 2 | 0 |" in table
    monkeypatch.setitem(EXPECTED, "mturk.csv", EXPECTED["lewidi.json"])
    assert "| mturk.csv | 28 (plain: 33) |" in naive_platforms.markdown()
