"""The certificate written from its definition: exact integers, plain loops, no code of the package."""

import math
from fractions import Fraction


def tail(k: int, n_items: int, n_wrong: int, n_drawn: int) -> Fraction:
    """P(at most k wrong ones among the drawn)."""
    ways = sum(
        math.comb(n_wrong, x) * math.comb(n_items - n_wrong, n_drawn - x)
        for x in range(min(k, n_wrong, n_drawn) + 1)
        if n_drawn - x <= n_items - n_wrong
    )
    return Fraction(ways, math.comb(n_items, n_drawn))


def most_gold_errors(n_items: int, n_gold: int, allowed: int, delta: float) -> int:
    """Count up while as few errors would be improbable, were one more than allowed of the others wrong."""
    if n_gold == 0:
        return -1
    if allowed >= n_items - n_gold:
        return n_gold
    k = -1
    while k < n_gold and tail(k + 1, n_items, allowed + 1 + k + 1, n_gold) <= delta:
        k += 1
    return k


def certificate(
    confidence: list[float], gold: list[int], wrong: list[bool], alpha: Fraction, delta: float, n_levels: int
) -> tuple[float, int] | None:
    """The confidence from which items are certified, and how many of those without gold may be wrong; or None."""
    ranked = sorted(confidence, reverse=True)
    N = len(ranked)
    bars = sorted({ranked[math.ceil(Fraction(N * j, n_levels)) - 1] for j in range(1, n_levels + 1)}, reverse=True)
    rows = []
    for bar in bars:
        inside = sum(c >= bar for c in confidence)
        n = sum(confidence[g] >= bar for g in gold)
        k = sum(bad and confidence[g] >= bar for g, bad in zip(gold, wrong, strict=True))
        allowed = math.floor(alpha * (inside - n))
        rows.append((bar, n, k, allowed, most_gold_errors(inside, n, allowed, delta)))
    forgiven = 1 if alpha * len(gold) >= 10 else 0
    start = [j for j, row in enumerate(rows) if row[1] >= Fraction(2, 5) * len(gold) and row[4] >= forgiven]
    start = start or [j for j, row in enumerate(rows) if row[4] >= 0]
    found = None
    for bar, _, k, allowed, most in rows[start[0] :] if start else []:
        if k > most:
            break
        found = bar, allowed
    return found
