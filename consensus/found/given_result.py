"""A result that a caller gives: itself, or what holds one."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

from consensus.errors import ConfigError
from consensus.found.result import Consensus
from consensus.inputs.judgments import Judgments


class Holder(Protocol):
    """Holds a fitted result, as a run or a step of a replay does."""

    @property
    def result(self) -> Consensus:
        """The fit."""


Fitted: TypeAlias = "Consensus | Holder"


def fitted(given: Any) -> Consensus:
    """A fitted result: itself, or that of a run or of a step of a replay.

    Raises
    ------
    ConfigError
        It is none of these.
    """
    found = given if isinstance(given, Consensus) else getattr(given, "result", None)
    if isinstance(found, Consensus):
        return found
    what = "None" if given is None else f"of type {type(given).__name__}"
    way_out = (
        "fit them first: consensus.fit(judgments)"
        if isinstance(given, Judgments)
        else ("give what consensus.fit or consensus.run returns")
    )
    raise ConfigError(f"result: it is {what}, and no fitted result; {way_out}")
