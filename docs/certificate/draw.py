"""Draw certified.svg from certified.json, which ``tests/benchmarks/certificate.py --figure`` measured.

python docs/certificate/draw.py
"""

from __future__ import annotations

import json
import math
from pathlib import Path

HERE = Path(__file__).parent
SHOWN = {
    "cifar10h_dev": ("cifar10h", "#4c78a8"),
    "sentiment": ("sentiment", "#f58518"),
    "llm_panel_dev": ("14 LLM judges", "#54a24b"),
    "rte": ("rte", "#e45756"),
    "sp": ("sp", "#72b7b2"),
    "zencrowd_us": ("zencrowd_us", "#b279a2"),
    "web": ("web", "#9d755d"),
    "face": ("face", "#79706e"),
}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 380, 60, 130, 20, 50
GAP = 15
GOLD = (50, 100, 200, 500)


def drawn(shares: dict[str, dict[str, float]]) -> str:
    """The figure: share of the items certified against the number of gold items, a line a crowd."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12" fill="#333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for percent in range(0, 101, 20):
        y = _y(percent / 100)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{percent} %</text>')
    parts.extend(f'<text x="{_x(n):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{n}</text>' for n in GOLD)
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">random gold items</text>')
    ends = {}
    for name, (_, colour) in SHOWN.items():
        points = {n: shares[name][str(n)] for n in GOLD}
        path = " ".join(f"{_x(n):.1f},{_y(share):.1f}" for n, share in points.items())
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        ends[name] = _y(points[GOLD[-1]])
    last = -math.inf
    for name in sorted(ends, key=lambda one: ends[one]):
        last = max(ends[name] + 4, last + GAP)
        title, colour = SHOWN[name]
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{last:.1f}" fill="{colour}">{title}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _x(n_gold: int) -> float:
    low, high = math.log(GOLD[0]), math.log(GOLD[-1])
    return LEFT + (WIDTH - LEFT - RIGHT) * (math.log(n_gold) - low) / (high - low)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


if __name__ == "__main__":
    measured = json.loads((HERE / "certified.json").read_text(encoding="utf-8"))
    (HERE / "certified.svg").write_text(drawn(measured), encoding="utf-8")
