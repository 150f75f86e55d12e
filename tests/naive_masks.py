"""Slow, obvious versions of the loops over pixels, written from their definitions."""

from collections import Counter, deque

import numpy as np


def patterns(columns: list[np.ndarray]) -> list[list[tuple[int, ...]]]:
    """The votes of every pixel, (H, W)."""
    height, width = columns[0].shape
    return [[tuple(int(one[y, x]) for one in columns) for x in range(width)] for y in range(height)]


def areas(columns: list[np.ndarray]) -> Counter[tuple[int, ...]]:
    return Counter(one for row in patterns(columns) for one in row)


def regions(ids: np.ndarray) -> np.ndarray:
    """4-connected regions, flooded one after the other in row-major order."""
    found = np.full(ids.shape, -1)
    n = 0
    for start in np.ndindex(ids.shape):
        if found[start] >= 0:
            continue
        found[start] = n
        todo = deque([start])
        while todo:
            y, x = todo.popleft()
            for beside in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                inside = 0 <= beside[0] < ids.shape[0] and 0 <= beside[1] < ids.shape[1]
                if inside and found[beside] < 0 and ids[beside] == ids[start]:
                    found[beside] = n
                    todo.append(beside)
        n += 1
    return found


def sides(region: np.ndarray) -> Counter[tuple[int, int]]:
    """How many sides each ordered pair of regions shares."""
    found: Counter[tuple[int, int]] = Counter()
    for y, x in np.ndindex(region.shape):
        for beside in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
            if 0 <= beside[0] < region.shape[0] and 0 <= beside[1] < region.shape[1]:
                pair = int(region[y, x]), int(region[beside])
                found[pair] += pair[0] != pair[1]
    return +found
