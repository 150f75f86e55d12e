"""Judgments and model votes with a planted truth: what the tests, the README and the benchmarks recover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.config import CrowdConfig, ModelsConfig
from consensus.errors import ConfigError
from consensus.inputs.judgments import Judgments, Tally
from consensus.inputs.model_votes import ModelVotes
from consensus.inputs.vote_tally import VoteTally

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import ArrayLike, NDArray

CONCENTRATION = 2.0  # a + b of the Beta that top probabilities come from: at an accuracy of .8 most are near 1
SWAPPED = 0.7  # share of the items of a label that biased workers take for another one
LEAST_ABOVE = 1e-3  # of the way from 1/K to 1, a top probability is at least so far


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """Judgments and what they were drawn from."""

    judgments: Judgments
    truth: NDArray[np.int32]
    """(I,) true label of each item."""
    confusion: NDArray[np.float64]
    """(W, K, K) P(observed | true) of each worker, [w, true, observed]."""
    prior: NDArray[np.float64]
    """(K,) share of each true label."""

    def judgments_table(self) -> pd.DataFrame:
        """One row a judgment: item, worker, label; in the order in which they came (drawn)."""
        import pandas as pd
        import pyarrow as pa

        j = self.judgments
        order = np.random.default_rng(len(j.item)).permutation(len(j.item))
        columns = {
            "item": j.item_ids.take(pa.array(j.item[order])),
            "worker": j.worker_ids.take(pa.array(j.worker[order])),
            "label": pa.array(j.labels, pa.string()).take(pa.array(j.label[order])),
        }
        return pd.DataFrame({name: column.to_pandas() for name, column in columns.items()})

    def truth_table(self, n_items: int | None = None, seed: int = 0) -> pd.DataFrame:
        """One row an item: item, label; of all items, or of ``n_items`` drawn ones (gold)."""
        import pandas as pd

        chosen = np.arange(len(self.truth))
        if n_items is not None:
            _check("gold items", n_items, 0, len(self.truth))
            chosen = np.sort(np.random.default_rng(seed).choice(chosen, n_items, replace=False))
        ids = self.judgments.item_ids.to_pylist()
        labels = self.judgments.labels
        return pd.DataFrame(
            {"item": [ids[i] for i in chosen], "label": [labels[k] for k in self.truth[chosen]]}, dtype="str"
        )

    def confusions_table(self) -> pd.DataFrame:
        """One row a cell of each planted confusion matrix: worker, true_label, label, probability."""
        import pandas as pd

        j = self.judgments
        worker, true_label, label = (axis.ravel() for axis in np.indices(self.confusion.shape))
        ids, labels = np.array(j.worker_ids.to_pylist()), np.array(j.labels)
        return pd.DataFrame(
            {
                "worker": ids[worker],
                "true_label": labels[true_label],
                "label": labels[label],
                "probability": self.confusion.ravel(),
            }
        )


def simulate(
    n_items: int = 1000,
    n_workers: int = 20,
    n_labels: int = 3,
    per_item: float = 5.0,
    *,
    prior: ArrayLike | None = None,
    confusion: ArrayLike | None = None,
    **settings: Any,
) -> Simulation:
    """Draw judgments from workers with planted confusion matrices.

    Parameters
    ----------
    n_items, n_workers, n_labels
        Sizes I, W, K.
    per_item
        Mean judgments an item; an item gets the whole number below or above. At most ``n_workers``.
    prior
        (K,) shares of the true labels; even by default.
    confusion
        (W, K, K) P(observed | true) of each worker, instead of drawn ones; sets W and K.
    **settings
        Other fields of ``CrowdConfig``, such as ``accuracy=0.7``, ``spammers=0.2`` or ``seed=1``.

    Raises
    ------
    ConfigError
        A setting is unknown, a size or share is out of range, or ``confusion`` or ``prior`` is no probability table.

    Examples
    --------
    >>> consensus.simulate(n_items=100, n_workers=8, n_labels=2, per_item=5, seed=1).judgments
    Judgments(500 judgments of 100 items by 8 workers, 2 labels)
    """
    crowd = CrowdConfig.of(None, n_items=n_items, n_workers=n_workers, n_labels=n_labels, per_item=per_item, **settings)
    n_items, n_workers, n_labels, per_item = crowd.n_items, crowd.n_workers, crowd.n_labels, crowd.per_item
    rng = np.random.default_rng(crowd.seed)
    if confusion is not None:
        table = _numbers("confusion", confusion)
        if table.ndim != 3 or table.shape[1] != table.shape[2] or not _sums_to_one(table):
            raise ConfigError("confusion must be (W, K, K) with rows that sum to 1")
        n_workers, n_labels = table.shape[:2]
    else:
        table = _confusions(rng, n_workers, n_labels, crowd)
    _check("judgments an item (per_item)", per_item, 1, n_workers)
    shares = np.full(n_labels, 1.0 / n_labels) if prior is None else _numbers("prior", prior)
    if shares.shape != (n_labels,) or not _sums_to_one(shares):
        raise ConfigError(f"prior must hold {n_labels} shares that sum to 1")

    truth = rng.choice(n_labels, n_items, p=shares).astype(np.int32)
    item, worker = _assigned(rng, n_items, n_workers, per_item)
    cumulative = table.cumsum(axis=2)
    draw = rng.random(len(item))
    label = np.empty(len(item), np.int32)
    for begin in range(0, len(item), 1_000_000):
        part = slice(begin, begin + 1_000_000)
        given = cumulative[worker[part], truth[item[part]]]
        label[part] = np.minimum((draw[part, None] > given).sum(axis=1), n_labels - 1)
    start = np.zeros(n_items + 1, np.int64)
    np.cumsum(np.bincount(item, minlength=n_items), out=start[1:])
    judgments = Judgments(
        item=item,
        worker=worker,
        label=label,
        item_start=start,
        item_ids=_ids("item", n_items),
        worker_ids=_ids("w", n_workers),
        labels=tuple(_ids("label_", n_labels).to_pylist()),
        tally=Tally(len(item), len(item)),
    )
    return Simulation(judgments, truth, table, shares)


def simulate_votes(drawn: Simulation, n_models: int = 5, **settings: Any) -> ModelVotes:
    """Draw votes of models on the items of a simulation.

    All models of a family give the same wrong label with probability ``(1 - accuracy) * shared``; else each errs alone,
    so often that its accuracy is as stated. Wrong labels are even.

    Parameters
    ----------
    drawn
        Items, labels and truth.
    n_models
        M.
    **settings
        Fields of ``ModelsConfig``, such as ``accuracy=0.9``, ``soft=True`` or ``families=2``.

    Raises
    ------
    ConfigError
        A setting is unknown, or a size or share is out of range.
    """
    given = ModelsConfig.of(None, **settings)
    accuracy, families = given.accuracy, given.families
    n_items, n_labels = len(drawn.truth), len(drawn.prior)
    _check("labels", n_labels, 2, 10_000)
    _check("models", n_models, 1, 10_000)
    _check("families", families, 1, n_models)
    _check("accuracy of the models", accuracy, 1.0 / n_labels if given.soft else 0.0, 1.0)
    _check("share of items", given.share_of_items, 1.0 / n_items, 1.0)
    rng = np.random.default_rng([given.seed, 1])  # another stream than that of the judgments
    chosen = np.sort(rng.choice(n_items, max(round(given.share_of_items * n_items), 1), replace=False))
    family = np.arange(n_models) % families
    label = _votes(rng, drawn.truth[chosen], family, n_labels, accuracy, given.shared).ravel()
    probability, row = np.zeros((0, n_labels), np.float32), np.full(len(label), -1, np.int32)
    if given.soft:
        right = label == np.repeat(drawn.truth[chosen], n_models)
        probability = _stated(_confidence(rng, right, n_labels, accuracy), label, n_labels, given.temperature)
        row = np.arange(len(label), dtype=np.int32)
    labels, of_family = drawn.judgments.labels, _ids("family_", families).to_pylist()
    return ModelVotes(
        item=np.repeat(np.arange(len(chosen), dtype=np.int32), n_models),
        model=np.tile(np.arange(n_models, dtype=np.int32), len(chosen)),
        label=label,
        row=row,
        probability=probability,
        item_ids=drawn.judgments.item_ids.take(chosen),
        models=tuple(_ids("model_", n_models).to_pylist()),
        families=tuple(of_family[f] for f in family),
        labels=labels,
        declared=frozenset(labels if given.soft else ()),
        tally=VoteTally(len(label), len(label)),
    )


def votes_table(votes: ModelVotes) -> pd.DataFrame:
    """One row a vote: item, model, family (of several), and a column ``p_`` and label of each label.

    Instead of the last, unless all votes are soft, label.
    """
    import pandas as pd
    import pyarrow as pa

    names = [("item", votes.item_ids, votes.item), ("model", pa.array(votes.models), votes.model)]
    if len(set(votes.families)) > 1:
        names.append(("family", pa.array(votes.families), votes.model))
    soft = bool((votes.row >= 0).all())
    if not soft:
        names.append(("label", pa.array(votes.labels), votes.label))
    columns = {name: ids.take(pa.array(codes)).to_pandas() for name, ids, codes in names}
    if soft:
        given = votes.probability[votes.row]
        columns |= {f"p_{label}": given[:, k] for k, label in enumerate(votes.labels)}
    return pd.DataFrame(columns)


def _votes(
    rng: np.random.Generator,
    truth: NDArray[np.int32],
    family: NDArray[np.int64],
    n_labels: int,
    accuracy: float,
    shared: float,
) -> NDArray[np.int32]:
    """(n, M) labels that models of each ``family`` (M,) give to items of some ``truth`` (n,)."""

    def mistakes(n: int, rate: float) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
        shape = (len(truth), n)
        off = rng.integers(1, n_labels, shape, dtype=np.int32)
        return rng.random(shape) < rate, (truth[:, None] + off) % np.int32(n_labels)

    of_family = (1.0 - accuracy) * shared
    together, wrong_together = mistakes(int(family.max()) + 1, of_family)
    alone, wrong_alone = mistakes(len(family), (1.0 - accuracy - of_family) / max(1.0 - of_family, 1e-300))
    own = np.where(alone, wrong_alone, truth[:, None])
    return np.where(together[:, family], wrong_together[:, family], own)


def _confidence(
    rng: np.random.Generator, right: NDArray[np.bool_], n_labels: int, accuracy: float
) -> NDArray[np.float64]:
    """(V,) top probability c of each vote, given that it is ``right`` (V,), so that P(right | c) = c.

    c = 1/K + (1 - 1/K) x with x from Beta(a, b), whose mean makes that of c the accuracy. By Bayes' rule x comes from
    Beta(a, b + 1) where the vote is wrong; where it is right, from Beta(a + 1, b), or from Beta(a, b) with the share
    that 1/K has of the accuracy.
    """
    least = 1.0 / n_labels
    mean = np.clip((accuracy - least) / (1.0 - least), 1e-6, 1.0 - 1e-6)
    a, b = CONCENTRATION * mean, CONCENTRATION * (1.0 - mean)
    lucky = rng.random(len(right)) < least / accuracy
    x = np.maximum(rng.beta(a + (right & ~lucky), b + ~right), LEAST_ABOVE)
    return np.asarray(least + (1.0 - least) * x, np.float64)


def _stated(
    confidence: NDArray[np.float64], label: NDArray[np.int32], n_labels: int, temperature: float
) -> NDArray[np.float32]:
    """(V, K) probabilities: ``confidence`` (V,) of ``label`` (V,), the rest even, at a temperature."""
    odds = ((1.0 - confidence) / ((n_labels - 1) * confidence)) ** (1.0 / temperature)  # of another label
    top = 1.0 / (1.0 + (n_labels - 1) * odds)
    probability = np.repeat((odds * top).astype(np.float32)[:, None], n_labels, axis=1)
    probability[np.arange(len(label)), label] = top
    return probability


def _confusions(
    rng: np.random.Generator,
    n_workers: int,
    n_labels: int,
    crowd: CrowdConfig,
) -> NDArray[np.float64]:
    """Draw (W, K, K): diagonals around each worker's own accuracy, errors spread unevenly.

    Biased workers take a label for another one in SWAPPED of its items; of two labels, the other one is then right in
    .98.
    """
    off = rng.dirichlet(np.full(max(n_labels - 1, 1), 2.0), (n_workers, n_labels))
    own = np.clip(rng.normal(crowd.accuracy, 0.1, n_workers), 0.05, 0.98)
    n_spammers, n_adversaries = round(crowd.spammers * n_workers), round(crowd.adversaries * n_workers)
    order = rng.permutation(n_workers)
    own[order[n_spammers : n_spammers + n_adversaries]] = 0.2 / max(n_labels - 1, 1)
    diagonal = np.clip(rng.normal(own[:, None], 0.04, (n_workers, n_labels)), 0.01, 0.99)
    table = np.empty((n_workers, n_labels, n_labels))
    for k in range(n_labels):
        others = np.delete(np.arange(n_labels), k)
        table[:, k, k] = diagonal[:, k] if len(others) else 1.0
        table[:, k, others] = (1.0 - diagonal[:, k, None]) * off[:, k, : len(others)]
    table[order[:n_spammers]] = rng.dirichlet(np.full(n_labels, 2.0), n_spammers)[:, None, :]
    if n_labels > 1:
        first = n_spammers + n_adversaries
        for w in order[first : first + round(crowd.biased * n_workers)]:
            k, taken = rng.choice(n_labels, 2, replace=False)
            table[w, k] *= (1.0 - SWAPPED) / (1.0 - table[w, k, taken])
            table[w, k, taken] = SWAPPED
            if n_labels == 2:  # else hardly anything would be left that they tell
                table[w, taken, [k, taken]] = 0.02, 0.98
    return table


def _assigned(
    rng: np.random.Generator, n_items: int, n_workers: int, per_item: float
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Items and distinct workers of all judgments, sorted by both; busy workers take the most."""
    n = (np.floor(per_item) + (rng.random(n_items) < per_item % 1)).astype(np.int64)
    if per_item == n_workers:
        item = np.repeat(np.arange(n_items, dtype=np.int32), n_workers)
        return item, np.tile(np.arange(n_workers, dtype=np.int32), n_items)
    activity = rng.pareto(1.5, n_workers) + 0.3
    cumulative = np.cumsum(activity / activity.sum())
    pairs = np.zeros(0, np.int64)
    missing = n
    while missing.any():  # draw what is missing until no worker has an item twice
        item = np.repeat(np.arange(n_items), missing)
        worker = np.minimum(np.searchsorted(cumulative, rng.random(len(item))), n_workers - 1)
        pairs = np.unique(np.concatenate([pairs, item * n_workers + worker]))
        missing = n - np.bincount(pairs // n_workers, minlength=n_items)
        activity = np.sqrt(activity)  # flatter each round, so that it ends
        cumulative = np.cumsum(activity / activity.sum())
    item, worker = np.divmod(pairs, n_workers)
    return item.astype(np.int32), worker.astype(np.int32)


def _ids(prefix: str, n: int) -> pa.StringArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = pc.utf8_lpad(pa.array(np.arange(n)).cast(pa.string()), len(str(n - 1)), "0")
    return pc.binary_join_element_wise(prefix, numbers, "")


def _check(what: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ConfigError(f"{what}: {value:g} is out of range; give {least:g} to {most:g}")


def _numbers(name: str, given: ArrayLike) -> NDArray[np.float64]:
    """What is given as numbers.

    Raises
    ------
    ConfigError
        It is none.
    """
    try:
        return np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise ConfigError(f"{name} must hold numbers, not {type(given).__name__}") from None


def _sums_to_one(table: NDArray[np.float64]) -> bool:
    return bool(np.all(table >= 0) and np.allclose(table.sum(axis=-1), 1.0, atol=1e-9))
