"""Which orders of rows may be orders in time."""

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus.inputs import row_order
from consensus.inputs.judgments import Judgments
from tests import attack_crowds

LOG = attack_crowds.draw(attack_crowds.Recipe(hostile=0.0, n_labels=3, n_items=200, n_honest=20), 1).table


def unordered(table: pd.DataFrame) -> str:
    judgments = consensus.read(table)
    assert judgments.rows_guessed == (judgments.unordered == "") == (judgments.read_row is not None)
    return judgments.unordered


def by_hash(column: str) -> pd.DataFrame:
    """In an order of its own for each value, which no sorting of names gives."""
    key = pd.util.hash_array(LOG[column].to_numpy())
    return LOG.iloc[np.argsort(key, kind="stable")]


class TestGuessed:
    def test_a_log_may_be_in_order(self) -> None:
        assert unordered(LOG) == ""
        judgments = consensus.read(LOG)
        assert judgments.read_row is not None
        assert np.sort(judgments.read_row).tolist() == list(range(1, 1_001))
        assert judgments.in_order
        assert judgments.notes == ()

    @pytest.mark.parametrize("column", ["item", "worker", "label"])
    @pytest.mark.parametrize("ascending", [True, False])
    def test_sorted_tables_are_not(self, column: str, ascending: bool) -> None:
        assert unordered(LOG.sort_values(column, ascending=ascending)) == f"rows are sorted by {column}"

    @pytest.mark.parametrize("column", ["item", "worker"])
    def test_nor_are_those_in_groups(self, column: str) -> None:
        assert unordered(by_hash(column)) == f"rows are sorted by {column}"

    def test_nor_are_those_hit_by_hit(self) -> None:
        """Workers take turns within ten items; the HITs come in no order of their names."""
        hit = LOG["item"].str[1:].astype(int) // 10 * 7919 % 104_729
        by_hit = LOG.assign(hit=hit).sort_values(["hit", "worker"], kind="stable").drop(columns="hit")
        assert unordered(by_hit) == "rows are sorted by item"

    def test_nor_are_items_judged_once_in_their_order(self) -> None:
        """No two rows of one item stand beside each other; but each worker judges a part of its own."""
        once = LOG.drop_duplicates("item").sort_values("item")
        rest = LOG[~LOG.index.isin(once.index)].sample(30, random_state=1)
        assert unordered(pd.concat([once, rest])) == "rows are sorted by item"

    def test_labels_in_long_runs_are_no_order(self) -> None:
        """Half of the rows in blocks of one label, which neither go up nor down."""
        label = np.repeat(["b", "a", "c", "b", "c", "a"] * 10, 17)[:1_000]
        assert unordered(LOG.assign(label=label)) == "rows are sorted by label"

    def test_turns_of_busy_workers_count(self) -> None:
        """Accounts with one judgment each have no turns; two busy ones have two each, or three."""
        few = [f"few{n}" for n in range(60)]
        for n_turns, expected in ((2, "rows are sorted by worker"), (3, "")):
            busy = (["v"] * 12 + ["w"] * 12) * n_turns
            worker = np.insert(np.array(busy, object), np.linspace(0, len(busy), 60).astype(int), few)
            rng = np.random.default_rng(n_turns)
            item = [f"i{i}" for i in rng.permutation(len(worker))]
            label = rng.choice(["x", "y"], len(item))
            assert unordered(pd.DataFrame({"item": item, "worker": worker, "label": label})) == expected

    @pytest.mark.parametrize(("n", "expected"), [(19, "nobody has 20 judgments"), (20, "")])
    def test_somebody_must_have_judged_enough(self, n: int, expected: str) -> None:
        rng = np.random.default_rng(3)
        item = np.stack([rng.permutation(n), rng.permutation(n)], axis=1).ravel()  # by turns
        rows = {"item": item.astype(str), "worker": np.array(["v", "w"] * n), "label": rng.choice(["x", "y"], 2 * n)}
        assert unordered(pd.DataFrame(rows)) == expected

    def test_very_many_rows_are_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(row_order, "MOST_ROWS", 999)
        judgments = consensus.read(LOG)
        assert (judgments.read_row, judgments.unordered) == (None, "there are more than 999 rows")

    def test_of_no_judgments(self) -> None:
        judgments = consensus.read({"item": ["a"], "worker": ["v"], "label": [""]})
        assert judgments.unordered == "nobody has 20 judgments"


class TestWhoAsks:
    def test_times_and_named_orders_are_no_guess(self) -> None:
        def told(judgments: Judgments) -> tuple[bool, bool, str]:
            return judgments.in_order, judgments.rows_guessed, judgments.unordered

        assert told(consensus.read(LOG, drift_by="rows")) == (True, False, "")
        assert told(consensus.read(LOG.sort_values("item"), drift_by="rows")) == (True, False, "")
        assert told(consensus.read(LOG, drift_by="time")) == (False, False, "")
        assert told(consensus.read(LOG.assign(timestamp=np.arange(1_000)))) == (True, False, "")
