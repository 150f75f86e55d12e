"""Settings and arguments that make no sense: settings that hold, or one clear line; anything else is a finding.

Settings stand in TOML files and in Python; arguments are those of all public functions, on a crowd of a few items.
"""

from __future__ import annotations

import datetime
import json
import random
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import consensus
from consensus import config
from consensus.config.crowd_settings import CrowdConfig, ModelsConfig
from tests.fuzz import frames, kinds, tables

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS: tuple[Any, ...] = (
    *(config.RunConfig,) * 4, config.ReadConfig, config.FitConfig, config.AuditConfig, config.EscalateConfig,
    config.VotesConfig, config.GoldConfig, CrowdConfig, ModelsConfig,
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    0, 1, -1, 2, 3, 10, 0.5, 0.95, 1.0, -0.0, 1e-320, 1e300, 1e308, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63), 10**40,
    float("nan"), float("inf"), float("-inf"), True, False,
)  # fmt: skip
WORDS: tuple[Any, ...] = (
    "", " ", "a", "b", "item", "worker", "label", "gold", "none", "auto", "off", "measured", "learnt", "fixed", "last",
    "keep", "first", "error", "4GB", "-1GB", "1e30GB", "0.95", "95%", "set", "majority_vote", "dawid_skene", "average",
    "labels", "i1", "w1", "x" * 300, "\u202e", "a\nb", "\x00", "\x1b[31m", "é", "=cmd()", "../..", "/", "item=i1", "a=",
)  # fmt: skip
NESTED: tuple[Any, ...] = (
    [], ["a"], ["a", "b"], ["a", "a"], [""], [1, 2], [None], [["a"]], {}, {"a": 1}, {"a": {"b": 1}}, {"": ""}, ("a",),
    [float("nan")], ["x"] * 300,
)  # fmt: skip
GOOD: dict[str, tuple[Any, ...]] = {
    "prior": ("learnt", "fixed", "none"),
    "rho": (0, 0.4, 100.0, "measured"),
    "model": ("average", "dawid_skene", "majority_vote"),
    "ties": ("first", "abstain"),
    "target": (0.9, 0.95, 0.5),
    "repeats": ("last", "first", "keep", "error"),
    "labels": (["a", "b"], ["a", "b", "c"]),
    "calibration": ("gold", "none"),
    "collusion": ("off", "auto"),
    "max_iterations": (1, 5, 500),
    "threads": (1,),
}
"""Values that hold, so that others beside them are looked at."""


def value_of(rng: random.Random, name: str) -> Any:
    """A value for a setting of this name, good or odd."""
    if name in GOOD and rng.random() < 0.6:
        return rng.choice(GOOD[name])
    return rng.choice(rng.choice((NUMBERS, NUMBERS, WORDS, WORDS, NESTED, (None, datetime.date(2024, 1, 1), object()))))


def chosen(rng: random.Random, kind: Any, most: int = 5) -> dict[str, Any]:
    """Some settings of a ``kind``; a name now and then that is none."""
    names = [*kind.model_fields, "no_such", "prio", "least_judgments", "price", ""]
    return {name: value_of(rng, name) for name in rng.sample(names, rng.randrange(most + 1))}


def _toml(rng: random.Random, settings: dict[str, Any]) -> bytes:
    """The settings as TOML, some of it broken."""

    def told(value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, (int, float, datetime.date)):
            return str(value)
        if isinstance(value, (list, tuple)):
            return f"[{', '.join(map(told, value))}]"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{json.dumps(name)} = {told(one)}" for name, one in value.items()) + "}"
        return json.dumps(value if isinstance(value, str) else "x")

    text = "".join(f"{name or json.dumps(name)} = {told(value)}\n" for name, value in settings.items())
    if rng.random() < 0.1:
        text = rng.choice(("[table]\n", "[[several]]\n", "# x\n", "= 1\n", "a.b = 1\n", "a = [\n", '"')) + text
    data = text.encode(rng.choice(("utf-8", "utf-8", "utf-8", "utf-16", "utf-8-sig")))
    return kinds.broken(rng, data) if rng.random() < 0.1 else data


def outcome(seed: int, folder: Path) -> tuple[str, str | None]:
    """How the settings of a seed end: in a word, and what is wrong about that, or None."""
    rng = random.Random(f"settings {seed}")
    kind = rng.choice(KINDS)
    settings = chosen(rng, kind)
    path = folder / "settings.toml"
    path.write_bytes(_toml(rng, settings))
    told = path if rng.random() < 0.97 else rng.choice((folder, folder / "none.toml"))

    def look() -> Any:
        if rng.random() < 0.5:
            return kind.from_toml(told)
        found = kind.of(None, **settings)
        return kind.of(found, **chosen(rng, kind, 1)).model_dump_json()

    return ended(look, folder)


