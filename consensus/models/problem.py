"""What EM is run on: judgments as they are laid out, the prior to start from, gold, and the votes of models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus import memory
from consensus.errors import JudgmentError
from consensus.found.tempering import Tempering
from consensus.inputs.model_doubts import Doubts
from consensus.inputs.model_votes import ModelFindings
from consensus.models import (
    diagnostics,
    memory_needs,
    newcomers,
    one_label,
    pooled_prior,
    units,
    votes_contact,
    votes_echo,
    votes_people,
    votes_shared,
)
from consensus.models.base import Execution
from consensus.models.dense_layout import Rows
from consensus.models.expectation_maximisation import climb
from consensus.models.layout import lay_out
from consensus.models.priors import Priors, VotedPriors, of_class
from consensus.models.sparse_layout import Cells
from consensus.models.votes_prior import VotesPrior

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.config import FitConfig, Prior
    from consensus.found.units import Units
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import AlignedVotes, Weights
    from consensus.models.bounds import Bounds
    from consensus.models.carried import Parameters
    from consensus.models.expectation_maximisation import Estimate
    from consensus.models.held import Held
    from consensus.models.layout import Layout
    from consensus.models.newcomers import Newcomers
    from consensus.models.one_label import OneLabel
    from consensus.models.states import States
    from consensus.models.votes_people import PeopleAlone

OUTSIDE = 0.5  # share of the judged items that models must have voted on for a view from outside
PEOPLE_TOLERANCE = 1e-5  # nats a judgment, of the fit without models: they are held against it, no more
FEW_WORKERS = 5  # beside model votes, fewer tell too little about how workers err to learn a prior from


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What EM is run on."""

    judgments: Judgments
    rows: Rows
    """The judgments by observed row."""
    layout: Layout
    """What EM works on: ``rows`` where all labels of every item are weighed."""
    accepted: NDArray[np.bool_]
    """(G, K) accepted labels of gold items."""
    prior_row: NDArray[np.int32]
    """(I,) 0 for items without gold, g + 1 for gold item g."""
    prior: Prior
    pseudo_counts: NDArray[np.float64]
    """(K, K) A to start from (prior="learnt") or to keep."""
    max_iterations: int
    tolerance: float
    small: bool = False
    """Too few judgments to learn the prior of the confusions and rho from."""
    votes: VotesPrior | None = None
    """What models say; None without them."""
    differ: bool | None = None
    """Whether workers, or groups, see different labels (``label_mixes``); None where that is still to be seen."""
    states: States | None = None
    """States that items may be in, over which ``layout``, ``accepted`` and ``pseudo_counts`` then are; None: labels."""
    one_label: OneLabel | None = None
    """Who gives one label only and is silent elsewhere, where there are any."""
    newcomers: Newcomers | None = None
    """Accounts with few judgments that contradict the experienced, where there are any."""
    guide: AlignedGold | None = None
    """Gold that EM starts from and does not see; None: it starts from the majority, or sees gold."""
    bounds: Bounds | None = None
    """Whom the fit believes no more than gold does, with a ``guide``; None: nobody."""
    before: Parameters | None = None
    """Carried from an earlier fit, which the start follows from; None: nothing is."""
    of_labels: Estimate | None = None
    """With ``states``, what was found over labels: the class prior and the priors of items are taken from it."""

    @classmethod
    def of(cls, judgments: Judgments, gold: AlignedGold | None, settings: FitConfig, backend: Backend) -> Problem:
        """The problem that ``judgments`` and ``gold`` pose."""
        counted = units.of(judgments, backend)
        rows = Rows.of(judgments, backend, counted)
        layout = lay_out(judgments, rows, gold)
        silent: OneLabel | None = None
        if layout is rows and counted is None:
            layout, silent = one_label.set_apart(judgments, gold, rows, backend)
            rows = layout
        odd = None
        if layout is rows and settings.prior != "none":
            odd = newcomers.at_odds(judgments, gold, backend)
            if odd is not None and silent is not None:
                odd = odd.apart_from(np.append(silent.worker, silent.mute))
        prior_row = np.zeros(judgments.n_items, np.int32)
        accepted = np.zeros((0, judgments.n_labels), np.bool_)
        if gold is not None:
            accepted = gold.accepted
            prior_row[gold.items] = np.arange(1, len(gold.items) + 1)
        small = diagnostics.is_small(judgments, None if odd is None else odd.apart)
        fallback = small and settings.prior == "learnt"
        prior: Prior = "fixed" if fallback else settings.prior
        A = pooled_prior.one_coin(judgments.n_labels) if fallback else pooled_prior.fixed(judgments.n_labels)
        return cls(
            judgments=judgments,
            rows=rows,
            layout=layout,
            accepted=accepted,
            prior_row=prior_row,
            prior=prior,
            pseudo_counts=np.zeros_like(A) if prior == "none" else A,
            max_iterations=settings.max_iterations,
            tolerance=settings.tolerance,
            small=small,
            one_label=silent,
            newcomers=odd,
        )

    def counted(self, counts: Units | None) -> Problem:
        """The same problem where items and judgments count for other units."""
        rows = replace(self.rows, units=counts)
        layout = replace(self.layout, rows=rows) if isinstance(self.layout, Cells) else rows
        votes = None if self.votes is None else self.votes.weighed(counts)
        return replace(self, rows=rows, layout=layout, votes=votes)

    @property
    def units(self) -> Units | None:
        """What items and judgments count for; None where each counts as one."""
        return self.rows.units

    def over(self, states: States, of_labels: Estimate) -> Problem:
        """The same problem over ``states`` in place of labels, all of which must be weighed; these were fitted."""
        return replace(
            self,
            layout=self.rows.over(states.n),
            accepted=states.over(self.accepted),
            pseudo_counts=np.ascontiguousarray(states.over(self.pseudo_counts.T).T),
            states=states,
            of_labels=of_labels,
        )

    @property
    def weighs_all_labels(self) -> bool:
        """Every label of every item and row has its place in a table."""
        return self.layout is self.rows

    @property
    def has_outside_view(self) -> bool:
        """Models voted on half of the items that people judged, or more: something else may contradict people."""
        return self.votes is not None and self.votes.share_beside >= OUTSIDE

    @property
    def doubt(self) -> float:
        """Probability that what looks from outside repeats people."""
        return 0.0 if self.votes is None else self.votes.doubt

    @property
    def n_opinions(self) -> float:
        """Judgments and votes, in units: what the tolerance is counted by."""
        return self.rows.n_opinions + (0 if self.votes is None else self.votes.n_opinions)

    def priors(self, pi: NDArray[np.float64], weights: Weights | None, backend: Backend) -> Priors:
        """The prior of every item: pi, restricted to the accepted labels of gold; or its own where models voted."""
        if self.votes is not None:
            return VotedPriors(self, self.votes).made(pi, weights or self.votes.start, backend)
        table = of_class(pi, self.accepted)
        return Priors(table, self.prior_row, len(table))


