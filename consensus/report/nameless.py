"""The summary of a run without what may name workers."""

from __future__ import annotations

from typing import Any

from consensus.inputs.pseudonyms import NAMING, NOT_SHOWN

Facts = dict[str, Any]


def nameless(told: Facts) -> Facts:
    """The summary of a run without what may name workers: columns and files can be called like them, too."""
    given, made = told["settings"], told["provenance"]
    settings = {key: NOT_SHOWN if value and key in NAMING else value for key, value in given.items()}
    if given.get("worker_from_file"):
        made = made | {"judgments": [one | {"file": NOT_SHOWN} for one in made["judgments"]]}
    understood = told.get("understood")
    if understood is not None:
        understood = understood | {"unused": []}
    escalation = told["escalation"] | {"unknown_named": []}
    return told | {"settings": settings, "provenance": made, "understood": understood, "escalation": escalation}
