"""A fit of all that came: from nothing, as a run does it, or from the parameters of the last one.

A fit from the last parameters (warm) climbs the same objective, and ends, within the tolerance of EM, where a fit from
nothing does, as long as that climbs to the same summit. So from time to time one begins from nothing: where much came
since the last such fit, where other kinds of inputs came, and always where the data are small, since there a fit takes
no time. So does the average of readings, always: the finer ones stop early, where they are depends on all their way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from consensus.models.carried import Carried
from consensus.runs import Run
from consensus.runs.parts import Since
from consensus.state import durable, kept_fits
from consensus.state.all_inputs import inputs_of
from consensus.state.kept_fits import Summit
from consensus.state.manifest import Fitted, Manifest
from consensus.state.results import Updated

if TYPE_CHECKING:
    from pathlib import Path

    from consensus.config import RunConfig
    from consensus.runs import Inputs
    from consensus.runs.listening import Listener

SMALL = 20_000
"""Judgments up to which a fit always begins from nothing: it takes a second or two."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What an update leaves."""

    manifest: Manifest
    """Not yet written, unless it is the one before."""
    updated: Updated


def update(
    folder: Path, manifest: Manifest, config: RunConfig, full: bool, full_after: float, listener: Listener
) -> Found:
    """Fit, and write what is kept of it; the manifest that names it is in what is returned.

    Where nothing came since the last fit, that is what is found, unless a ``full`` one is wanted.
    """
    kept, before = _kept(folder, manifest), manifest.fit
    if kept is not None and before is not None and before.n_events == len(manifest.events) and not full:
        since = Since(kept["previous"], _told(manifest, before, kept["summit"], kept["result"]))
        run = Run(kept["inputs"], result=kept["result"], listener=listener, since=since)
        return Found(manifest, Updated(run, before.full, before.n_changed))
    inputs = inputs_of(folder, manifest, config, listener)
    fit = _planned(manifest, inputs)
    warm = kept is not None and bool(kept["carried"]) and not full
    warm = warm and kept is not None and _is_near(kept["inputs"], inputs, fit, full_after)
    carried = Carried(kept["carried"] if warm and kept is not None else {})
    if not warm:
        fit = replace(fit, n_changed=0, full=True)
    run = Run(inputs, listener=listener, carried=carried)
    summit = Summit.of(run.result) if kept is None or not warm else kept["summit"]
    if kept is not None:
        run.since = Since(kept["previous"], _told(manifest, fit, summit, run.result))
    _ = run.plan
    listener.stage("writing the state")
    beside = {"carried": {} if run.result.readings else carried.found, "summit": summit}
    with durable.written(folder):
        kept_fits.write(folder, fit.file, run, beside)
    return Found(replace(manifest, fit=fit), Updated(run, fit.full, fit.n_changed))


def _planned(manifest: Manifest, inputs: Inputs) -> Fitted:
    """What is to be said of a fit that begins with the last parameters."""
    before = manifest.fit
    n_read = 0 if inputs.judgments is None else inputs.judgments.tally.read
    if before is None:
        return Fitted("000001", len(manifest.events), n_read, 0, full=False)
    came = sum(event.rows for event in manifest.events[before.n_events :] if event.kind == "judgments")
    gone = max(before.n_read + came - n_read, 0)
    name = f"{int(before.file) + 1:06d}"
    return Fitted(name, len(manifest.events), n_read, before.n_changed + came + gone, full=False)


def _is_near(before: Inputs, now: Inputs, fit: Fitted, full_after: float) -> bool:
    """Whether a fit that begins with the last parameters will do."""
    if now.judgments is None or before.judgments is None or now.judgments.n_judgments <= SMALL:
        return False
    if (before.gold is None, _models(before)) != (now.gold is None, _models(now)):
        return False
    return fit.n_changed <= full_after * fit.n_read


def _models(inputs: Inputs) -> tuple[str, ...]:
    return () if inputs.model_votes is None else inputs.model_votes.models


def _told(manifest: Manifest, fit: Fitted, summit: Summit, result: Any) -> dict[str, Any]:
    """What summary.json says of a fit; of a warm one also how far it is from the last full one."""
    found: dict[str, Any] = {
        "fit": "full" if fit.full else "warm",
        "chain": manifest.chain,
        "judgments_came": manifest.n_judgments,
        "changed_since_full": fit.n_changed,
    }
    if not fit.full:
        found |= summit.distance(result)
    return found


def _kept(folder: Path, manifest: Manifest) -> dict[str, Any] | None:
    try:
        return kept_fits.read(folder, manifest)
    except FileNotFoundError:  # somebody removed it: it can be made again
        return None
