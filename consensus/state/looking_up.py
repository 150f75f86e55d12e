"""What a fit, and what came since, say of one item, of one worker, and in all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import ConfigError
from consensus.escalation import STATUSES
from consensus.report.summary import without_nan

if TYPE_CHECKING:
    from consensus.state.asking import Asking

NEW = "new"
"""The status of an item that no fit knows yet."""


def item(asking: Asking | None, wanted: str, came: dict[str, str]) -> dict[str, Any]:
    """An item: ``came`` is what was said of it since the fit, by worker.

    Raises
    ------
    ConfigError
        Nobody judged it.
    """
    code = -1 if asking is None else asking.item_code(wanted)
    if code < 0 and not came:
        raise ConfigError(f'nobody judged an item "{wanted}"; look at its id', code="unknown_name")
    found: dict[str, Any] = {"item": wanted, "label": None, "confidence": None, "runner_up": None}
    found |= {"n_judgments": 0, "status": NEW, "may_ask": None}
    if asking is not None and code >= 0:
        run, one = asking.run, np.array([code])
        columns = run.result.told_columns(one)
        found |= {name: _first(columns[name]) for name in ("label", "confidence", "runner_up", "n_judgments")}
        place = asking.place(code)
        found |= {"status": STATUSES[run.status[code]], "may_ask": asking.left(place) if place >= 0 else 0}
    told: dict[str, Any] = without_nan(found | {"came": came})
    return told


def worker(asking: Asking | None, wanted: str, n_came: int) -> dict[str, Any]:
    """A worker, who judged ``n_came`` times since the fit.

    Raises
    ------
    ConfigError
        They judged nothing.
    """
    code = -1 if asking is None else asking.worker_code(wanted)
    if code < 0 and not n_came:
        raise ConfigError(f'no worker "{wanted}" judged anything; look at their id', code="unknown_name")
    found: dict[str, Any] = {"worker": wanted}
    if asking is not None and code >= 0:
        rows = asking.workers()
        if wanted in rows.index:
            found |= {str(name): _plain(value) for name, value in rows.loc[wanted].items()}
    is_asked = asking is None or asking.may_be_asked(code)
    told: dict[str, Any] = without_nan(found | {"new_judgments": n_came, "is_asked": is_asked})
    return told


def summary(asking: Asking | None) -> dict[str, Any]:
    """The whole: counts, convergence and warnings of the last fit, and how much there is to ask."""
    if asking is None:
        return {"fitted": False}
    run = asking.run
    names = ("counts", "convergence", "quality", "warnings")
    told: dict[str, Any] = without_nan({name: run.summary[name] for name in names if name in run.summary})
    return {"fitted": True, **told, "listed_items": len(asking)}


def _first(column: Any) -> Any:
    return _plain(column[0])


def _plain(value: Any) -> Any:
    value = value.as_py() if hasattr(value, "as_py") else value
    value = value.item() if isinstance(value, np.generic) else value
    return None if value != value else value
