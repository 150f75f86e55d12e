"""Why an item has its label: how far the prior, every model and every judgment push, in nats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus import wording
from consensus.errors import ConfigError
from consensus.explanation.explained import Explanation, Push, Say
from consensus.found.posterior import SparsePosterior
from consensus.found.result import BETWEEN
from consensus.models import cavity
from consensus.models.votes_prior import VotesPrior

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.posterior import Posterior
    from consensus.found.result import Consensus
    from consensus.inputs.gold import AlignedGold

    Reals = NDArray[np.float64]
    Term = tuple[str, str, Reals]

N_TOP = 5
MOST_COMPARED = 100_000  # ids among which those like a mistyped one are looked for
TOGETHER = "all readings"
BY_GOLD = "gold"


def explain(result: Consensus, items: NDArray[np.int64], between: NDArray[np.int64] | None = None) -> list[Explanation]:
    """Take the posterior of each of some judged ``items`` (n,), codes, apart.

    The untempered log posterior of label k is log prior[k] plus log C[w, k, l] of each judgment l by worker w (Dawid &
    Skene 1979, eq. 2.5), the prior of an item that models voted on being pi or the log-linear pool of their
    probabilities, times a message of each family of models that only name a label. All are multiplied by the power of
    ``Tempering``. What is shown of each term is its difference between the label and the runner-up.

    Where several readings are averaged, workers are rated by the average, and what the average says of the item beyond
    these ratings is a term of its own. So is what calibration on gold added; all other terms are of the fit before it.

    ``between`` (n, 2) names other labels to compare than the best and the second: codes, -1 for those. With very many
    labels only those given to the item are weighed, and compared, one by one.
    """
    judgments = result.judgments
    own, judgment = judgments.of_items(items)
    if result.terms is None:
        return [_unexplained(result, int(i), judgment[own == n]) for n, i in enumerate(items)]
    worker, label = judgments.worker[judgment], judgments.label[judgment]
    logs = result.terms.log_likelihoods(result.confusions, worker, label)
    names, said = judgments.worker_ids.take(_arrow(worker)).to_pylist(), [judgments.labels[k] for k in label]
    models = _of_models(result, items)
    _without_gold(result, items, own, judgment, models, logs)
    starts = np.searchsorted(own, np.arange(len(items) + 1))
    power = result.tempering.power(judgments.per_item[items], items)
    return [
        _explained(
            result,
            int(items[n]),
            float(power[n]),
            (-1, -1) if between is None else (int(between[n, 0]), int(between[n, 1])),
            *models[n],
            [(names[j], said[j], logs[j]) for j in range(starts[n], starts[n + 1])],
        )
        for n in range(len(items))
    ]


def of_item(result: Consensus, item: str) -> Explanation:
    """Why one item has its label.

    Raises
    ------
    ConfigError
        Nobody judged such an item.
    """
    ids = result.judgments.item_ids
    code = ids.index(str(item)).as_py()
    if code < 0:
        meant = wording.aside(str(item), ids.to_pylist()) if len(ids) <= MOST_COMPARED else ""
        raise ConfigError(f'no item "{item}" among the {len(ids):,} that were judged{meant}', code="unknown_name")
    return explain(result, np.array([code]))[0]


def _explained(
    result: Consensus,
    item: int,
    power: float,
    between: tuple[int, int],
    prior: Reals,
    models: list[Term],
    votes: list[Term],
) -> Explanation:
    judgments = result.judgments
    labels = judgments.labels
    logs = prior.copy()
    for _, _, term in (*models, *votes):
        logs = logs + term
    allowed, gold = np.ones(len(labels), np.bool_), _gold(result, item)
    readings = _of_readings(result, item, logs, power)
    for _, _, term in readings:
        logs = logs + term
    calibration = _of_calibration(result, item, logs, power)
    for _, _, term in calibration:
        logs = logs + term
    if isinstance(result.beliefs, SparsePosterior) and gold is None:
        start = result.beliefs.start
        allowed[:] = False
        allowed[result.beliefs.candidate[start[item] : start[item + 1]]] = True
    if gold is None:
        posterior = result.beliefs.dense(np.array([item]))[0]
        best, second = int(result.peaks.best[item]), int(result.peaks.runner_up[item])
    else:
        posterior = np.where(allowed, np.exp(power * (logs - logs[allowed].max())), 0.0)
        posterior /= posterior.sum()
        order = np.argsort(-posterior, kind="stable")
        best, second = int(order[0]), int(order[1]) if allowed.sum() > 1 else -1
    if min(between) >= 0:
        best, second = between

    def push(term: Reals) -> float:
        return power * float(term[best] - term[second]) if second >= 0 else np.nan

    def flips(term: Reals) -> str | None:
        left = np.where(allowed, logs - term, -np.inf)
        winner = int(left.argmax())
        return None if left[best] >= left[winner] else labels[winner]

    top = np.argsort(-posterior, kind="stable")[:N_TOP].tolist()
    return Explanation(
        item=judgments.item_ids[item].as_py(),
        label=labels[best],
        runner_up=labels[second] if second >= 0 else None,
        confidence=float(posterior[best]),
        log_odds=push(logs),
        prior=push(prior),
        models=tuple(Push(who, said, push(term), flips(term)) for who, said, term in models),
        votes=tuple(Push(who, said, push(term), flips(term)) for who, said, term in votes),
        gold=gold,
        power=power,
        top=tuple((labels[k], float(posterior[k])) for k in top),
        readings=tuple(Push(who, said, push(term), flips(term)) for who, said, term in readings),
        calibration=tuple(Push(who, said, push(term), flips(term)) for who, said, term in calibration),
        says=() if gold is not None else _says(result, item),
    )


def _of_readings(result: Consensus, item: int, logs: Reals, power: float) -> list[Term]:
    """What the average of several readings says of an item beyond ``logs`` (K,), untempered; nothing without them."""
    if result.readings is None:
        return []
    told = result.calibration
    beliefs, of_gold = result.beliefs, result.gold_posterior
    if told is not None and told.before is not None:
        beliefs, of_gold = told.before, told.gold_before
    return [(TOGETHER, "beyond their judgments", _beyond(_posterior(result, beliefs, of_gold, item), logs, power))]


def _of_calibration(result: Consensus, item: int, logs: Reals, power: float) -> list[Term]:
    """What calibration on gold added to ``logs`` (K,), untempered; nothing of an item that was not calibrated."""
    told = result.calibration
    if told is None or told.items is None or not told.items[item]:
        return []
    after = _posterior(result, result.beliefs, result.gold_posterior, item)
    return [(BY_GOLD, f"calibrates ({told.n_gold:,} items)", _beyond(after, logs, power))]


def _posterior(result: Consensus, beliefs: Posterior, of_gold: Reals | None, item: int) -> Reals:
    """(K,) of an item; ``of_gold`` (G, K) holds that of gold items, as if they were none."""
    if result.gold is not None and of_gold is not None:
        golden = np.flatnonzero(result.gold.items == item)
        if len(golden):
            return np.asarray(of_gold[golden[0]], np.float64)
    (found,) = beliefs.dense(np.array([item]))
    return np.asarray(found, np.float64)


def _beyond(posterior: Reals, logs: Reals, power: float) -> Reals:
    """(K,) what has to be added to untempered ``logs`` (K,) for a tempered ``posterior`` (K,)."""
    own = np.log(np.maximum(posterior, np.finfo(float).tiny)) / power
    return np.asarray(own - own.max() - (logs - logs.max()), np.float64)


def _says(result: Consensus, item: int) -> tuple[Say, ...]:
    found, labels = result.readings, result.judgments.labels
    if found is None:
        return ()
    each = zip(found.names, found.label[:, item], found.confidence[:, item], found.weight, strict=True)
    return tuple(Say(name, labels[k], float(sure), float(weight)) for name, k, sure, weight in each)


def _unexplained(result: Consensus, item: int, judgment: NDArray[np.int64]) -> Explanation:
    """Of an item whose labels are vote shares: who said what."""
    judgments, labels = result.judgments, result.judgments.labels
    best, second = int(result.peaks.best[item]), int(result.peaks.runner_up[item])
    votes = zip(judgments.worker[judgment].tolist(), judgments.label[judgment].tolist(), strict=True)
    return Explanation(
        item=judgments.item_ids[item].as_py(),
        label=labels[best],
        runner_up=labels[second] if second >= 0 else None,
        confidence=float(result.confidence[item]),
        log_odds=np.nan,
        prior=np.nan,
        models=(),
        votes=tuple(Push(judgments.worker_ids[w].as_py(), labels[k], np.nan, None) for w, k in votes),
        gold=_gold(result, item),
        power=np.nan,
        top=(),
    )


def _of_models(result: Consensus, items: NDArray[np.int64]) -> list[tuple[Reals, list[Term]]]:
    """The logarithm of the class part of each item's prior (K,), and what each model or family adds to it."""
    assert result.terms is not None
    if result.models is None:
        return [(prior, []) for prior in result.terms.log_priors(items, result.beliefs)]
    pi = np.log(result.terms.pi)
    found, votes, weights = result.models, result.models.votes, result.models.weights
    prior = VotesPrior.of(
        votes,
        result.judgments,
        _clamped(result),
        found.believed,
        found.circular,
        found.known,
        found.echoes,
        result.backend,
    )
    row_of = {int(item): row for row, item in enumerate(prior.item.tolist())}
    labels = result.judgments.labels
    parts: list[tuple[Reals, list[Term]]] = []
    for item in items.tolist():
        if item not in row_of:
            parts.append((pi, []))
            continue
        r, terms = row_of[item], list[tuple[str, str, "Reals"]]()
        soft = range(prior.soft_start[r], prior.soft_start[r + 1])
        for s in soft:
            m, log_q = int(prior.soft_model[s]), prior.log_q[s].astype(np.float64)
            terms.append((votes.models[m], labels[int(log_q.argmax())], weights.weight[1 + m] * log_q))
        hard = np.arange(prior.hard_start[r], prior.hard_start[r + 1])
        families = prior.family[prior.hard_model[hard]]
        for f in dict.fromkeys(families.tolist()):
            of = hard[families == f]
            named = [(int(m), int(v)) for m, v in zip(prior.hard_model[of], prior.hard_label[of], strict=True)]
            echoed = zip(named, prior.echoed[of].tolist(), strict=True)
            log_node = sum(np.log(prior.own[m] * weights.Cm[m, :, v] + echo) for (m, v), echo in echoed)
            node = np.exp(log_node - np.max(log_node))
            message = node if prior.alone[f] else weights.CF[f] @ node
            said = BETWEEN.join(labels[v] for _, v in named)
            who = votes.families[f] if len(named) > 1 else votes.models[named[0][0]]
            terms.append((who, said, np.log(np.maximum(message, np.finfo(float).tiny))))
        parts.append((weights.weight[0] * weights.log_shares if soft else pi, terms))
    return parts


