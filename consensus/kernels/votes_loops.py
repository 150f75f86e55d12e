"""Loops over the votes of models: the prior that they give each item, and what EM learns about them.

A voted item is a row: it has soft votes, each with the logarithms of its probabilities, and hard ones, each with a
label.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.kernels import Codes, Flags, Offsets, Reals

    Logs = NDArray[np.float32]

TINY = 1e-100  # a likelihood is brought back to 1 before it falls below


class Soft(NamedTuple):
    """Soft votes of some rows."""

    start: Offsets
    """(R+1,) those of row r are ``start[r]:start[r + 1]``."""
    model: Codes
    """(S,) of all rows, as is ``log_q``."""
    log_q: Logs
    """(S, K)"""


class Hard(NamedTuple):
    """Hard votes of some rows."""

    start: Offsets
    """(R+1,) those of row r are ``start[r]:start[r + 1]``, those of one family together."""
    model: Codes
    """(H,) of all rows, as is ``label``."""
    label: Codes
    """(H,)"""
    family: Codes
    """(M,) of each model."""
    alone: Flags
    """(F,) a single model of the family gives hard votes."""
    own: Reals
    """(M,) 1 - e: the probability that a vote is the model's own, and no echo of people."""
    echoed: Reals
    """(H,) probability that the vote is an echo and as it is, of all rows."""


class Learnt(NamedTuple):
    """What EM learns about the models."""

    weight: Reals
    """(1 + M,) of the class prior, and of each model's soft votes."""
    log_shares: Reals
    """(K,)"""
    Cm: Reals
    """(M, K, K) [model, u, label]."""
    CF: Reals
    """(F, K, K) [family, true, u]."""


class People(NamedTuple):
    """Who judged some items; the workers of an item are sorted."""

    item_start: Offsets
    """(n+1,)"""
    worker: Codes
    """(J,) of all items."""
    is_gold: Flags
    """(n,)"""


@kernel()
def log_linear(
    begin: int, end: int, model: Codes, log_q: Logs, weight: Reals, log_shares: Reals, out_prior: Reals
) -> None:
    """``out_prior`` (K,) or longer = softmax of weight[0] log_shares[k] + votes' weight[1 + model] log_q[vote, k]."""
    n_labels = log_shares.shape[0]
    for k in range(n_labels):
        out_prior[k] = weight[0] * log_shares[k]
    for s in range(begin, end):
        w = weight[1 + model[s]]
        for k in range(n_labels):
            out_prior[k] += w * log_q[s, k]
    most = out_prior[0]
    for k in range(1, n_labels):
        most = max(most, out_prior[k])
    total = 0.0
    for k in range(n_labels):
        out_prior[k] = math.exp(out_prior[k] - most)
        total += out_prior[k]
    for k in range(n_labels):
        out_prior[k] /= total


@kernel()
def family_likelihood(begin: int, end: int, hard: Hard, Cm: Reals, out_likelihood: Reals) -> tuple[int, float]:
    """``out_likelihood[u]`` (K,) = product of P(v | u) over the votes v of the first family from ``begin`` on.

    P(v | u) = own[m] Cm[m, u, v] + echoed[v]. Returns where the votes of the next family begin, and the logarithm of
    what the likelihood was divided by.
    """
    _, model, label, family, _, own, echoed = hard
    n_labels = out_likelihood.shape[0]
    first, log_scale = family[model[begin]], 0.0
    for u in range(n_labels):
        out_likelihood[u] = 1.0
    while begin < end and family[model[begin]] == first:
        most = 0.0
        for u in range(n_labels):
            out_likelihood[u] *= own[model[begin]] * Cm[model[begin], u, label[begin]] + echoed[begin]
            most = max(most, out_likelihood[u])
        if most < TINY:
            for u in range(n_labels):
                out_likelihood[u] /= most
            log_scale += math.log(most)
        begin += 1
    return begin, log_scale


@kernel()
def priors(soft: Soft, hard: Hard, learnt: Learnt, pi: Reals, unit: Reals, out_prior: Reals) -> float:
    """``out_prior`` (R, K) or wider of voted items, each divided by its sum; returns the sum of the sums' logarithms.

    Each counts as ``unit`` (R,); (0,): as one.

    It is the log-linear prior of the soft votes, or pi without any, times the message of each family of hard votes:
    msg[k] = sum_u CF[f, k, u] prod_m P(v | u); of a family with one model, P(v | k).
    """
    soft_start, soft_model, log_q = soft
    hard_start, hard_model, _, family, alone, _, _ = hard
    weight, log_shares, Cm, CF = learnt
    n_labels = pi.shape[0]
    likelihood = np.empty(n_labels)
    logs = 0.0
    for r in range(out_prior.shape[0]):
        prior, each = out_prior[r], unit[r] if unit.shape[0] > 0 else 1.0
        if soft_start[r] < soft_start[r + 1]:
            log_linear(soft_start[r], soft_start[r + 1], soft_model, log_q, weight, log_shares, prior)
        else:
            for k in range(n_labels):
                prior[k] = pi[k]
        begin, end = hard_start[r], hard_start[r + 1]
        if begin == end and soft_start[r] < soft_start[r + 1]:
            continue  # it sums to 1 as it is
        while begin < end:
            f, most = family[hard_model[begin]], 0.0
            begin, log_scale = family_likelihood(begin, end, hard, Cm, likelihood)
            logs += each * log_scale
            for k in range(n_labels):
                message = likelihood[k]
                if not alone[f]:
                    message = 0.0
                    for u in range(n_labels):
                        message += CF[f, k, u] * likelihood[u]
                prior[k] *= message
                most = max(most, prior[k])
            if most < TINY:
                for k in range(n_labels):
                    prior[k] /= most
                logs += each * math.log(most)
        total = 0.0
        for k in range(n_labels):
            total += prior[k]
        for k in range(n_labels):
            prior[k] /= total
        logs += each * math.log(total)
    return logs


