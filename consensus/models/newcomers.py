"""Accounts with few judgments that contradict the experienced, taken together: such as the many accounts of one person.

An account with one to three judgments tells nothing by itself, so it is taken to be a worker like all others; and many
that share one wrong answer outvote everybody. But taken together they are well known. Workers are put into bands by
their activity (``BANDS``); with at least EXPERIENCED judgments they are experienced. On the items that two of the
experienced or more judged, with a band as well, kappa is the agreement of two judgments beyond chance (Cohen 1960): of
the band with the experienced, kappa_b, and of the experienced with each other, kappa_e, every item counted once for
each judgment of the band. Both are sums over items, so their spread is known, and a band is at odds if

    kappa_e > 0                  by ANCHORED standard errors,   and
    kappa_b < SHARE kappa_e      by CLEARLY standard errors,

and none of the experienced side with the band: where these are of two camps, such as colluders and others, newcomers
may be right with the smaller one. Who sides with it has a kappa with it that is SIDING above 0 and above that of all,
drawn to this as far as chance explains the difference; they may make SIDED of the experienced judgments. Clamped gold
has a veto: a band that is right on it as often as the experienced is not at odds.

Who is in a band at odds is not taken for a worker like all others any more, but as one with the whole band
(``newcomers_as_one``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import segments
from consensus.found.cautions import Caution
from consensus.inputs.counted import counted
from consensus.kernels import newcomer_loops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.segments import Segment

    Reals = NDArray[np.float64]
    Flags = NDArray[np.bool_]

BANDS = (4, 9)  # judgments of an account, at most, by band
EXPERIENCED = BANDS[-1] + 1  # judgments of a worker, at least
LEAST = 20  # judgments of a band on items that experienced workers judged
SHARE = 0.6  # of kappa_e, below which a band is at odds
CLEARLY, ANCHORED = 3.0, 1.5  # standard errors
SIDED = 0.1  # share of the experienced judgments by those who side with the band, at most
SIDING = 0.1  # kappa with the band of an experienced worker who does, above 0 and above that of all
LEAST_GOLD = 5  # judgments on gold, of a band and of the experienced, for gold to have a say


@dataclass(frozen=True, slots=True, eq=False)
class Newcomers:
    """The bands that are at odds with the experienced."""

    band: NDArray[np.int32]
    """(W,) of every worker, -1 of those who are not in a band at odds."""
    n_bands: int
    """Bands that are told apart in ``band``; some may be empty."""
    n_judgments: int
    """Of those who are."""
    agreed: float
    """Share of judgments of the experienced on the same items that say the same."""
    expected: float
    """The same of the experienced among each other, on these items."""
    within: float
    """Share of pairs of judgments of a band, on one item, that agree; NaN where there are none."""
    power: Reals
    """(B,) what a judgment of each band counts for, 0 to 1: less than 1 where they err together."""

    @property
    def apart(self) -> Flags:
        """(W,) who is no such newcomer."""
        return self.band < 0

    def apart_from(self, workers: NDArray[np.integer]) -> Newcomers:
        """The same without some ``workers`` (n,), who are known otherwise."""
        band = self.band.copy()
        band[workers] = -1
        return replace(self, band=band)

    def together(self, values: NDArray[Any]) -> NDArray[Any]:
        """(W,) what is counted for each worker, ``values``; for newcomers, the sum of their band."""
        found = values.copy()
        for b in range(self.n_bands):
            found[self.band == b] = values[self.band == b].sum()
        return found


def at_odds(judgments: Judgments, gold: AlignedGold | None, backend: Backend) -> Newcomers | None:
    """The newcomers that contradict the experienced, by ``judgments`` and clamped ``gold``; None: no band does.

    Not where judgments have weights, or items stand in clusters: there items are not told apart by counting them.
    """
    if judgments.n_labels < 2 or judgments.is_weighed:
        return None
    n, band = judgments.per_worker, np.full(judgments.n_workers, -1, np.int32)
    for b, most in reversed([*enumerate(BANDS)]):
        band[(n > 0) & (n <= most)] = b
    band[n >= EXPERIENCED] = len(BANDS)
    of_band = [int(n[band == b].sum()) for b in range(len(BANDS) + 1)]
    if max(of_band[:-1]) < LEAST or not of_band[-1]:
        return None
    told = _told(judgments, band, backend)
    odd = [b for b in range(len(BANDS)) if told.is_at_odds(b) and not _vouched(judgments, gold, band, b)]
    if not odd:
        return None
    of_odd = np.where(np.isin(band, [*odd, len(BANDS)]), band, np.int32(-1))
    if _sided_with(judgments, of_odd, float(told.chances[odd, 0].mean()), backend):
        return None
    sums, within = told.sums[odd].sum(axis=0), told.within[odd].sum(axis=0)
    return Newcomers(
        np.where(np.isin(band, odd), band, np.int32(-1)),
        len(BANDS),
        sum(of_band[b] for b in odd),
        float(sums[1] / sums[0]),
        float(sums[2] / sums[0]),
        float(within[1] / within[0]) if within[0] else np.nan,
        np.array([told.power(b, of_band[b]) if b in odd else 1.0 for b in range(len(BANDS))]),
    )


def disagree(judgments: Judgments, found: Newcomers) -> Caution:
    """Say who contradicts the experienced, and what was done about it."""
    n_accounts = int((~found.apart).sum())
    most = BANDS[int(found.band.max())]
    each_other = "" if np.isnan(found.within) else f", and with each other in {found.within:.0%}"
    share = found.n_judgments / judgments.n_judgments
    values = {
        "n_workers": float(n_accounts),
        "n_judgments": float(found.n_judgments),
        "share": share,
        "agreed": found.agreed,
        "expected": found.expected,
    }
    return Caution(
        "newcomers_disagree",
        f"{counted(n_accounts, 'worker')} with at most {most} judgments each ({found.n_judgments:,} judgments, "
        f"{share:.0%} of all) agree with experienced workers in {found.agreed:.0%} of the cases{each_other}; "
        f"experienced workers agree with each other in {found.expected:.0%}. So these newcomers count as one worker, "
        "and their answers as far as experienced workers confirm them; only gold on such items (--gold) tells who is "
        "right",
        values if np.isnan(found.within) else {**values, "within": found.within},
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What ``newcomer_loops.with_experienced`` sums up, over all items."""

    sums: Reals
    moments: Reals
    given: Reals
    within: Reals

    @property
    def chances(self) -> Reals:
        """(B, 2) agreement by chance, with the experienced and of these with each other; NaN of empty bands."""
        with np.errstate(invalid="ignore", divide="ignore"):
            share = self.given / self.given.sum(axis=2, keepdims=True)
        return np.stack([(share[:, 0] * share[:, 1]).sum(axis=1), (share[:, 1] ** 2).sum(axis=1)], axis=1)

    def is_at_odds(self, b: int) -> bool:
        """Whether a band is."""
        by_chance, of_old = self.chances[b].tolist()
        if self.sums[b, 0] < LEAST or max(by_chance, of_old) >= 1.0:
            return False
        old = np.array([-of_old, 0.0, 1.0]) / (1.0 - of_old)
        new = np.array([-by_chance, 1.0, 0.0]) / (1.0 - by_chance)
        return self._errors(b, old) > ANCHORED and self._errors(b, SHARE * old - new) > CLEARLY

    def power(self, b: int, n_judgments: int) -> float:
        """1 / (1 + rho (m - 1)), with m the judgments of the band on the item of one of them, in the mean.

        Those who share a wrong answer agree more often than coins do that are right as often; rho is by how much, from
        0 to 1 where they always do.
        """
        n, agreed, among_old = self.sums[b].tolist()
        pairs, same = self.within[b].tolist()
        K = self.given.shape[2]
        old = _right(among_old / n, None, K)
        new = _right(agreed / n, old, K)
        alone = float(new**2 + (1.0 - new) ** 2 / (K - 1))
        if not pairs or alone >= 1.0:
            return 1.0
        rho = float(min(max((same / pairs - alone) / (1.0 - alone), 0.0), 1.0))
        return float(1.0 / (1.0 + rho * 2.0 * pairs / n_judgments))

    def _errors(self, b: int, weight: Reals) -> float:
        """How many standard errors the mean of a weighted sum of (a, x, y) lies above 0; items are independent."""
        total = float(weight @ self.sums[b])
        apart = weight - np.array([total / self.sums[b, 0], 0.0, 0.0])
        return total / float(np.sqrt(max(apart @ self.moments[b] @ apart, 1e-12)))


