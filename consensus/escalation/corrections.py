"""How far a look-ahead is to be trusted: learnt from judgments that are held back, one of each item at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.posterior import DensePosterior
from consensus.inputs.vocabulary import hashed, mixed
from consensus.models.cavity import log_likelihoods
from consensus.models.held_out_rho import AVERAGE_RHO, USUAL_RHO
from consensus.models.held_out_rho import ENOUGH as ENOUGH_JUDGMENTS
from consensus.models.held_out_rho import FEW as FEW_JUDGMENTS
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus

    Reals = NDArray[np.float64]
    Codes = NDArray[np.int64]

MOST_LABELS = 32  # labels up to which confusions are walked, and judgments held back
MOST_CELLS = 400_000  # judgments times labels that are learnt from: three numbers need no more
LEAST_POWER, MOST_POWER = 0.7, 1.3  # of the evidence of a further judgment ...
SHRUNK = 0.6  # ... which is what past ones were worth, to this power: part of it is chance
SPREAD = 0.5  # standard deviation, before any judgment was held back, of the logarithm of what they are worth
MOST_HEDGED = 2 / 3  # of the class prior ...
RARE = 0.25  # ... as if no label had less of an even share: hardly any item can have what is rarer
USUAL_TARGET = 0.95
HORIZON = 10  # judgments of an item that are looked ahead at most; a round brings one
KEPT = 0.75  # of items that are foretold to be settled, share that are, from three judgments or fewer; ...
KEPT_OF_AVERAGE = 0.6  # ... of an average of readings, some of which come to know hard items as such; ...
TOLD_BY_GOLD = 0.5  # ... times the slope of calibration to this power, where gold has told what the average is worth
STRETCH = 0.27  # root mean square of the logarithm of its stretch after replays over that before, of eleven crowds
UNDONE = 0.5  # share of the tempering to come that calibration on gold, made anew by then, is taken to undo
LEAST_SLOPE, MOST_SLOPE = 0.5, 2.0  # of calibration: how far its stretch is carried on to judgments to come
LEAST_PROBABILITY = 1e-6  # below, one says no more
FEW, ENOUGH = 3, 5  # judgments between which all comes to be kept: what is hard has shown by then


@dataclass(frozen=True, slots=True)
class Corrections:
    """What a look-ahead is corrected by; as it stands, by nothing."""

    evidence: float = 1.0
    """Power of the likelihood of every further judgment."""
    kept: float = 1.0
    """Of items with few judgments that are foretold to be settled, the share that are: the others are hard."""
    kept_calibrated: float | None = None
    """The same of calibrated items; None: as of the others."""
    hedge: float = 0.0
    """Power of the class prior that the ranking does without."""
    rho: tuple[float, ...] = ()
    """By which items will be tempered now and after each round of judgments, where that changes."""
    slope: float = 1.0
    """Of calibrated items, how far calibration stretched the logarithms of posteriors, beside its intercepts."""
    stretches: tuple[float, ...] = (1.0,)
    """Of calibrated items, how far beyond this calibration made anew may stretch them, one as probable as another."""

    def power(self, power: Reals, n_judgments: int, calibrated: bool = False) -> Reals:
        """(M+1,) the tempering with 0 to M more than ``n_judgments``, from what it would be were all as now.

        A further judgment of ``calibrated`` items is stretched as the others are.
        """
        if calibrated:
            power = self.slope * power[0] ** UNDONE * power ** (1.0 - UNDONE)
        more = np.arange(len(power))
        if not self.rho:
            return power
        others, rho = np.maximum(n_judgments + more - 1, 0), np.array(self.rho)[more.clip(max=len(self.rho) - 1)]
        return np.asarray(power * (1.0 + self.rho[0] * others) / (1.0 + rho * others), np.float64)

    def settled(self, n_judgments: int, calibrated: bool = False) -> float:
        """Share of the items with so many judgments that are settled, of those foretold to be."""
        few = np.clip((ENOUGH - n_judgments) / (ENOUGH - FEW), 0.0, 1.0)
        kept = self.kept_calibrated if calibrated and self.kept_calibrated is not None else self.kept
        return float(1.0 - few * (1.0 - kept))


def usual_hedge(n_labels: int) -> float:
    """Power of the class prior that the ranking does without: none for two labels, 1/2 for three, to 2/3 from five on.

    What is wrong with a learnt prior is wrong for all items at once, most where judgments are few, and whatever it
    decides looks settled without anybody having judged it so. Of more labels there are more shares to be wrong about.
    Of two labels it saves judgments where they are truly even (``bluebird``), and wastes them where one is truly
    common (``zencrowd_us``).
    """
    return 0.0 if n_labels < 3 else min((n_labels - 1) / (n_labels + 1), MOST_HEDGED)


def learnt(result: Consensus, target: float = USUAL_TARGET) -> Corrections:
    """The corrections that held-back judgments ask for; none where models voted, or labels are very many.

    Of every item of a sample one judgment after another is taken out of the counts of its worker and of the item's
    posterior, which then foretells it. ``evidence`` is the power of these posteriors that foretells best, drawn to 1:
    above 1 judgments agree more than the model has it.

    Hard items can't be told from bad workers by two and three judgments, so that what share of items stays unsettled is
    that of public crowds. Items of two labels that differ by 0, 1 and 2 logits, their workers such that judgments agree
    alike: of the unsettled ones the average foretells .37, .35 and .35 to be settled, and .66, .27 and .11 are (ten
    draws of 600 items, three judgments each, up to seven). Nor do judgments that are held back tell: over eleven crowds
    the share that is kept does not follow what one more did beside what it was foretold to do (rank correlation -.1).
    Gold does: where calibration on it makes items less sure, an average keeps fewer.
    """
    judgments = result.judgments
    K, cells = judgments.n_labels, result.confusions.counts
    known = isinstance(result.beliefs, DensePosterior) and 1 < K <= MOST_LABELS and result.identified
    if not known or result.models is not None or len(cells) != K * len(result.confusions.row_label):
        return Corrections()
    items = _sample(result, np.flatnonzero(judgments.per_item > 1))
    own, log_C, log_prior = _held_back(result, items)
    evidence = float(np.clip(_worth(own, log_C, log_prior) ** SHRUNK, LEAST_POWER, MOST_POWER))
    slope = _slope(result)
    return Corrections(
        evidence=evidence,
        kept=KEPT if result.readings is None else KEPT_OF_AVERAGE,
        kept_calibrated=None if result.readings is None else KEPT_OF_AVERAGE * slope**TOLD_BY_GOLD,
        hedge=usual_hedge(K),
        rho=_rho_ahead(result, target),
        slope=slope,
        stretches=(math.exp(-STRETCH), math.exp(STRETCH)),
    )


def _slope(result: Consensus) -> float:
    """How much wider calibration spread the logarithms of posteriors of items that are not gold; 1 without any.

    Their ratio of standard deviations, with an intercept a label. What other readings of an item added counts, too:
    they will hear a further judgment as well.
    """
    told = result.calibration
    if told is None or told.before is None or told.items is None or result.gold is None:
        return 1.0
    calibrated = told.items & (result.judgments.per_item > 0)
    calibrated[result.gold.items] = False
    items = _sample(result, np.flatnonzero(calibrated))
    before, now = (_spread(one.dense(items)) for one in (told.before, result.beliefs))
    return float(np.clip(now / before, LEAST_SLOPE, MOST_SLOPE)) if before > 0.0 else 1.0


def _spread(posterior: Reals) -> float:
    """Of the logarithms of a posterior (n, K), between items and labels."""
    x = np.log(np.maximum(posterior, LEAST_PROBABILITY))
    x -= x.mean(axis=1, keepdims=True)
    return float(np.sqrt(((x - x.sum(axis=0) / max(len(x), 1)) ** 2).sum()))


def _rho_ahead(result: Consensus, target: float) -> tuple[float, ...]:
    """Of an average of readings, that is tempered less once there are more judgments: round by round, if it changes.

    In a round the items that are not settled get one judgment each.
    """
    judgments, now = result.judgments, result.tempering.rho
    if result.readings is None or result.config.rho is not None:
        return ()
    n = max(int(np.count_nonzero(judgments.per_item)), 1)
    asked = np.count_nonzero(result.peaks.confidence < target) / n
    mean = judgments.n_judgments / n + asked * np.arange(HORIZON + 1)
    found = np.interp(mean, (FEW_JUDGMENTS, ENOUGH_JUDGMENTS), (USUAL_RHO, AVERAGE_RHO))
    return () if found[-1] == now else tuple(found.tolist())


def _sample(result: Consensus, items: Codes) -> Codes:
    """Some of the items, by a hash of their ids: the same data, the same ones."""
    import pyarrow as pa

    judgments = result.judgments
    share = MOST_CELLS / max(int(judgments.per_item[items].sum()) * judgments.n_labels, 1)
    if share >= 1.0:
        return items
    return items[mixed(hashed(judgments.item_ids.take(pa.array(items)))) / 2.0**64 < share]


def _held_back(result: Consensus, items: Codes) -> tuple[Codes, Reals, Reals]:
    """(n,) the item of each of their judgments; (n, K) log P(observed | true) without it; (G, K) log prior."""
    judgments, of = result.judgments, result.confusions
    own, at = judgments.of_items(items)
    worker, label = judgments.worker[at], judgments.label[at]
    A, n = of.pseudo_counts, of.totals()[worker]
    N = of.counts.reshape(-1, judgments.n_labels)[of.rows_of(worker, label)]
    C = (N + A.T[label]) / np.maximum(n + A.sum(axis=1), 1e-300)
    if result.terms is None:
        log_prior = np.tile(np.log(np.maximum(result.prior_shares, 1e-300)), (len(items), 1))
    else:
        log_prior = result.terms.log_priors(items, result.beliefs)
    each = None if result.units is None else result.units.judgment[at]
    return own, log_likelihoods(own, worker, label, (N, n, C), A, log_prior, each), log_prior


def _worth(own: Codes, log_C: Reals, log_prior: Reals) -> float:
    """Power of the posteriors of the other judgments by which they foretell best the one that is held back."""
    from scipy.optimize import minimize_scalar

    whole = log_prior.copy()
    np.add.at(whole, own, log_C)
    others = whole[own] - log_C
    others -= others.max(axis=1, keepdims=True)
    likelihood = np.exp(log_C)

    def loss(log_power: float) -> float:
        foretold = (normalised(np.exp(others * np.exp(log_power))) * likelihood).sum(axis=1)
        return float(0.5 * (log_power / SPREAD) ** 2 - np.log(foretold).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded", options={"xatol": 1e-4}).x))