@kernel()
def weight_terms(
    soft: Soft,
    weight: Reals,
    log_shares: Reals,
    posterior: Reals,
    unit: Reals,
    out_gradient: Reals,
    out_curvature: Reals,
) -> float:
    """Sum over items and labels of posterior[r, k] log prior[r, k] (R, K), with its gradient and negated Hessian.

    Every row has a soft vote, and counts as ``unit`` (R,); (0,): as one. By the weights (1 + M,),
    added to ``out_gradient`` (1 + M,) and ``out_curvature`` (1 + M, 1 + M), of which the part below the diagonal is
    left alone.
    """
    soft_start, soft_model, log_q = soft
    n_labels, n_weights = posterior.shape[1], weight.shape[0]
    prior = np.empty(n_labels)
    feature, mean = np.empty((n_weights, n_labels)), np.empty(n_weights)
    place = np.empty(n_weights, np.int64)  # weight of each feature: the models that voted, in their order
    value = 0.0
    for r in range(soft_start.shape[0] - 1):
        begin, end = soft_start[r], soft_start[r + 1]
        log_linear(begin, end, soft_model, log_q, weight, log_shares, prior)
        n, each = 1 + end - begin, unit[r] if unit.shape[0] > 0 else 1.0
        place[0] = 0
        for k in range(n_labels):
            feature[0, k] = log_shares[k]
        for s in range(begin, end):
            place[1 + s - begin] = 1 + soft_model[s]
            for k in range(n_labels):
                feature[1 + s - begin, k] = log_q[s, k]
        for a in range(n):
            mean[a] = 0.0
            found = 0.0
            for k in range(n_labels):
                mean[a] += prior[k] * feature[a, k]
                found += posterior[r, k] * feature[a, k]
            out_gradient[place[a]] += each * (found - mean[a])
        for a in range(n):
            for b in range(a, n):
                both = 0.0
                for k in range(n_labels):
                    both += prior[k] * feature[a, k] * feature[b, k]
                out_curvature[place[a], place[b]] += each * (both - mean[a] * mean[b])
        for k in range(n_labels):
            if posterior[r, k] > 0.0:
                value += each * (posterior[r, k] * math.log(max(prior[k], 1e-300)))
    return value


@kernel()
def count_families(hard: Hard, Cm: Reals, CF: Reals, posterior: Reals, out_Cm: Reals, out_CF: Reals) -> None:
    """Add expected counts of the votes on items of ``posterior`` (R, K) to ``out_Cm`` (M, K, K), ``out_CF`` (F, K, K).

    q(k, u) = z[k] CF[f, k, u] L[u] / msg[k], with L the likelihood of the family's votes given u. Of a vote, the share
    that is its model's own counts.
    """
    hard_start, hard_model, hard_label, family, alone, own, echoed = hard
    n_labels = posterior.shape[1]
    likelihood, of_u = np.empty(n_labels), np.empty(n_labels)
    for r in range(hard_start.shape[0] - 1):
        begin, end = hard_start[r], hard_start[r + 1]
        while begin < end:
            f, first = family[hard_model[begin]], begin
            begin, _ = family_likelihood(begin, end, hard, Cm, likelihood)
            for u in range(n_labels):
                of_u[u] = posterior[r, u] if alone[f] else 0.0
            if not alone[f]:
                for k in range(n_labels):
                    message = 0.0
                    for u in range(n_labels):
                        message += CF[f, k, u] * likelihood[u]
                    share = posterior[r, k] / message if message > 0.0 else 0.0
                    for u in range(n_labels):
                        q = share * CF[f, k, u] * likelihood[u]
                        out_CF[f, k, u] += q
                        of_u[u] += q
            for h in range(first, begin):
                m, v = hard_model[h], hard_label[h]
                for u in range(n_labels):
                    if of_u[u] > 0.0:
                        said = own[m] * Cm[m, u, v]
                        out_Cm[m, u, v] += of_u[u] * said / (said + echoed[h])


@kernel()
def meetings(people: People, vote_start: Offsets, vote_model: Codes, out_counts: Offsets) -> None:
    """Count the votes of each model by how many people judged the item, into ``out_counts`` (2, M).

    Rows: on items that two people judged or that are gold; that one person judged. The votes on item i are
    ``vote_start[i]:vote_start[i + 1]`` (n+1,).
    """
    item_start, worker, is_gold = people
    for i in range(item_start.shape[0] - 1):
        begin, end = item_start[i], item_start[i + 1]
        if vote_start[i] == vote_start[i + 1] or (begin == end and not is_gold[i]):
            continue
        n_people = 0
        for j in range(begin, end):
            n_people += j == begin or worker[j] != worker[j - 1]
        for v in range(vote_start[i], vote_start[i + 1]):
            out_counts[0 if n_people >= 2 or is_gold[i] else 1, vote_model[v]] += 1
