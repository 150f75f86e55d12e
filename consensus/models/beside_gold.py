"""A fit beside gold: made without it, and then calibrated on it; or, with little gold, made with gold clamped.

A fit that has not seen gold treats gold items like all others. So what it says of them shows how far it can be believed
elsewhere: its posteriors are calibrated on gold (``calibrating``), and gold items take what gold says. With fewer than
LEAST_GOLD gold items that were judged there is too little to calibrate on; then gold is clamped in EM.

Three things only gold can tell a fit:

1. Labels may be switched: EM ends at another optimum from where gold says that workers are good. Where that one gives
   many items other labels, and is right on clearly more gold items, the fit that is calibrated starts there, too;
   nor is gold clamped in it. ``Consensus.unaided`` remains the fit from the usual start: the choice of the other one
   depends on gold.
2. Many workers may agree on wrong labels. Where gold contradicts a camp of them, the fit begins again from gold, and
   they are believed no more than gold says (``gold_restart``).
3. Nobody but gold tells how good workers are where no item has two judgments, nor models with probabilities that met no
   people. Then a fit with gold clamped is a reading of its own in the calibration: what it says of gold items is their
   cavity (``models.cavity``), as if their gold were unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.found import gold_reach
from consensus.found.calibration import LEAST_GOLD, Calibration
from consensus.found.posterior import SparsePosterior
from consensus.models import calibrating, diagnostics, from_gold, label_units, rated, worker_weighted
from consensus.models.calibrating import Part
from consensus.models.fit_stages import Candidates
from consensus.models.from_gold import MOST_TRIED, Begun
from consensus.models.held import Held
from consensus.models.problem import posed
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import FitConfig
    from consensus.found.gold_reach import Reach
    from consensus.found.posterior import Posterior
    from consensus.found.result import Consensus
    from consensus.found.units import Units
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import AlignedVotes
    from consensus.models.base import Execution, Model
    from consensus.models.calibrating import Reading

    Flags = NDArray[np.bool_]
    Reals = NDArray[np.float64]

OTHERWISE = 0.02  # share of the items that another optimum must label otherwise to be one
SURELY = 2.0  # standard deviations by which gold must prefer another optimum, or other names of the labels
BLOCK = 1_000_000  # probabilities that are added up at once


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """What is fitted, and the gold beside it."""

    model: Model
    judgments: Judgments
    votes: AlignedVotes | None
    gold: AlignedGold
    settings: FitConfig
    run: Execution

    def clamped(self) -> Consensus:
        """The fit with gold clamped."""
        return self.model.fit(self.judgments, self.votes, self.gold, self.settings, self.run)

    def without(self, *, from_gold: bool = False) -> Consensus:
        """The fit that has not seen gold; or that has started from the workers' accuracies on it."""
        held = Held(self.gold, from_gold)
        return self.model.fit(self.judgments, self.votes, None, self.settings, self.run, held)


def fit(beside: Beside) -> Consensus:
    """The labels beside gold."""
    judgments, gold = beside.judgments, beside.gold
    unaided = beside.without()
    reach = gold_reach.of(judgments, gold, beside.votes, judgments.group_of_item)
    parts = _parts(beside, reach, unaided.units)
    n_gold = sum(int(part.gold.sum()) for part in parts)
    parts = [part for part in parts if part.n_gold >= LEAST_GOLD]
    reason = _left_out(unaided, n_gold, bool(parts), beside.settings)
    if reason is not None:
        clamped = from_gold.again(beside, beside.clamped(), clamped=True)
        result = replace(clamped.rated(clamped.result, beside), unaided=unaided.beliefs)
        assert result.gold_posterior is not None  # as wherever gold is clamped
        of_gold = clamped.of_gold(result.gold_posterior, beside)
        return replace(result, gold_posterior=of_gold, calibration=Calibration(n_gold, reason))
    saw, starts, begun = None, unaided.starts, Begun(unaided)
    if not unaided.identified or _vouches(beside, unaided):
        saw = beside.clamped()
        starts = saw.starts
        begun = Begun(unaided if unaided.identified else saw)
        if isinstance(saw.beliefs, SparsePosterior):
            told = Calibration(n_gold, "no item has two judgments, and labels are too many to weigh all of them")
            return replace(saw, unaided=unaided.beliefs, calibration=told)
    elif judgments.n_judgments <= MOST_TRIED or _renamed(unaided, gold):
        begun = from_gold.again(beside, _best_optimum(beside, unaided))
        starts = begun.result.starts
    beside.run.tell("calibrating on gold")
    parts = [replace(part, readings=_readings(beside, part, begun, saw)) for part in parts]
    found = begun.rated(_calibrated(beside, begun, begun.result is saw, parts), beside)
    return replace(found, unaided=unaided.beliefs, reach=reach, starts=starts)


