"""Scores of labels and posteriors against known truth."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import JudgmentError
from consensus.found.counting import Counting, mean
from consensus.found.posterior import TIE
from consensus.found.truth_labels import gold_left_out, unknown_labels, without_a_label
from consensus.inputs import formulas
from consensus.inputs.counted import counted
from consensus.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from consensus.inputs.gold import Gold

N_BINS = 10
SMALLEST = 1e-6  # log loss clips probabilities here


@dataclass(frozen=True, slots=True)
class Scores:
    """How good labels are; None where the table does not tell."""

    n_items: int
    """Items that have both a label and a truth."""
    accuracy: float
    """Share that is right, with its 95 % Wilson interval."""
    accuracy_low: float
    accuracy_high: float
    log_loss: float | None
    """Mean of -log P(truth), in nats, P clipped at 1e-6."""
    brier: float | None
    """Mean squared distance of the posterior to the truth, 0 to 2 (Brier 1950)."""
    ece: float | None
    """Expected calibration error of the top label, ten equal bins, 0 to 1."""
    weight: float | None = None
    """What the items weigh together, where the labels have weights: then all figures count by weight."""
    notes: tuple[str, ...] = ()
    """What to know about them: items that are left out, truths that no label could be. In words."""

    def as_dict(self) -> dict[str, Any]:
        """The scores by name; without the weight where there is none."""
        return {name: one for name, one in asdict(self).items() if name != "weight" or one is not None}


@dataclass(frozen=True, slots=True, eq=False)
class Weighing:
    """What N items count for in the scores."""

    counting: Counting
    cluster: NDArray[np.int64] | None = None
    """(N,) code of the cluster of each item, a number of its own where it has none; None without clusters."""
    has_weights: bool = True

    @classmethod
    def of(cls, known: pd.DataFrame, beside: pd.DataFrame | None) -> Weighing | None:
        """That of the items of a table: by its columns weight and cluster if it holds labels, else by those ``beside``.

        Raises
        ------
        JudgmentError
            A weight is no number above 0.
        """
        import pandas as pd

        if beside is not None:
            columns = beside.set_index("item").reindex(known["item"])
        elif "label" in known.columns:
            columns = known
        else:
            return None
        if not {"weight", "cluster"}.intersection(columns.columns):
            return None
        weight, cluster = np.ones(len(known)), None
        if "weight" in columns.columns:
            weight = pd.to_numeric(columns["weight"], errors="coerce").to_numpy(np.float64)
            wrong = np.flatnonzero(~((weight > 0) & np.isfinite(weight)))
            if len(wrong):
                raise JudgmentError(
                    f'the weight of item "{known["item"].iloc[wrong[0]]}" is "{columns["weight"].iloc[wrong[0]]}"; '
                    "expected a number above 0"
                )
        if "cluster" in columns.columns:
            texts = columns["cluster"]
            cluster = pd.factorize(texts.where(texts.notna() & (texts != ""), None))[0].astype(np.int64)
            alone = cluster < 0
            cluster[alone] = cluster.max(initial=-1) + 1 + np.arange(alone.sum())
        return cls(Counting(weight, weight), cluster, "weight" in columns.columns)

    def notes(self) -> tuple[str, ...]:
        """What they count for, in words."""
        said = [f"figures count by weight ({self.counting.total:,.6g} in all)"] if self.has_weights else []
        if self.cluster is not None:
            n = counted(len(np.unique(self.cluster)), "cluster")
            said.append(f"the interval of the accuracy is over {n}, whose items err together")
        return tuple(said)

    def effective(self, right: NDArray[np.float64]) -> float:
        """Independent items of which the share that is ``right`` (N,) is as sure: without clusters, their weight.

        With clusters, those that give the variance of a ratio over clusters (Cochran 1977, section 9A.1), at least as
        many as if the items of one were all alike.
        """
        weight, total = self.counting.weight, self.counting.total
        if self.cluster is None:
            return total
        of_cluster = np.bincount(self.cluster, weights=weight)
        least, G = total**2 / float((of_cluster**2).sum()), len(of_cluster)
        share = self.counting.share(right)
        apart = np.bincount(self.cluster, weights=weight * (right - share))
        variance = G / max(G - 1, 1) * float((apart**2).sum()) / total**2
        found = share * (1.0 - share) / variance if variance > 0 else 0.0
        return min(max(found, least), total)


def of_posterior(
    posterior: NDArray[np.float64], accepted: NDArray[np.bool_], weighing: Weighing | None = None
) -> Scores:
    """Score posteriors (N, K) against accepted labels (N, K); tied best labels share the credit.

    With several accepted labels, P(truth) is their sum. ``weighing`` is what the N items count for.
    """
    counting = None if weighing is None else weighing.counting
    peak = posterior.max(axis=1)
    tied = posterior >= peak[:, None] - TIE
    right = (tied & accepted).sum(axis=1) / tied.sum(axis=1)
    p_truth = np.where(accepted, posterior, 0.0).sum(axis=1)
    nearest = np.where(accepted, posterior, 0.0)
    none = p_truth <= 0
    nearest[none] = accepted[none]
    nearest /= nearest.sum(axis=1, keepdims=True)
    return Scores(
        **_accuracy(right, weighing),
        log_loss=mean(-np.log(np.clip(p_truth, SMALLEST, 1.0)), counting),
        brier=mean(((posterior - nearest) ** 2).sum(axis=1), counting),
        ece=calibration_error(peak, right, counting),
    )


def calibration_error(
    confidence: NDArray[np.float64], right: NDArray[np.float64], counting: Counting | None = None
) -> float:
    """Mean over items of |accuracy - confidence| of their bin (Guo et al. 2017, equation 3)."""
    in_bin = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gap = right - confidence if counting is None else (right - confidence) * counting.weight
    total = len(confidence) if counting is None else counting.total
    return float(np.abs(np.bincount(in_bin, weights=gap, minlength=N_BINS)).sum() / total)


def evaluate(
    labels: pd.DataFrame, truth: Gold, label_set: Sequence[str] | None = None, beside: pd.DataFrame | None = None
) -> tuple[Scores, pd.DataFrame]:
    """Score a table of labels or of posteriors against truth.

    Parameters
    ----------
    labels
        Either item and label (and, for the calibration error, confidence), as labels.csv; or item and one column
        of probabilities a label, as posteriors.csv.
        Items whose ``source`` is gold are left out: their label was given, not found. Columns ``weight`` and
        ``cluster`` beside labels say what items count for; of posteriors, ``beside`` does.
    truth
        Accepted labels of items, from ``read_gold``.
    label_set
        All labels that could have been given. Default: those that have a column of probabilities; of a table of labels
        it is not known whether there are more than it holds.
    beside
        item, and weight, cluster or both of it: of a table of posteriors, whose columns are labels.

    Returns
    -------
    scores, confusion
        ``confusion`` has one row a true label and label: true_label, label, count, share (of the true label; where
        items have weights, of its weight, which stands in a column weight). Items
        with several accepted labels count under the one that was given, else under the first. ``scores.notes`` say
        which items are left out as gold or for want of a label, and which truths are none of the labels.

    Raises
    ------
    JudgmentError
        No item has both a label and a truth, or only gold has; the truth has no label in common with the labels; an
        item has several rows, a probability is none, or a weight is no number above 0.
    """
    labels, truth = _named_alike(labels, truth)
    repeated = labels["item"].duplicated()
    if repeated.any():
        raise JudgmentError(
            f'item "{labels["item"][repeated].iloc[0]}" stands in several rows; give labels with one row an item'
        )
    every = labels
    if "source" in labels.columns:
        labels = labels[labels["source"] != "gold"]
    accepted: dict[str, list[str]] = {}
    for item, label in zip(truth.item, truth.label, strict=True):
        accepted.setdefault(item, []).append(label)
    known = labels[labels["item"].isin(list(accepted))]
    notes = gold_left_out(int(every["item"].isin(list(accepted)).sum()) - len(known), len(known))
    if not len(known):
        sample = f'items like "{every["item"].iloc[0]}"' if len(every) else "no items"
        raise JudgmentError(
            f"no item has both a label and a truth: the labels have {sample}, the truth has items like "
            f'"{truth.item[0]}"; check that both name items alike'
        )
    named = set(every["item"])
    notes += without_a_label(len(accepted), [item for item in accepted if item not in named])
    truths = [accepted[item] for item in known["item"]]
    weighing = Weighing.of(known, beside)
    counting = None if weighing is None else weighing.counting
    if "label" in labels.columns:
        found = [label for label in every["label"].unique() if isinstance(label, str) and label]
        notes += unknown_labels(truths, [*found, *(label_set or ())], label_set is not None)
        given = known["label"].astype(object).to_list()
        right = np.array([label in true for label, true in zip(given, truths, strict=True)], np.float64)
        ece = None
        if "confidence" in labels.columns and known["confidence"].notna().all():
            _check_shares(known["confidence"].to_numpy(np.float64), 0.0, 1.0, "a confidence is")
            ece = calibration_error(known["confidence"].to_numpy(np.float64), right, counting)
        scores = Scores(**_accuracy(right, weighing), log_loss=None, brier=None, ece=ece)
    else:
        names = [str(name) for name in labels.columns if name not in {"item", "source"}]
        notes += unknown_labels(truths, names, True)
        posterior = known[names].to_numpy(np.float64)
        _check_shares(posterior.sum(axis=1), 0.99, 1.01, "the probabilities of an item add up to")
        _check_shares(posterior.ravel(), 0.0, 1.0, "a probability is")
        mask = np.array([[name in true for name in names] for true in truths], np.bool_)
        scores = of_posterior(
            np.hstack([posterior, np.zeros((len(mask), 1))]),  # a column for truths outside the label set
            np.hstack([mask, ~mask.any(axis=1, keepdims=True)]),
            weighing,
        )
        given = [names[best] for best in posterior.argmax(axis=1)]
    weight = counting.weight if weighing is not None and counting is not None and weighing.has_weights else None
    total = None if weight is None else float(weight.sum())
    notes += () if weighing is None else weighing.notes()
    return replace(scores, weight=total, notes=notes), _confusion(given, truths, weight)


def _named_alike(labels: pd.DataFrame, truth: Gold) -> tuple[pd.DataFrame, Gold]:
    """Both with items and labels called alike where one of them got a ``'`` before formulas, for spreadsheets."""
    items = set(labels["item"])
    has_labels = "label" in labels.columns
    given = [label for label in labels["label"].unique() if isinstance(label, str)] if has_labels else labels.columns
    truth = replace(
        truth,
        item=tuple(formulas.called(truth.item, items)),
        label=tuple(formulas.called(truth.label, set(given))),
    )
    theirs = set(truth.item) - items
    if theirs:
        labels = labels.assign(item=formulas.called(labels["item"], theirs))
    renamed = dict(zip(given, formulas.called(given, set(truth.label)), strict=True))
    return (
        labels.assign(label=labels["label"].replace(renamed)) if has_labels else labels.rename(columns=renamed)
    ), truth


