"""How far workers agree: alpha, kappas, AC1 and plain agreement, each with an interval and without any model.

Intervals are 95 % percentile intervals of a bootstrap over items: workers are taken as given. Items with equal label
counts are interchangeable, so a sample draws how often each set of counts occurs from a multinomial, which is the
bootstrap of single items exactly. Where there are more than 4,096 such sets (fewer with many labels, never fewer than
200), items are dealt out at random to as many blocks of equal size, and blocks are drawn instead. Samples in which a
statistic has no value (one label only) are left out. An item of weight 3 is three items; where items of a cluster err
together, whole clusters are drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from consensus.agreement_sums import corrected, units
from consensus.errors import ConfigError
from consensus.formats import read
from consensus.found.result import framed
from consensus.inputs import label_order
from consensus.inputs.judgments import Judgments
from consensus.kernels import overlaps, tallies

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Reals: TypeAlias = NDArray[np.float64]
    Times: TypeAlias = NDArray[np.int64] | Reals

Level = Literal["nominal", "ordinal"]
By = Literal["label", "worker-pair"]

MOST_LABELS_IN_ORDER = 200  # with level="ordinal": every sample needs a table of labels by labels
AT_ONCE = 100  # samples
LEAST_SHARED = 10  # items, for a pair of workers to be listed
MOST_PAIRS = 1000
MOST_COMPARED = 100_000_000  # pairs of judgments that are sorted by their workers
INTERVAL = (0.025, 0.975)

NO_OVERLAP = "no item was judged by two workers"
ONE_LABEL = "every judgment is the same label"
NOT_GIVEN = "no judgment is this label"
SAME_OF_BOTH = "both workers gave the same label every time"
ONE_ITEM = "an interval needs two items"
ONE_CLUSTER = "an interval needs two clusters"
MOST_SAMPLES = 100_000
"""Of a bootstrap: more make no interval better, and all are held in memory."""
NO_BOOTSTRAP = "no bootstrap was asked for"
NO_SAMPLE = "no sample of the items has a value"


def agreement(
    judgments: Any, *, level: Level = "nominal", by: By = "label", n_bootstrap: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """How far workers agree on the items that two or more of them judged.

    Only these items count, for the shares of labels, too. A worker who judged an item several times
    (``repeats="keep"``) counts there once if all of them say the same, and not at all if they do not.

    Parameters
    ----------
    judgments
        From ``read``, or anything that it reads; no fit is needed.
    level
        "ordinal" adds the ordinal alpha, over up to 200 labels: in the order that was given (``with_labels``), that of
        ordered categories, or, where all are numbers, that of these.
    by
        What is shown besides the whole: every "label", or every "worker-pair".
    n_bootstrap, seed
        Samples that intervals are made from (0 for none), and the seed of these samples.

    Returns
    -------
    pandas.DataFrame
        statistic, scope
            What is measured, on what: "overall", "label" (it against all others) or "pair" of workers.
        label, worker_a, worker_b
            Where they apply.
        value, low, high
            The statistic, and its 95 % interval, by a bootstrap over items (see the module). Alpha, kappas and AC1 go
            from -1 to 1: 1 is perfect agreement, 0 what chance would give. The others are shares, 0 to 1.
        n_items, n_judgments
            Items judged by two or more workers, and the judgments of them; for a pair, the items they share.
        reason
            Why a number is missing.

        The statistics, c[i, k] being how many of the n[i] judgments of item i say k:

        krippendorff_alpha
            1 - D_o / D_e by coincidences of labels, nominal (Krippendorff, Computing Krippendorff's alpha-reliability,
            2011; Content Analysis, 4th ed. 2019, ch. 12). For a label: the same of "this label" against the rest.
        krippendorff_alpha_ordinal
            The same with the squared distance of labels in mean ranks, (sum of n_g from k to l - (n_k + n_l) / 2)^2.
        fleiss_kappa
            Fleiss 1971 (Psychological Bulletin 76:378) where all n[i] are equal. Else its generalisation by Gwet
            (Handbook of Inter-Rater Reliability, 4th ed. 2014, ch. 2): observed agreement is ``percent_agreement``, and
            the share of a label the mean over items of c[i, k] / n[i].
        gwet_ac1
            Gwet 2008 (British J. Math. Stat. Psychology 61:29), with the same shares. Its number of categories is that
            of the label set, with labels that nobody gave.
        percent_agreement
            Share of agreeing pairs among the pairs of judgments of an item; mean over items.
        share
            Of the label among the ``n_judgments``.
        cohen_kappa
            Of a pair of workers (Cohen 1960, Educational and Psychological Measurement 20:37), as
            ``percent_agreement`` is, on the ``n_items`` they share: ten or more.
        worker_pairs
            How many such pairs there are, with ``by="worker-pair"``; the 1,000 that share most items are listed.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range, there are too many labels or pairs for it, pairs are asked for of items
        with weights or clusters, or nothing tells in which order labels are.
    FormatError, JudgmentError
        The judgments can't be read.

    Examples
    --------
    >>> table = consensus.agreement(judgments, n_bootstrap=0)
    >>> table["statistic"][0]
    'krippendorff_alpha'
    """
    if not isinstance(judgments, Judgments):
        judgments = read(judgments)
    _check(judgments, level, by, n_bootstrap, seed)
    if level == "ordinal":
        judgments = label_order.in_order(judgments)
    rng = np.random.default_rng(seed)
    judged = _one_a_worker(judgments)
    items = np.flatnonzero(judged.per_item >= 2).astype(np.int32)
    rows = _Rows(len(items), int(judged.per_item[items].sum()), n_bootstrap)
    _add_sums(rows, judged, items, level, by, rng)
    if by == "worker-pair":
        _add_pairs(rows, judged, items, rng)
    return rows.table()


def _check(judgments: Judgments, level: str, by: str, n_bootstrap: int, seed: int) -> None:
    for name, given, known in (("level", level, get_args(Level)), ("by", by, get_args(By))):
        if given not in known:
            raise ConfigError(f'{name} "{given}" is unknown; choose {" or ".join(known)}')
    for name, number in (("n_bootstrap", n_bootstrap), ("seed", seed)):
        if not isinstance(number, (int, np.integer)) or number < 0:
            raise ConfigError(f"{name} is {number}; it must be 0 or more")
    if n_bootstrap > MOST_SAMPLES:
        raise ConfigError(f"n_bootstrap is {n_bootstrap}; it must be at most {MOST_SAMPLES:,}")
    if by == "worker-pair" and (judgments.weight is not None or judgments.cluster is not None):
        raise ConfigError(
            "by worker-pair counts every item once, and these have weights or clusters; leave them away, or show labels"
        )
    if level == "ordinal" and judgments.n_labels > MOST_LABELS_IN_ORDER:
        raise ConfigError(
            f"level ordinal takes up to {MOST_LABELS_IN_ORDER} labels, not {judgments.n_labels:,}; "
            "merge some of them, or choose nominal"
        )


def _one_a_worker(judgments: Judgments) -> Judgments:
    """Without repeats: one of those that say the same, none of those that do not."""
    item, worker, label = judgments.item, judgments.worker, judgments.label
    repeats = (item[1:] == item[:-1]) & (worker[1:] == worker[:-1]) & judgments.is_person[worker[1:]]
    if not repeats.any():
        return judgments
    first = np.concatenate([[True], ~repeats])
    run = np.cumsum(first) - 1
    contradicted = np.zeros(run[-1] + 1, np.bool_)
    contradicted[run[1:][repeats & (label[1:] != label[:-1])]] = True
    return judgments.subset(first & ~contradicted[run])


class _Rows:
    """The table as it grows."""

    def __init__(self, n_items: int, n_judgments: int, n_bootstrap: int) -> None:
        self.n_items, self.n_judgments, self.n_bootstrap = n_items, n_judgments, n_bootstrap
        self.one_cluster = False
        self._texts: list[tuple[str | None, ...]] = []
        self._numbers: list[tuple[float, float, float]] = []
        self._counts: list[tuple[int, int]] = []

    def add(
        self,
        statistic: str,
        samples: Reals,
        missing: str,
        *,
        label: str | None = None,
        workers: tuple[str, str] | None = None,
        n_items: int | None = None,
    ) -> None:
        """A statistic: ``samples`` (1 + B,) are its value and that of all samples; ``missing`` says why it has none."""
        n = self.n_items if n_items is None else n_items
        value, drawn = float(samples[0]), samples[1:][~np.isnan(samples[1:])]
        low, high, reason = np.nan, np.nan, None
        if np.isnan(value):
            reason = missing
        elif n < 2:
            reason = ONE_ITEM
        elif self.one_cluster:
            reason = ONE_CLUSTER
        elif not self.n_bootstrap:
            reason = NO_BOOTSTRAP
        elif not len(drawn):
            reason = NO_SAMPLE
        else:
            low, high = (float(bound) for bound in np.quantile(drawn, INTERVAL))
        scope = "overall" if label is None and workers is None else "label" if workers is None else "pair"
        self._put((statistic, scope, label, *(workers or (None, None)), reason), (value, low, high), n_items)

    def add_count(self, statistic: str, value: int, reason: str) -> None:
        """A number that is counted, not estimated."""
        self._put((statistic, "overall", None, None, None, reason), (value, np.nan, np.nan), None)

    def _put(self, texts: tuple[str | None, ...], numbers: tuple[float, float, float], shared: int | None) -> None:
        self._texts.append(texts)
        self._numbers.append(numbers)
        self._counts.append((self.n_items, self.n_judgments) if shared is None else (shared, 2 * shared))

    def table(self) -> pd.DataFrame:
        """All rows."""
        import pyarrow as pa

        *names, reason = (pa.array(column, pa.string()) for column in zip(*self._texts, strict=True))
        texts = dict(zip(("statistic", "scope", "label", "worker_a", "worker_b"), names, strict=True))
        value, low, high = np.array(self._numbers).T.copy()
        n_items, n_judgments = np.array(self._counts).T.copy()
        numbers = {"value": value, "low": low, "high": high, "n_items": n_items, "n_judgments": n_judgments}
        return framed({**texts, **numbers, "reason": reason})


def _add_sums(
    rows: _Rows, judged: Judgments, items: NDArray[np.int32], level: Level, by: By, rng: np.random.Generator
) -> None:
    """Add the statistics of everything and, if asked for, of each label."""
    K = judged.n_labels
    names = ["krippendorff_alpha", "fleiss_kappa", "gwet_ac1", "percent_agreement"]
    if level == "ordinal":
        names.insert(1, "krippendorff_alpha_ordinal")
    overall = {name: np.full(1, np.nan) for name in names}
    of_labels = {name: np.full((1, K), np.nan) for name in ("krippendorff_alpha", "share")}
    missing, given = NO_OVERLAP, np.ones(K)
    if len(items):
        sums, times = units(judged, items, rng, by_pairs=level == "ordinal")
        rows.one_cluster = judged.cluster is not None and len(times) < 2
        given = times @ sums.given
        missing = ONE_LABEL
        parts = []
        for weights in _samples(times, rows.n_bootstrap, rng):
            one = sums.weighted(weights)  # large with many labels: what is kept of it are the statistics
            parts.append((one.overall(), one.by_label()))
        overall, of_labels = (
            {name: np.concatenate([part[scope][name] for part in parts]) for name in parts[0][scope]}
            for scope in (0, 1)
        )
    for name, numbers in overall.items():
        rows.add(name, numbers, missing)
    for k, label in enumerate(judged.labels if by == "label" else ()):
        for name, table in of_labels.items():
            rows.add(name, table[:, k], missing if given[k] else NOT_GIVEN, label=label)


def _samples(times: Times, n_bootstrap: int, rng: np.random.Generator) -> list[Times]:
    """``times`` (U,) each unit occurs, as a row, and then how often in each sample of as many, some samples at once."""
    n = max(round(float(times.sum())), 1)
    sizes = [min(AT_ONCE, n_bootstrap - begin) for begin in range(0, n_bootstrap, AT_ONCE)]
    return [times[None], *(rng.multinomial(n, times / times.sum(), size) for size in sizes)]


def _add_pairs(rows: _Rows, judged: Judgments, items: NDArray[np.int32], rng: np.random.Generator) -> None:
    """Add Cohen's kappa and the agreement of every pair of workers that share enough items."""
    K, W, per_item = judged.n_labels, judged.n_workers, judged.per_item[items]
    n_compared = int((per_item * (per_item - 1) // 2).sum())
    if n_compared > MOST_COMPARED:
        raise ConfigError(
            f"by worker-pair would compare {n_compared:,} pairs of judgments, and can {MOST_COMPARED:,}; "
            "give fewer items"
        )
    key = np.empty(n_compared, np.int64)
    tallies.worker_pairs(items, judged.item_start, judged.worker, judged.label, W, key)
    key.sort()
    pair, shared, agreed = np.empty((3, n_compared // LEAST_SHARED), np.int64)
    n_pairs = tallies.frequent_pairs(key, LEAST_SHARED, pair, shared, agreed)
    del key
    pair, shared = pair[:n_pairs], shared[:n_pairs]
    kept = np.sort(np.argsort(-shared, kind="stable")[:MOST_PAIRS])
    told = f"all that share {LEAST_SHARED} items are listed"
    if n_pairs > MOST_PAIRS:
        told = f"the {MOST_PAIRS:,} that share the most items are listed"
    rows.add_count("worker_pairs", n_pairs, told if n_pairs else f"no two workers share {LEAST_SHARED} items")
    pair, shared = pair[kept], shared[kept]
    cell = np.empty(shared.sum(), np.int64)
    sizes = np.array([W, K], np.int64)
    overlaps.answers_of_pairs(items, judged.item_start, judged.worker, judged.label, sizes, pair, cell)
    cell, times = np.unique(cell, return_counts=True)
    bounds = np.searchsorted(cell, np.arange(len(pair) + 1) * (K * K))
    for p, n in enumerate(shared.tolist()):
        own = slice(bounds[p], bounds[p + 1])
        weights = np.concatenate(_samples(times[own], rows.n_bootstrap, rng)).astype(np.float64) / n
        kappa, alike = _cohen(weights, cell[own] // K % K, cell[own] % K)
        a, b = (judged.worker_ids[code].as_py() for code in divmod(int(pair[p]), W))
        rows.add("cohen_kappa", kappa, SAME_OF_BOTH, workers=(a, b), n_items=n)
        rows.add("percent_agreement", alike, SAME_OF_BOTH, workers=(a, b), n_items=n)


def _cohen(weights: Reals, a: NDArray[np.int64], b: NDArray[np.int64]) -> tuple[Reals, Reals]:
    """Cohen's kappa and the share of agreement (B,): ``weights`` (B, m) are shares of the answers a, b (m,) of two."""
    labels = np.union1d(a, b)
    of_a, of_b = (weights @ (answers[:, None] == labels).astype(np.float64) for answers in (a, b))
    disagreement = weights @ (a != b).astype(np.float64)
    expected = (of_a * (1 - of_b)).sum(axis=1)
    return corrected(disagreement, expected), 1 - disagreement
