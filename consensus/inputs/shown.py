"""How inputs and results show themselves: one line of text, a small table in a notebook, a data frame."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from consensus.inputs.understood import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from consensus.inputs.gold import Gold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import ModelVotes

LEFT = 'style="text-align: left"'
MOST_NOTES = 8  # in a notebook
DROPPED = ("abstained", "repeated", "merged", "rejected", "dropped", "as_gold")
"""Counts of a tally that tell which rows are not among the judgments or votes."""


def line(kind: str, facts: str, tally: object = None, codes: Iterable[str] = ()) -> str:
    """Such as ``Judgments(12 judgments of 4 items; dropped: 2 rejected; warnings: small_data)``."""
    parts = [facts, *labelled("dropped", dropped(tally)), *labelled("warnings", codes)]
    return one_line(f"{kind}({'; '.join(parts)})")


def labelled(what: str, said: Iterable[str]) -> list[str]:
    """Such as ``["dropped: 2 rejected"]``; nothing where nothing is said."""
    listed = ", ".join(dict.fromkeys(said))
    return [f"{what}: {listed}"] if listed else []


def dropped(tally: object) -> list[str]:
    """What became of the rows that are not used, such as ``["2 rejected"]``."""
    counts = {name: getattr(tally, name, 0) for name in DROPPED}
    return [f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items() if n]


def card(text: str, rows: Iterable[tuple[str, object]], notes: Iterable[str] = ()) -> str:
    """A heading, names and numbers, and notes, as HTML; nothing in them is taken for HTML."""
    told = list(notes)
    more = [f"and {len(told) - MOST_NOTES:,} more"] if len(told) > MOST_NOTES else []
    cells = "".join(
        f"<tr><th {LEFT}>{escape(str(name))}</th><td {LEFT}>{_cell(value)}</td></tr>" for name, value in rows
    )
    items = "".join(f"<li>{escape(one)}</li>" for one in [*told[:MOST_NOTES], *more])
    return f"<div><b>{escape(text)}</b><table>{cells}</table>{f'<ul>{items}</ul>' if items else ''}</div>"


def _cell(value: object) -> str:
    return escape(f"{value:,}" if isinstance(value, int) else str(value))


def judgments_card(judgments: Judgments) -> str:
    """Sizes, labels, what was dropped, what is odd."""
    tally = judgments.tally
    rows: list[tuple[str, object]] = [
        ("judgments", judgments.n_judgments),
        ("items", judgments.n_items),
        ("workers", judgments.n_workers),
        ("labels", shortened(judgments.labels)),
        *([("dropped", ", ".join(dropped(tally)))] if dropped(tally) else []),
        *_times(judgments),
    ]
    return card("Judgments", rows, [f"{one.code}: {one.message}" for one in judgments.cautions])


def gold_card(gold: Gold) -> str:
    """How many items, and which labels they have."""
    labels = sorted(set(gold.label))
    return card("Gold", [("items", len(gold)), ("labels", shortened(labels))], gold.notes)


def votes_card(votes: ModelVotes) -> str:
    """Sizes, models, what was dropped, what is odd."""
    rows: list[tuple[str, object]] = [
        ("votes", votes.n_votes),
        ("items", len(votes.item_ids)),
        ("models", shortened(votes.models)),
        ("labels", shortened(votes.labels)),
        ("with probabilities", len(votes.probability)),
        *([("dropped", ", ".join(dropped(votes.tally)))] if dropped(votes.tally) else []),
    ]
    return card("ModelVotes", rows, [f"{one.code}: {one.message}" for one in votes.cautions])


def shortened(names: Iterable[str], most: int = 8) -> str:
    """Such as ``cat, dog and 3 more``."""
    known = list(names)
    return ", ".join(known[:most]) + (f" and {len(known) - most:,} more" if len(known) > most else "")


def _times(judgments: Judgments) -> list[tuple[str, object]]:
    import numpy as np

    when = judgments.timestamp
    known = None if when is None else when[~np.isnat(when)]
    return [] if known is None or not len(known) else [("times", f"{known.min()} to {known.max()}")]


def judgments_frame(judgments: Judgments) -> pd.DataFrame:
    """One row a judgment: item, worker, label; and timestamp, duration, price, group, and the weight and cluster of the
    item, where there are any.
    """  # noqa: D205
    import pandas as pd

    ids = {"item": judgments.item_ids, "worker": judgments.worker_ids}
    columns: dict[str, Any] = {name: texts.take(_codes(getattr(judgments, name))) for name, texts in ids.items()}
    columns["label"] = _named(judgments.label, judgments.labels)
    beside = {name: getattr(judgments, name) for name in ("timestamp", "duration", "price")}
    columns |= {name: column for name, column in beside.items() if column is not None}
    if judgments.group is not None:
        columns["group"] = _named(judgments.group, _texts(judgments.group_ids))
    if judgments.weight is not None:
        columns["weight"] = judgments.weight[judgments.item]
    if judgments.cluster is not None:
        columns["cluster"] = _named(judgments.cluster[judgments.item], _texts(judgments.cluster_ids))
    return pd.DataFrame({name: _series(column) for name, column in columns.items()})


def votes_frame(votes: ModelVotes) -> pd.DataFrame:
    """One row a vote: item, model, label, probability (of the label; missing of a vote that only names one)."""
    import numpy as np
    import pandas as pd

    soft = votes.row >= 0
    probability = np.full(votes.n_votes, np.nan)
    probability[soft] = votes.probability[votes.row[soft], votes.label[soft]]
    return pd.DataFrame(
        {
            "item": _series(votes.item_ids.take(_codes(votes.item))),
            "model": _series(_named(votes.model, votes.models)),
            "label": _series(_named(votes.label, votes.labels)),
            "probability": probability,
        }
    )


def gold_frame(gold: Gold) -> pd.DataFrame:
    """One row an item and accepted label: item, label."""
    import pandas as pd

    return pd.DataFrame({"item": pd.Series(gold.item, dtype="str"), "label": pd.Series(gold.label, dtype="str")})


def _texts(ids: Any) -> list[str]:
    return ids.to_pylist() if ids else []


def _codes(codes: Any) -> Any:
    import pyarrow as pa

    return pa.array(codes)


def _named(codes: Any, names: Iterable[str]) -> Any:
    import pyarrow as pa

    return pa.array(list(names), pa.string()).take(pa.array(codes, mask=codes < 0))


def _series(column: Any) -> Any:
    import pandas as pd

    return pd.Series(column.to_pandas(), dtype="str") if hasattr(column, "to_pandas") else column