def _without_gold(
    result: Consensus,
    items: NDArray[np.int64],
    own: NDArray[np.int64],
    judgment: NDArray[np.int64],
    models: list[tuple[Reals, list[Term]]],
    out_logs: Reals,
) -> None:
    """Take the judgments of gold items out of the counts of their workers, in ``out_logs`` (n, K) of all judgments.

    Else gold would speak for itself: it rated these workers. So the labels and confidences are those of
    ``Consensus.gold_posterior``.
    """
    if _clamped(result) is None or result.gold is None or result.terms is None:
        return
    place = np.searchsorted(result.gold.items, items)
    place = np.minimum(place, len(result.gold.items) - 1)
    golden = np.flatnonzero(result.gold.items[place] == items)
    mine = np.flatnonzero(np.isin(own, golden))
    if not len(mine):
        return
    whole = np.array([models[n][0] + sum(term for _, _, term in models[n][1]) for n in golden.tolist()])
    whole[~result.gold.accepted[place[golden]]] = -np.inf
    judgments, A = result.judgments, result.confusions.pseudo_counts
    worker, label = judgments.worker[judgment[mine]], judgments.label[judgment[mine]]
    N, n, each = _counted(result, judgment[mine])
    if isinstance(result.beliefs, SparsePosterior):
        total = n + A.sum(axis=1)
        C = np.divide(N + A.T[label], total, out=np.full_like(N, 1.0 / judgments.n_labels), where=total > 0)
    else:
        C = np.exp(out_logs[mine])
    place = np.searchsorted(golden, own[mine])
    found = cavity.log_likelihoods(place, worker, label, (N, n, C), A, whole, each)
    as_one = result.confusions.as_one
    if as_one is not None:  # as in ``cavity.without_gold``
        alone = np.isnan(as_one[result.row[judgment[mine]]])
        found = np.where(alone, found, out_logs[mine])
    out_logs[mine] = found


