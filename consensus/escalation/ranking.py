"""Which of the items that need more judgments come first, how many they get, and from whom."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.config import EscalateConfig
from consensus.errors import ConfigError
from consensus.escalation import offers, reopening, worker_choice
from consensus.escalation.budgets import within
from consensus.escalation.corrections import HORIZON, MOST_LABELS
from consensus.escalation.look_ahead import LookAhead, look_ahead
from consensus.escalation.reasons import AUDIT, AUDITED_BY, EXPERT, REASONS, hopeless, reasons, status_codes
from consensus.escalation.retests import Retests, retests
from consensus.formats import read_costs, read_previous, read_workers
from consensus.found.given_result import fitted
from consensus.found.result import decoded, framed, named
from consensus.guarantees import Certified, certified
from consensus.inputs.earlier_run import STATUSES, Previous
from consensus.inputs.vocabulary import hashed
from consensus.worker_audit import WorkerAudit

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.found.given_result import Fitted
    from consensus.found.result import Columns, Consensus
    from consensus.inputs.worker_pool import AlignedPool

SAMPLE = 10_000  # priorities that tell about where half of them lie, to sort either half on a thread of its own
ALMOST_SURE = 1.0 - 1e-9  # a target is less than 1
SAME_PRIORITY = 15  # decimals up to which priorities count as equal


def escalate(
    result: Fitted,
    config: EscalateConfig | None = None,
    *,
    costs: Any = None,
    workers: Any = None,
    previous: Any = None,
    **settings: Any,
) -> pd.DataFrame:
    """Items that are not settled, the one first whose next judgments save most errors.

    Parameters
    ----------
    result
        A fitted consensus, or a run.
    config, **settings
        Settings; see ``EscalateConfig``: ``target=0.99``, ``budget=500``.
    costs
        What wrong decisions cost, from ``read_costs`` or what it reads; without, every wrong label costs 1.
    workers
        Who can be asked, from ``read_workers`` or what it reads; without, the workers in the data.
    previous
        What an earlier run said, from ``read_previous`` or what it reads: items that were accepted then stay so unless
        their confidence fell clearly below the target, and what is needed is corrected by how far it was off.

    Returns
    -------
    pandas.DataFrame
        item
            Its id.
        reason
            "too_few" judgments; "weak_workers" (nobody objects, but those who judged carry little weight);
            "disagreement"; "needs_expert" (unsettled with ``max_judgments``, or not to be settled by then: these come
            last);
            "audit" (drawn at random to check the confidence; these come first).
        judgments
            To ask for now: one, or what the item lacks of ``min_judgments``; with a budget, its part of it; 0 for an
            expert.
        priority
            Errors that more judgments save, each, shared out among the items by how open their labels are (entropy,
            with the class prior taken for less sure than it is estimated, for three labels or more); or the cost that
            they save. By the workers suggested; missing where no confidence can be stated. An item of weight 3 counts
            as three that are wrong together.
        judgments_needed, needed_low, needed_high
            Expected judgments until the item is settled or has ``max_judgments``, of the next ten, and a range meant to
            hold 80 %. Missing for an expert, and where nobody can be asked. Replayed as below, the mean was 10 % too
            low in the worst crowd (very hard items of four labels, with gold); the range held 95 % and more in each.
        p_settled
            P(settled with at most ``max_judgments``, of the next ten), as judgments that are held back correct it
            (``consensus.escalation.corrections``). On eleven crowds, ten draws each, from three judgments an item and
            with ``model="dawid_skene"``, the mean over the unsettled items was within .1 of what came true, with and
            without 100 gold items, but for ``web`` with gold (.13, and .25 came). By five draws it is off by .17 on
            ``zencrowd_us`` with gold, too: calibration on 100 items comes out otherwise from draw to draw. With the
            average of readings and 100 gold items it was within .11 (fifteen draws). Without gold it was up to .22 off:
            too high where items are hard for everybody, which three judgments can't tell.
        label, confidence, runner_up, n_judgments
            As in labels.csv.
        suggested_workers
            Whom to ask, as many as there are ``judgments``, joined by " | ". Nobody who is called spammer or
            adversarial, or fell clearly below the median worker, unless ``ask_anyone``; missing where nobody is left.

        Ties: fewer judgments first, then a larger expected loss, then a stable hash of the id.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range, or the budget does not pay for the audits.
    FormatError
        The costs, workers or earlier run can't be read.
    JudgmentError
        They do not fit the data.

    Examples
    --------
    >>> consensus.escalate(consensus.fit(judgments), target=0.99).columns.tolist()[:3]
    ['item', 'reason', 'judgments']
    """
    result = fitted(result)
    config = EscalateConfig.of(config, **settings)
    last = None if previous is None else read_previous(previous).among(result.judgments)
    matrix = None if costs is None else read_costs(costs).align(result.judgments)
    pool = None if workers is None else read_workers(workers).align(result.judgments, config.skill)
    found = planned(result, config, costs=matrix, pool=pool, previous=last)
    return framed(found.columns(result, slice(None)))


def statuses(result: Consensus, config: EscalateConfig | None = None, **settings: Any) -> pd.Series[str]:
    """Status of every row of ``result.labels``: accepted, unaudited, escalate, needs_expert or gold."""
    return decoded(planned(result, EscalateConfig.of(config, **settings)).status(result), STATUSES)


@dataclass(frozen=True, slots=True, eq=False)
class Escalation:
    """The state of every item, and the items to escalate, most urgent first."""

    reason: NDArray[np.int32]
    """(I,) position in REASONS of why an item is escalated; -1 where it is not, or is gold."""
    settled: NDArray[np.bool_]
    """(I,) which are accepted; those that are to be audited have a reason all the same."""
    items: NDArray[np.int64]
    """(n,) codes of those listed."""
    judgments: NDArray[np.int64]
    """(n,) to ask for now."""
    ahead: LookAhead
    """Of all that are not settled, listed or not."""
    at: NDArray[np.int64]
    """(n,) rows of ``ahead`` of those listed."""
    workers: NDArray[np.int32]
    """(n, M) whom to ask; -1 is nobody."""
    n_waiting: int
    """Items that are not settled and wait for no expert, listed or not."""
    expected: LookAhead
    """(1,) the mean of these; zeros where there are none."""
    correction: float
    """By which the judgments needed were multiplied."""
    costs: NDArray[np.float64] | None
    """(K, K) what wrong decisions cost, where losses are costs."""
    tests: Retests
    """What workers whose verdict is open are to be tested with."""
    pool: AlignedPool | None
    """Who can be asked, where it is known, after the tests."""
    money: float
    """What the list and the tests cost; NaN where no price is known, or nobody was suggested."""

    def status(self, result: Consensus) -> NDArray[np.int32]:
        """Position in STATUSES of the status of every row of ``result.labels``."""
        return status_codes(result, self.reason, self.settled)

    def columns(self, result: Consensus, rows: slice) -> Columns:
        """Some of the listed as the columns that ``escalate`` shows."""
        items, reason = self.items[rows], self.reason[self.items[rows]]
        labels = result.told_columns(items)
        ahead = self.ahead.take(self.at[rows])
        open_ended = (reason != EXPERT) & ~self.settled[items] & (ahead.needed > 0) & result.identified

        def known(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.where(open_ended, numbers, np.nan)

        return {
            "item": labels["item"],
            "reason": named(reason, REASONS),
            "judgments": self.judgments[rows],
            "priority": ahead.priority if result.identified else np.full(len(items), np.nan),
            "judgments_needed": known(ahead.needed),
            "needed_low": known(ahead.low),
            "needed_high": known(ahead.high),
            "p_settled": known(ahead.settled),
            **{name: labels[name] for name in ("label", "confidence", "runner_up", "n_judgments")},
            "suggested_workers": worker_choice.names(result, self.workers[rows]),
        }


def planned(
    result: Consensus,
    config: EscalateConfig,
    *,
    costs: NDArray[np.float64] | None = None,
    pool: AlignedPool | None = None,
    previous: Previous | None = None,
    audit: WorkerAudit | None = None,
    suggest: bool = True,
) -> Escalation:
    """Look at every item, and list those to escalate; ``suggest`` also whom to ask.

    The settings of the ``audit`` say how many tests each worker with an open verdict gets; these are paid for first.

    Raises
    ------
    ConfigError
        The budget pays for no audits and tests, costs are given for very many labels, or there is no gold for a set.
    """
    judgments, audit = result.judgments, audit or WorkerAudit(result)
    if costs is not None and result.judgments.n_labels > MOST_LABELS:
        raise ConfigError(f"costs: {result.judgments.n_labels:,} labels; they are weighed among {MOST_LABELS} at most")
    if previous is not None:
        reopening.check(previous, result)
    accepted = None if previous is None else reopening.accepted_before(previous, result)
    found = certified(result, config) if config.promise == "set" else None
    reason, settled = reasons(result, config, accepted, found)
    tests = retests(audit, settled & (reason < 0), config.max_judgments, pool)
    items = np.flatnonzero(reason >= 0)
    left = np.maximum(config.max_judgments - judgments.per_item[items], 0)
    foreseen, activity, most = left <= HORIZON, None, None
    if pool is not None:
        pool = pool.after(tests.workers)
        activity, most = pool.activity(judgments), pool.left(judgments)[items]
        foreseen &= most >= left
    aim = config if found is None else _as_certified(config, found)
    ahead = look_ahead(result, items, aim, activity=activity, most=most, costs=costs, steps=config.budget is not None)
    why = reason[items]
    why[hopeless(result, items, why, ahead.settled, foreseen, config)] = EXPERT
    reason[items] = why
    waits, factor = (why != EXPERT) & ~settled[items], 1.0
    if previous is not None:
        factor = reopening.correction(previous, result, items[waits], ahead.needed[waits])
        ahead = ahead.stretched(factor, left)
    order = _in_buckets(why, _most_urgent(result, items, ahead))
    wanted, money = _wanted(result, items, why, config), 0.0
    if config.budget is not None:
        wanted, money = within(config, wanted, why == AUDIT, ahead, order, tests, pool)
    asked = order[wanted[order] > 0] if suggest else order[:0]
    choice = worker_choice.suggested(audit, items[asked], wanted[asked], pool, anyone=config.ask_anyone)
    workers, worth = np.full((len(items), choice.workers.shape[1]), -1, np.int32), np.ones(len(items))
    workers[asked], worth[asked] = choice.workers, choice.worth
    price = np.ones(len(items))
    if pool is not None and suggest:
        offered = np.where(workers < 0, np.inf, pool.price[workers])
        if config.budget is not None:
            wanted = offers.taken(ahead, offered, worth, money, order, why == AUDIT)
            offered[np.arange(offered.shape[1]) >= wanted[:, None]] = np.inf
            workers[~np.isfinite(offered)] = -1
        price = offers.mean_price(offered)
    if not ((worth == 1.0) & (price == 1.0)).all():
        order = _reordered(result, items, why, ahead, order, (worth, price))
    order = order[wanted[order] > 0] if config.budget is not None else order
    workers = workers[order]
    return Escalation(
        reason=reason,
        settled=settled,
        items=items[order],
        judgments=wanted[order],
        ahead=ahead,
        at=order,
        workers=workers,
        n_waiting=int(waits.sum()),
        expected=ahead.mean(waits, None if judgments.weight is None else judgments.weight[items]),
        correction=factor,
        costs=costs,
        tests=tests,
        pool=pool,
        money=_money(config, workers, wanted[order], tests, pool if suggest else None),
    )


def _as_certified(config: EscalateConfig, found: Certified) -> EscalateConfig:
    """The settings with the confidence from which items are certified as the target; as they are, if none is."""
    least = found.of_all.least
    return config if math.isnan(least) else EscalateConfig.of(config, target=min(least, ALMOST_SURE))


def _money(
    config: EscalateConfig,
    workers: NDArray[np.int32],
    judgments: NDArray[np.int64],
    tests: Retests,
    pool: AlignedPool | None,
) -> float:
    """What the ``judgments`` (n,) by ``workers`` (n, M), and the tests, cost; NaN where that is not known."""
    if pool is not None and pool.has_prices:
        return float(pool.price[workers[workers >= 0]].sum() + pool.price[tests.workers].sum())
    return (
        np.nan
        if config.price_per_judgment is None
        else config.price_per_judgment * float(judgments.sum() + len(tests.items))
    )


def _in_buckets(reason: NDArray[np.int32], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same ``order`` (n,) with audits first and what waits for an expert last."""
    of = reason[order]
    return np.concatenate([order[of == AUDIT], order[(of != AUDIT) & (of != EXPERT)], order[of == EXPERT]])