def _parts(beside: Beside, reach: Reach | None, units: Units | None) -> list[Part]:
    """Items that people judged, and those that models alone judged, as far as gold speaks for them."""
    if reach is None:
        return []
    judged = beside.judgments.per_item > 0
    kinds = [judged] if beside.votes is None else [judged, ~judged & (beside.votes.per_item > 0)]
    within = [kind & reach.items for kind in kinds]
    unit = None if units is None else units.item[beside.gold.items]
    return [Part(items, items[beside.gold.items], (), unit) for items in within]


def _left_out(unaided: Consensus, n_gold: int, enough: bool, settings: FitConfig) -> str | None:
    """Why nothing is calibrated on so many gold items; None where it is."""
    if settings.calibration == "none":
        return "--calibration none was given"
    if settings.calibration is None and settings.rho is not None:
        return "--rho says how confidences are made (--calibration gold calibrates them besides)"
    if unaided.model == "majority_vote" and unaided.identified:
        return "a majority vote counts everybody alike"
    if unaided.judgments.n_labels < 2:
        return "there is one label only"
    if enough:
        return None
    are = "gold item that was judged is" if n_gold == 1 else "gold items that were judged are"
    if unaided.units is not None:
        return f"{n_gold:,} {are} too few to calibrate on, as weights and clusters count ({LEAST_GOLD} are needed)"
    return f"{n_gold:,} {are} too few to calibrate on ({LEAST_GOLD} are needed)"


def _vouches(beside: Beside, unaided: Consensus) -> bool:
    """Whether gold alone lets probabilities that models state be believed."""
    votes, models = beside.votes, unaided.models
    if votes is None or models is None:
        return False
    soft = votes.per_model(votes.row >= 0) > 0
    return bool((models.known & soft & ~models.believed & ~models.circular).any())


def _renamed(unaided: Consensus, gold: AlignedGold) -> bool:
    """Whether gold items fit the labels much better under other names: each label of the fit has one, by most gold."""
    from scipy.optimize import linear_sum_assignment

    best = unaided.peaks.best[gold.items]
    K = unaided.judgments.n_labels
    together = np.zeros((K, K))
    known = normalised(gold.accepted.astype(np.float64))
    units = unaided.units
    np.add.at(together, best, known if units is None else known * units.item[gold.items, None])
    rows, columns = linear_sum_assignment(-together)
    return _is_better(float(together[rows, columns].sum()), float(np.trace(together)))


def _is_better(n_one: float, n_other: float) -> bool:
    """Whether one of two is right on clearly more gold items; items on which both are may be counted or not."""
    return bool(n_one - n_other > SURELY * np.sqrt(n_one + n_other))


def _best_optimum(beside: Beside, unaided: Consensus) -> Consensus:
    """The fit from where gold says that workers are good, if it labels many items otherwise and gold agrees with it."""
    judgments, gold, run = beside.judgments, beside.gold, beside.run
    if not judgments.n_judgments:
        return unaided
    problem, _ = posed(judgments, beside.votes, None, beside.settings, run.backend, held=Held(gold, begins=True))
    if unaided.units is not None:
        problem = problem.counted(label_units.of(judgments, unaided.units, unaided.beliefs, run.backend))
    found = Candidates.of(problem, run)
    best = found.best.beliefs(found.problem, run.backend).peaks(run.backend).best
    usual, judged = unaided.peaks.best, judgments.per_item > 0
    if np.mean(best[judged] != usual[judged]) < OTHERWISE:
        return unaided
    of_gold = np.arange(len(gold.items))
    right, usually = (gold.accepted[of_gold, one[gold.items]] for one in (best, usual))
    each = np.ones(len(gold.items)) if unaided.units is None else unaided.units.item[gold.items]
    if not _is_better(float(each @ (right & ~usually)), float(each @ (usually & ~right))):
        return unaided
    other = beside.without(from_gold=True)
    return replace(other, starts={**unaided.starts, **other.starts})


