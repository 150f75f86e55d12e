"""What gold speaks for, from its rules: loops over judgments, in no hurry. ``rows`` are (item, worker, label)."""

import itertools
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable

Row = tuple[int, int, int]


def binomial(k: int, n: int, p: float) -> float:
    """P(at most k of n)."""
    return sum(math.comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(k + 1))


def too_few(k: int, n: int, rate: float, by_chance: float) -> bool:
    return k < rate * n / 2 and k < 10 and binomial(k, n, rate) < by_chance


def met(
    parts: dict[int, Hashable], gold: set[int], as_if_drawn: Callable[[list[int], list[int]], bool]
) -> set[Hashable]:
    """The parts that gold has met, given the part of each item."""
    size = Counter(parts.values())
    n_gold = Counter(parts[i] for i in gold)
    rate = sum(n_gold.values()) / len(parts)
    names = sorted(size, key=str)
    excused = len(n_gold) >= 5 and as_if_drawn([size[name] for name in names], [n_gold[name] for name in names])
    return {
        name
        for name in names
        if (n_gold[name] or excused) and not too_few(n_gold[name], size[name], rate, 0.01 / len(size))
    }


def joined(rows: list[Row]) -> dict[int, int]:
    """A worker of the component of every worker, by repeated relabelling."""
    component = {w: w for _, w, _ in rows}
    changed = True
    while changed:
        changed = False
        for (i, v, _), (j, w, _) in itertools.combinations(rows, 2):
            if i == j and component[v] != component[w]:
                component[v] = component[w] = min(component[v], component[w])
                changed = True
    return component


def vouched(rows: list[Row], reached: set[int]) -> set[int]:
    """The workers who join in a round."""
    agreement: dict[int, list[bool]] = defaultdict(list)
    n_items: dict[int, set[int]] = defaultdict(set)
    for (i, v, k), (j, w, label) in itertools.permutations(rows, 2):
        if i == j and v != w and {v, w} <= reached:
            agreement[v].append(k == label)
    for i, v, _ in rows:
        n_items[v].add(i)
    every = [one for pairs in agreement.values() for one in pairs]
    if not every:
        return set()
    usual = statistics.fmean(every)

    def expected(w: int) -> float:
        n = len(n_items[w])
        return (n * statistics.fmean(agreement.get(w, [usual])) + 5 * usual) / (n + 5)

    block = joined([row for row in rows if row[1] not in reached])
    surplus: dict[int, list[float]] = defaultdict(list)
    sharing: dict[int, set[int]] = defaultdict(set)
    for i in {i for i, _, _ in rows}:
        theirs = [(w, k) for j, w, k in rows if j == i and w in reached]
        others = [(w, k) for j, w, k in rows if j == i and w not in reached]
        if theirs and others:
            same = statistics.fmean(float(k == label) for _, k in theirs for _, label in others)
            of = block[others[0][0]]
            surplus[of].append(same - statistics.fmean(expected(w) for w, _ in theirs))
            sharing[of] |= {w for w, _ in others}
    found: set[int] = set()
    for of, d in surplus.items():
        mean, n = statistics.fmean(d), len(d)
        squares = sum((one - mean) ** 2 for one in d) + 5 * usual * (1 - usual)
        if n >= 10 and mean - 1.6448536269514722 * math.sqrt(squares / ((n + 5) * n)) > -0.1:
            found |= sharing[of]
    return found


def touches_as_if_drawn(rows: list[Row], gold: set[int], thin: set[int]) -> bool:
    """Whether gold leaves no more judgments by workers without any than it would, drawn from the items of ``rows``."""
    items = {i for i, _, _ in rows}
    n = Counter(w for _, w, _ in rows if w not in thin)
    share = len(gold) / len(items)
    touched = {w for i, w, _ in rows if i in gold}
    left = sum(n[w] for w in n if w not in touched)
    mean = sum(n[w] * (1 - share) ** n[w] for w in n)
    variance = 0.0
    for v, w in itertools.product(n, n):  # covariance of "no gold met v" and of w, for few shared items
        p = (1 - share) ** (n[v] + n[w])
        shared = len({i for i, one, _ in rows if one == v} & {i for i, one, _ in rows if one == w})
        both = p / (1 - share) ** n[v] if v == w else p * (1 + shared * share / (1 - share))
        variance += n[v] * n[w] * (both - p)
    variance -= share / (1 - share) / len(items) * sum(n[w] ** 2 * (1 - share) ** n[w] for w in n) ** 2  # G is fixed
    return left <= mean + 1.6448536269514722 * math.sqrt(max(variance, 0.0))


def reached(
    rows: list[Row], gold: set[int], as_if_drawn: Callable[[list[int], list[int]], bool]
) -> tuple[set[int], set[int], set[int]]:
    """The workers who are checked, these and those who are vouched for, and the items within reach."""
    component = joined(rows)
    parts: dict[int, Hashable] = {i: component[w] for i, w, _ in rows}
    gold = gold & set(parts)
    good = met(parts, gold, as_if_drawn)
    n, n_gold = Counter(w for _, w, _ in rows), Counter(w for i, w, _ in rows if i in gold)
    rate = sum(n_gold.values()) / len(rows)
    checked = {w for w in n_gold if component[w] in good and not too_few(n_gold[w], n[w], rate, 0.01)}
    touched = {parts[i] for i in gold}
    found = checked | {w for w in n if component[w] in good - touched}
    thin = {w for w in n if too_few(n_gold[w], n[w], rate, 0.01)}
    if touches_as_if_drawn([row for row in rows if component[row[1]] in {component[w] for w in n_gold}], gold, thin):
        found |= {w for w in n if component[w] in good} - thin
    for _ in range(10):
        found = found | vouched(rows, found)
    items = set()
    for i in parts:
        by = [w in found for j, w, _ in rows if j == i]
        if 2 * sum(by) >= len(by):
            items.add(i)
    return checked, found, items
