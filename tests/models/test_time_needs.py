"""About how long a run takes, by counts alone."""

import pytest

from consensus import FitConfig, simulate
from consensus.models import layout, time_needs

DRAWN = simulate(400, 20, 3, 4, seed=1).judgments
CONFIG = FitConfig()


def test_it_grows_with_judgments_and_labels() -> None:
    few = time_needs.of(DRAWN, "dawid_skene", CONFIG, 1)
    many = time_needs.of(simulate(4_000, 20, 3, 4, seed=1).judgments, "dawid_skene", CONFIG, 1)
    assert many.a_pass == pytest.approx(10 * few.a_pass)
    assert many.tables == pytest.approx(10 * few.tables)
    labels = time_needs.of(simulate(400, 20, 9, 4, seed=1).judgments, "dawid_skene", CONFIG, 1)
    assert labels.a_pass > 1.5 * few.a_pass


def test_threads_share_passes() -> None:
    one, two = (time_needs.of(DRAWN, "dawid_skene", CONFIG, n) for n in (1, 2))
    assert one.a_pass == 2 * two.a_pass
    assert one.total > two.total > time_needs.START


def test_models_differ_in_passes() -> None:
    average, alone, none = (
        time_needs.of(DRAWN, name, CONFIG, 1) for name in ("average", "dawid_skene", "majority_vote")
    )
    assert average.a_pass == pytest.approx(7 * alone.a_pass)
    assert (alone.passes, none.passes, none.a_pass) == (time_needs.USUAL_PASSES, 0, 0.0)
    assert time_needs.of(DRAWN, "average", FitConfig(max_iterations=5), 1).passes == 5


def test_where_not_all_labels_are_weighed_their_number_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MOST_CELLS", 0)
    monkeypatch.setattr(layout, "FEW_LABELS", 1)
    few, many = (simulate(400, 20, K, 4, seed=1).judgments for K in (3, 9))
    assert time_needs.of(few, "dawid_skene", CONFIG, 1) == time_needs.of(many, "dawid_skene", CONFIG, 1)