def _right(agreement: float, other: float | None, n_labels: int) -> float:
    """How often one coin is right that agrees so often with one that is right with ``other``; None: with its like."""
    K = n_labels
    if other is None:  # a^2 + (1 - a)^2 / (K - 1) = agreement
        return float((1.0 + np.sqrt(max((K - 1) * (K * agreement - 1.0), 0.0))) / K)
    even = (1.0 - other) / (K - 1)
    return float(np.clip((agreement - even) / max(other - even, 1e-9), 0.0, 1.0))


def _told(judgments: Judgments, band: NDArray[np.int32], backend: Backend) -> _Told:
    """The sums of all shards."""
    parts = segments.cut(judgments, segments.shards(judgments), (judgments.worker, judgments.label))
    found = backend.each(_with_experienced, backend.scatter(parts), band, judgments.n_labels)
    return _Told(*(np.sum(one, axis=0) for one in zip(*found, strict=True)))


def _with_experienced(segment: Segment, band: NDArray[np.int32], K: int) -> tuple[Reals, ...]:
    B = len(BANDS)
    found = np.zeros((B, 3)), np.zeros((B, 3, 3)), np.zeros((B, 2, K)), np.zeros((B, 2))
    newcomer_loops.with_experienced(segment.start, *segment.columns, band, *found)
    return found