def _readings(beside: Beside, part: Part, begun: Begun, clamped: Consensus | None) -> tuple[Reading, ...]:
    """What is calibrated on the items of a part."""
    base = begun.result
    judgments, votes, backend = beside.judgments, beside.votes, beside.run.backend
    found = []
    if clamped is not None:
        assert clamped.gold_posterior is not None
        found.append(calibrating.of_beliefs("clamped", clamped.beliefs, clamped.gold_posterior))
    if base is not clamped:
        told = None
        if begun.knowing is not None:
            told = begun.of_gold(base.beliefs.dense(beside.gold.items.astype(np.int64)), beside)
        found.append(calibrating.of_beliefs("fit", base.beliefs, told))
    if isinstance(base.beliefs, SparsePosterior) or begun.knowing is not None:
        return tuple(found)
    if base is not clamped and not judgments.is_weighed and (judgments.per_item[part.items] > 0).all():
        several = base.readings
        weight = worker_weighted.fit(judgments, backend).weight if several is None else several.worker_weight
        found.append(calibrating.of_workers("weighted", judgments, weight))
    if votes is not None and not judgments.n_judgments and (votes.row < 0).all():
        counts = np.zeros((judgments.n_items, judgments.n_labels))
        np.add.at(counts, (votes.item, votes.label), 1.0)
        found.append(calibrating.of_counts("votes", counts))
        if 1 < votes.n_models <= calibrating.MOST_MODELS:
            found += calibrating.of_models("model", votes, judgments.n_labels)
    return tuple(found)


def _calibrated(beside: Beside, begun: Begun, saw_gold: bool, parts: list[Part]) -> Consensus:
    """The fit that was ``begun``, calibrated, its workers rated anew by what comes of it."""
    judgments, gold, backend, base = beside.judgments, beside.gold, beside.run.backend, begun.result
    before = base.beliefs
    of_gold = base.gold_posterior if saw_gold else before.dense(gold.items.astype(np.int64))
    assert of_gold is not None
    of_gold = begun.of_gold(of_gold, beside)
    found = calibrating.calibrated(before, of_gold, gold, judgments, parts, backend)
    items = np.any([part.items for part in parts], axis=0)
    others = items.copy()
    others[gold.items] = False
    judged = judgments.per_item > 0
    judged[gold.items] = True
    if beside.votes is not None:
        judged |= beside.votes.per_item > 0
    moved = _mass(before, others) - _mass(found.beliefs, others)
    told = Calibration(
        n_gold=sum(int(part.gold.sum()) for part in parts),
        weights=found.weights,
        items=items,
        overstated=moved / max(int(others.sum()), 1),
        relabelled=int((before.peaks(backend).best != found.beliefs.peaks(backend).best)[others].sum()),
        by_label=found.by_label,
        before=before,
        gold_before=of_gold,
        saw_gold=saw_gold,
    )
    power = base.tempering.power(judgments.per_item, slice(None))
    confusions = rated.by(base, found.beliefs, power, backend)
    shares = normalised(_mass(found.beliefs, judged, base.units) + 1.0)
    warnings = [one for one in base.warnings if one.code != "near_chance"]
    return replace(
        base,
        beliefs=found.beliefs,
        confusions=confusions,
        prior_shares=shares,
        warnings=(*warnings, *diagnostics.near_chance(judgments, confusions, shares)),
        gold=gold,
        gold_posterior=found.gold_posterior,
        calibration=told,
    )


def _mass(beliefs: Posterior, items: Flags, units: Units | None = None) -> Reals:
    """(K,) items of each label, of some ``items`` (I,), in ``units``."""
    each = np.ones(len(items)) if units is None else units.item
    if isinstance(beliefs, SparsePosterior):
        n_each = np.diff(beliefs.start)
        own = np.repeat(items, n_each)
        more = (beliefs.z - np.repeat(beliefs.rest, n_each)) * np.repeat(each, n_each)
        mass = np.bincount(beliefs.candidate[own], more[own], beliefs.n_labels)
        return np.asarray(mass + (beliefs.rest * each)[items].sum(), np.float64)
    chosen = np.flatnonzero(items)
    step = max(BLOCK // beliefs.n_labels, 1)
    blocks = [chosen[at : at + step] for at in range(0, len(chosen), step)]
    parts = [(beliefs.dense(own) * each[own, None]).sum(axis=0) for own in blocks]
    return np.asarray(np.sum(parts, axis=0) + np.zeros(beliefs.n_labels), np.float64)