def _reordered(
    result: Consensus,
    items: NDArray[np.int64],
    reason: NDArray[np.int32],
    ahead: LookAhead,
    order: NDArray[np.int64],
    by: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.int64]:
    """The ``order`` (n,) in buckets after priorities have changed ``by`` the worth and the price of workers (n,) each.

    Of items that wait for an expert they have not: nobody is asked.
    """
    ahead.weigh_by_workers(*by)
    asked = np.flatnonzero(reason != EXPERT)
    urgent = asked[_most_urgent(result, items[asked], ahead.take(asked))]
    return np.concatenate([_in_buckets(reason, urgent), order[len(asked) :]])


def _wanted(
    result: Consensus, items: NDArray[np.int64], reason: NDArray[np.int32], config: EscalateConfig
) -> NDArray[np.int64]:
    """(n,) judgments to ask for now without a budget: one, or what is missing; none where an expert is to decide."""
    n = result.judgments.per_item[items]
    least = np.full(len(items), config.min_judgments)
    if result.models is not None:
        least[result.models.vouched[items]] = 1
    least[reason == AUDIT] = min(AUDITED_BY, config.max_judgments)
    return np.where(reason == EXPERT, 0, np.maximum(least - n, 1))


def _most_urgent(result: Consensus, items: NDArray[np.int64], ahead: LookAhead) -> NDArray[np.int64]:
    """The order of ``items``: priority first; ties by fewer judgments, larger loss, a stable hash of the id."""
    import pyarrow as pa

    known = np.round(ahead.priority, SAME_PRIORITY)
    urgent = known >= np.median(known[:: -(-len(known) // SAMPLE)]) if len(known) else np.zeros(0, np.bool_)
    halves = np.flatnonzero(urgent), np.flatnonzero(~urgent)
    order = np.concatenate(result.backend.map(lambda half: half[np.argsort(-known[half])], halves))
    tied = np.zeros(len(order), np.bool_)  # next to one of the same priority
    sorted_ones = known[order]
    same = sorted_ones[1:] == sorted_ones[:-1]
    tied[1:] |= same
    tied[:-1] |= same
    left = np.sort(order[tied])  # in one order, whatever the sort did with the tied
    order[tied] = left[
        np.lexsort(
            (
                hashed(result.judgments.item_ids.take(pa.array(items[left]))),
                -ahead.loss[left],
                result.judgments.per_item[items[left]],
                -known[left],
            )
        )
    ]
    return order