def _sided_with(judgments: Judgments, band: NDArray[np.int32], by_chance: float, backend: Backend) -> bool:
    """Whether some of the experienced side with the newcomers at odds, all who have another ``band`` (W,) than -1."""
    parts = segments.shards(judgments, 3 * judgments.n_workers)
    found = backend.scatter(segments.cut(judgments, parts, (judgments.worker, judgments.label)))
    told = np.sum(backend.each(_with_newcomers, found, band, judgments.n_labels), axis=0)
    share, n = shrunk(*told[told[:, 0] > 0].T), told[told[:, 0] > 0, 0]
    usual = max(by_chance, float(told[:, 1].sum() / n.sum()))
    beyond = (share - usual) / (1.0 - by_chance) > SIDING
    return bool(n[beyond].sum() > SIDED * n.sum())


def _with_newcomers(segment: Segment, band: NDArray[np.int32], K: int) -> Reals:
    found = np.zeros((len(band), 3))
    newcomer_loops.with_newcomers(segment.start, *segment.columns, band, len(BANDS), K, found)
    return found


def shrunk(n: Reals, sums: Reals, squares: Reals) -> Reals:
    """(w,) the mean of each worker's values, drawn to that of all as far as chance explains that they differ.

    Of ``n`` (w,) values with these ``sums`` and sums of ``squares``; by the analysis of variance (Searle, Casella &
    McCulloch 1992, *Variance Components*, chapter 3).
    """
    total, mean = n.sum(), sums.sum() / n.sum()
    own = sums / n
    inner = float((squares - n * own**2).sum()) / max(total - len(n), 1.0)
    outer = float((n * (own - mean) ** 2).sum()) - (len(n) - 1) * inner
    between = max(outer, 0.0) / max(total - float((n**2).sum()) / total, 1e-9)
    weight = between / np.maximum(between + inner / n, 1e-12)
    return np.asarray(mean + weight * (own - mean), np.float64)


def _vouched(judgments: Judgments, gold: AlignedGold | None, band: NDArray[np.int32], b: int) -> bool:
    """Whether a band is right on ``gold`` as often as the experienced."""
    if gold is None:
        return False
    own, judgment = judgments.of_items(gold.items)
    right = gold.accepted[own, judgments.label[judgment]]
    new, old = (band[judgments.worker[judgment]] == one for one in (b, len(BANDS)))
    if min(int(new.sum()), int(old.sum())) < LEAST_GOLD:
        return False
    return bool(right[new].mean() >= right[old].mean())
