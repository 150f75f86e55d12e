"""What to decide for each item where wrong decisions cost differently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.formats import read_costs
from consensus.found.given_result import fitted
from consensus.found.result import framed, named

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.found.given_result import Fitted
    from consensus.found.result import Columns, Consensus

    Reals = NDArray[np.float64]

MOST_CELLS = 4_000_000  # of the posterior that are held at once


def decide(result: Fitted, costs: Any) -> pd.DataFrame:
    """The decision of least expected cost for every item; the label is the most probable one, which may be another.

    Parameters
    ----------
    result
        A fitted consensus, or a run.
    costs
        What wrong decisions cost, from ``read_costs`` or what it reads.

    Returns
    -------
    pandas.DataFrame
        item; decision, the label d with the least sum_k q[k] c[k, d], of equal ones the first; expected_cost, that sum.
        Both are missing where no confidence can be stated. No rows for gold items that nobody judged.

    Raises
    ------
    FormatError, JudgmentError
        The costs can't be read, or do not fit the data.

    Examples
    --------
    >>> consensus.decide(consensus.fit(judgments), {("cat", "dog"): 5, ("dog", "cat"): 1}).columns.tolist()
    ['item', 'decision', 'expected_cost']
    """
    result, given = fitted(result), read_costs(costs)
    every = slice(0, result.judgments.n_items)
    ids = result.label_columns(every)["item"]
    return framed({"item": ids, **decision_columns(result, given.align(result.judgments), every)})


def decision_columns(result: Consensus, cost: Reals, rows: slice) -> Columns:
    """The same for the items of some ``rows`` of the labels, with ``cost`` (K, K) of deciding d where k is true."""
    labels, n = result.judgments.labels, rows.stop - rows.start
    if not result.identified:
        return {"decision": named(np.full(n, -1, np.int32), labels), "expected_cost": np.full(n, np.nan)}
    decision, expected = np.empty(n, np.int32), np.empty(n)
    step = max(MOST_CELLS // max(len(labels), 1), 1)
    for begin in range(0, n, step):
        part = slice(begin, min(begin + step, n))
        of_each = result.beliefs.dense(np.arange(rows.start + part.start, rows.start + part.stop)) @ cost
        decision[part] = of_each.argmin(axis=1)
        expected[part] = of_each.min(axis=1)
    return {"decision": named(decision, labels), "expected_cost": expected}