def posed(
    judgments: Judgments,
    votes: AlignedVotes | None,
    gold: AlignedGold | None,
    settings: FitConfig,
    backend: Backend,
    n_states: int = 0,
    held: Held | None = None,
) -> tuple[Problem, ModelFindings | None]:
    """The problem, and with model votes which of the models are believed what.

    With ``n_states``, also readings finer than labels are to be fitted, of so many states at most. ``held`` is gold
    that the fit does not see: it decides which models are known and what is warned of, but not what is believed of them
    in the fit.

    Raises
    ------
    ConfigError
        A fit would need more memory than it may have.
    JudgmentError
        There are model votes, or groups, beside so many labels that not all of them can be weighed.
    """
    needed = memory_needs.of(judgments, votes, n_states=n_states, gold=held is not None).peak
    of_several = " by an average of readings (--model dawid_skene needs less)" if n_states else ""
    memory.refuse(needed, settings.memory, f"a fit of {judgments!r}{of_several}")
    problem = Problem.of(judgments, gold, settings, backend)
    if held is not None and held.begins:
        problem = replace(problem, guide=held.gold, bounds=held.bounds)
    if judgments.group is not None and not problem.weighs_all_labels:
        raise JudgmentError(
            f"groups beside {judgments.n_labels:,} labels on {judgments.n_items:,} items: too many for a table of all "
            "items and labels; leave out rare labels, or --group"
        )
    if votes is None:
        return problem, None
    if not problem.weighs_all_labels:
        raise JudgmentError(
            f"model votes beside {judgments.n_labels:,} labels on {judgments.n_items:,} items: too many for a table "
            "of all items and labels; leave out rare labels, or the model votes"
        )
    met = votes_contact.meetings(votes, judgments, gold, backend)
    circular = np.isin(votes.models, list(settings.trained_on_consensus))
    alone, beside_gold = _people_alone(problem, votes, gold, held, settings, backend)
    echoes, rho = votes_echo.found(votes, alone, ~circular)
    known = (met >= votes_contact.MET) & ~circular & ~echoes.mostly
    soft = slice(None) if len(votes.probability) == len(votes.row) else votes.row >= 0
    believed = known & (votes.per_model(soft) > 0)
    asked = ~(believed | circular) & (settings.model_tests == "auto")
    suited = None if alone is None else alone.of_rho(rho)
    shared = votes_shared.found(votes, suited, echoes, asked)
    by_gold = None if beside_gold is None else _by_gold(votes, beside_gold, ~circular, asked)
    votes = votes_shared.merged(votes, shared)
    own = VotesPrior.of(votes, judgments, gold, believed, circular, known, echoes, backend)
    if len(own.item):  # else no vote counts
        problem = replace(problem, votes=own.weighed(problem.units))
    if problem.prior == "learnt" and judgments.n_workers < FEW_WORKERS and problem.has_outside_view:
        problem = replace(problem, prior="fixed")
    if held is not None:
        met = votes_contact.meetings(votes, judgments, held.gold, backend)
        known = (met >= votes_contact.MET) & ~circular & ~echoes.mostly
    return problem, ModelFindings(votes, own.start, met, believed, known, circular, echoes, shared, by_gold)