def _crowd(rng: random.Random) -> dict[str, list[str]]:
    n, wide, labels = rng.choice((1, 4, 30)), rng.choice((2, 8)), rng.choice(kinds.LABELS)
    rows = [(f"i{i}", f"w{w}", rng.choice(labels)) for i in range(n) for w in range(wide)]
    return {name: list(cells) for name, cells in zip(("item", "worker", "label"), zip(*rows, strict=True), strict=True)}


def _fitted(rng: random.Random) -> Any:
    return consensus.fit(consensus.read(_crowd(rng)), threads=1)


SOURCES: tuple[Callable[[random.Random], Any], ...] = (
    lambda rng: rng.choice(frames.ANYTHING),
    lambda rng: rng.choice((*NUMBERS, *WORDS, *NESTED)),
    lambda rng: _crowd(rng),
    lambda rng: pd.DataFrame(_crowd(rng)),
    lambda rng: {"i1": "a", "i2": rng.choice(frames.ANYTHING)},
    lambda rng: {"w1": {"price": rng.choice(NUMBERS), "available": rng.choice(NUMBERS)}},
    lambda rng: {("a", "b"): rng.choice(NUMBERS), ("b", "a"): rng.choice(NUMBERS)},
    lambda rng: {"gpt": {"i1": "a", "i2": rng.choice(frames.ANYTHING)}},
    lambda rng: [{"item": "i1", "label": rng.choice(frames.ANYTHING)}, rng.choice(frames.ANYTHING)],
    lambda rng: [rng.choice(frames.ANYTHING), rng.choice(frames.ANYTHING)],
    lambda _rng: Path("/none/there"),
    lambda _rng: None,
    lambda rng: np.array([[rng.random()]]),
    lambda _rng: frames.Awkward(),
)
"""What may be given for a table."""


def _source(rng: random.Random) -> Any:
    return rng.choice(SOURCES)(rng)


def _arguments(rng: random.Random) -> Callable[[], Any]:
    """A call of a public function."""
    table = _crowd(rng) if rng.random() < 0.8 else _source(rng)
    quick: dict[str, Any] = {"threads": 1, "collusion": "off"}
    run_settings = quick | chosen(rng, config.RunConfig, 4)
    readers = (
        consensus.read_gold,
        consensus.read_costs,
        consensus.read_workers,
        consensus.read_previous,
        consensus.read_model_votes,
        consensus.read,
        consensus.load,
    )
    side = rng.choice(("gold", "costs", "workers", "previous", "model_votes"))
    calls: tuple[tuple[int, Callable[[], Any]], ...] = (
        (30, lambda: rng.choice(readers)(_source(rng))),
        (20, lambda: consensus.read(table, **chosen(rng, config.ReadConfig))),
        (12, lambda: consensus.check(table, **(run_settings | {side: _source(rng)}))),
        (8, lambda: consensus.run(table, **run_settings).summary),
        (6, lambda: consensus.run(table, **quick, **{side: _source(rng)}).summary),
        (6, lambda: consensus.fit(table, **({"threads": 1} | chosen(rng, config.FitConfig)))),
        (3, lambda: consensus.audit(_fitted(rng), **chosen(rng, config.AuditConfig, 3))),
        (3, lambda: consensus.escalate(_fitted(rng), **chosen(rng, config.EscalateConfig, 3))),
        (2, lambda: consensus.escalate(_fitted(rng), workers=_source(rng), costs=_source(rng))),
        (2, lambda: consensus.decide(_fitted(rng), _source(rng))),
        (3, lambda: consensus.evaluate(_source(rng), _source(rng))),
        (3, lambda: consensus.agreement(table, level=rng.choice(WORDS), by=rng.choice(WORDS), n_bootstrap=10)),
        (1, lambda: consensus.plan_gold(_fitted(rng), n=rng.choice(NUMBERS))),
        (1, lambda: consensus.plan_budget(table, **chosen(rng, config.EscalateConfig, 2))),
        (2, lambda: consensus.run_by(table, rng.choice(WORDS), **quick)),
        (2, lambda: consensus.shares(_source(rng))),
        (2, lambda: consensus.diff(_source(rng), _source(rng))),
        (3, lambda: consensus.simulate(**{"n_items": 5, rng.choice(SIMULATED): value_of(rng, "")})),
    )
    return rng.choices([one for _, one in calls], [weight for weight, _ in calls])[0]


SIMULATED = ("n_workers", "n_labels", "per_item", "accuracy", "spammers", "seed", "prior", "confusion", "biased")


def arguments_outcome(seed: int, folder: Path) -> tuple[str, str | None]:
    """How the call of a seed ends: in a word, and what is wrong about that, or None."""
    return ended(_arguments(random.Random(f"arguments {seed}")), folder)


def ended(call: Callable[[], Any], folder: Path) -> tuple[str, str | None]:
    """How a call ends."""

    def read(_table: kinds.Made, _look: object) -> tuple[str, str | None]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call()
        return "held", None

    return tables.outcome_of(lambda: kinds.Made("judgments", None), folder, read=read)
