"""Judgments that came after their item was settled."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from consensus import fit, simulate
from consensus.config import EscalateConfig
from consensus.escalation import STATUSES, settled_status, spare_judgments
from consensus.escalation.spare_judgments import Spare, spare
from consensus.found.result import Consensus

RULE = EscalateConfig(target=0.9)


@pytest.fixture(scope="module")
def fitted() -> Consensus:
    return fit(simulate(200, 12, 3, 6, accuracy=0.8, seed=3).judgments, model="dawid_skene", rho=0.3)


def accepted(result: Consensus) -> np.ndarray:
    return np.flatnonzero(settled_status(result, RULE) == STATUSES.index("accepted"))


def naive(result: Consensus, item: int) -> int:
    """The same by hand: Bayes' rule on the first judgments, tempered for so many."""
    judgments, terms = result.judgments, result.terms
    assert terms is not None
    own = range(judgments.item_start[item], judgments.item_start[item + 1])
    best = result.consensus_label[item]
    for m in range(RULE.min_judgments, len(own)):
        logs = np.log(terms.pi).copy()
        for j in list(own)[:m]:
            row = result.confusions.rows_of(judgments.worker[[j]], judgments.label[[j]])[0]
            logs += np.log(terms.C[row][:3])
        q = np.exp((logs - logs.max()) / (1 + 0.3 * (m - 1)))
        if (q / q.sum())[best] >= RULE.target:
            return len(own) - m
    return 0


def test_as_counted_by_hand(fitted: Consensus) -> None:
    items = accepted(fitted)
    found = spare(fitted, items, RULE)
    assert found == Spare(int(fitted.judgments.per_item[items].sum()), sum(naive(fitted, i) for i in items), False)
    assert 0.2 * found.judgments < found.spare < 0.8 * found.judgments


def test_in_the_order_of_time(fitted: Consensus) -> None:
    """With the times the other way round, the judgments count from the other end."""
    judgments = fitted.judgments
    times = np.datetime64("2025-01-01", "us") + np.arange(judgments.n_judgments)[::-1].astype("timedelta64[s]")
    found = spare(replace(fitted, judgments=replace(judgments, timestamp=times)), accepted(fitted), RULE)
    assert found is not None
    assert found.in_time
    other = spare(fitted, accepted(fitted), RULE)
    assert other is not None
    assert found.spare != other.spare


def test_a_sample_tells_of_many(fitted: Consensus, monkeypatch: pytest.MonkeyPatch) -> None:
    every = spare(fitted, accepted(fitted), RULE)
    monkeypatch.setattr(spare_judgments, "MOST_ITEMS", 60)
    some = spare(fitted, accepted(fitted), RULE)
    assert every is not None
    assert some is not None
    assert some.judgments == every.judgments
    assert some.spare == pytest.approx(every.spare, rel=0.2)


def test_nothing_to_say(fitted: Consensus) -> None:
    assert spare(fitted, np.zeros(0, np.int64), RULE) is None
    single = fit(pd.DataFrame({"item": list("abc"), "worker": "w", "label": list("xyx")}))
    assert spare(single, np.arange(3), RULE) is None


def test_the_order_of_rows_counts_only_if_it_is_known(fitted: Consensus) -> None:
    judgments = fitted.judgments
    rows = replace(judgments, read_row=np.arange(judgments.n_judgments, 0, -1))
    told = spare(replace(fitted, judgments=rows), accepted(fitted), RULE)
    guessed = spare(replace(fitted, judgments=replace(rows, rows_guessed=True)), accepted(fitted), RULE)
    assert told is not None
    assert told.in_time
    assert guessed == spare(fitted, accepted(fitted), RULE) != told