def _check_shares(shares: NDArray[np.float64], least: float, most: float, what: str) -> None:
    outside = ~((shares >= least) & (shares <= most))  # NaN is outside
    if outside.any():
        raise JudgmentError(f"{what} {shares[outside][0]:g}; expected {least:g} to {most:g}")


def _accuracy(right: NDArray[np.float64], weighing: Weighing | None) -> dict[str, Any]:
    if weighing is None:
        accuracy, n = float(right.mean()), float(len(right))
        low, high = wilson(right.sum(), n)
    else:
        accuracy, n = weighing.counting.share(right), weighing.effective(right)
        low, high = wilson(accuracy * n, n)
    return {
        "n_items": len(right),
        "accuracy": accuracy,
        "accuracy_low": float(low),
        "accuracy_high": float(high),
    }


def _confusion(
    given: Sequence[Any], truths: Sequence[Sequence[str]], weight: NDArray[np.float64] | None
) -> pd.DataFrame:
    import pandas as pd

    pairs = pd.DataFrame(
        {
            "true_label": [label if label in true else true[0] for label, true in zip(given, truths, strict=True)],
            "label": [label if isinstance(label, str) else "" for label in given],
        }
    )
    names, of = ["true_label", "label"], "count" if weight is None else "weight"
    counts = pairs.value_counts(names).rename("count").reset_index()
    if weight is not None:
        weights = pairs.assign(weight=weight).groupby(names, as_index=False)["weight"].sum()
        counts = counts.merge(weights, on=names)
    counts["share"] = counts[of] / counts.groupby("true_label")[of].transform("sum")
    return counts.sort_values(["true_label", "count", "label"], ascending=[True, False, True], ignore_index=True)