def _counted(result: Consensus, judgment: NDArray[np.int64]) -> tuple[Reals, Reals, Reals | None]:
    """Of some judgments (n,), as the fit counted: N of their rows and n of their workers, (n, K), and their units."""
    judgments, cells = result.judgments, result.confusions
    worker = judgments.worker[judgment]
    row = cells.rows_of(worker, judgments.label[judgment])
    assert result.terms is not None
    counted = result.terms.counted
    if counted is not None:
        return counted.N[row], counted.n[worker], counted.judgment[judgment]
    N = np.zeros((len(judgment), judgments.n_labels))
    for n, r in enumerate(row.tolist()):
        own_cells = slice(cells.cell_start[r], cells.cell_start[r + 1])
        N[n, cells.true[own_cells]] = cells.counts[own_cells]
    totals = {w: cells.totals(w, w + 1)[0] for w in np.unique(worker).tolist()}
    each = None if result.units is None else result.units.judgment[judgment]
    return N, np.array([totals[w] for w in worker.tolist()]), each


def _clamped(result: Consensus) -> AlignedGold | None:
    """The gold that the fit has seen."""
    told = result.calibration
    return None if told is not None and told.fitted and not told.saw_gold else result.gold


def _gold(result: Consensus, item: int) -> str | None:
    if result.gold is None:
        return None
    at = np.flatnonzero(result.gold.items == item)
    if not len(at):
        return None
    return BETWEEN.join(result.judgments.labels[k] for k in np.flatnonzero(result.gold.accepted[at[0]]))


def _arrow(codes: NDArray[np.int32]) -> object:
    import pyarrow as pa

    return pa.array(codes)