def _by_gold(votes: AlignedVotes, alone: PeopleAlone, tested: NDArray[np.bool_], asked: NDArray[np.bool_]) -> Doubts:
    """What gold tells of echoes by the models that are ``tested`` (M,), and of families of those ``asked`` about."""
    echoes, rho = votes_echo.found(votes, alone, tested)
    return Doubts(echoes, votes_shared.found(votes, alone.of_rho(rho), echoes, asked))


def _people_alone(
    problem: Problem,
    votes: AlignedVotes,
    gold: AlignedGold | None,
    held: Held | None,
    settings: FitConfig,
    backend: Backend,
) -> tuple[PeopleAlone | None, PeopleAlone | None]:
    """What people say of items that models voted on, from a fit without the models; None where it tells nothing.

    And the same with gold that is ``held``: that fit does not see it either, but gold items have their labels.
    """
    judgments = problem.judgments
    if settings.model_tests == "off":
        return None, None
    known = votes_people.tested(judgments, votes, gold)
    most = votes_people.most_tested(judgments.n_labels, votes.n_models)
    items = tested = votes_people.by_hash(judgments, known, most)
    if held is not None:
        voted = held.gold.items[votes.per_item[held.gold.items] > 0].astype(np.int64)
        items = np.union1d(tested, votes_people.by_hash(judgments, voted, most))
    if len(items) == 0:
        return None, None
    h = np.full((len(votes_people.RHOS), len(items), judgments.n_labels), 1.0 / judgments.n_labels)
    if judgments.per_item[items].any():
        if len(known) == votes_people.MOST_ITEMS:  # these tell enough of the people
            among = np.zeros(judgments.n_items, np.bool_)
            among[known] = True
            problem = Problem.of(judgments.subset(among[judgments.item]), gold, settings, backend)
        few = problem.prior == "learnt" and judgments.n_workers < FEW_WORKERS
        tolerance = max(problem.tolerance, PEOPLE_TOLERANCE)
        problem = replace(problem, tolerance=tolerance, prior="fixed" if few else problem.prior)
        estimate = climb(problem, None, Execution(backend))
        for n, rho in enumerate(votes_people.RHOS):
            power = Tempering(rho).power(judgments.per_item, slice(None))
            h[n] = estimate.beliefs(problem, backend, power).dense(items)
    alone = votes_people.of(judgments, gold, tested, h[:, np.searchsorted(items, tested)]) if len(tested) else None
    return alone, None if held is None else votes_people.of(judgments, held.gold, items, h)
