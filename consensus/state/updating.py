"""A fit of all that came: from nothing, as a run does it, or from the parameters of the last one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from consensus.runs import Run
from consensus.runs.parts import Since
from consensus.state import kept_fits
from consensus.state.all_inputs import inputs_of
from consensus.state.manifest import Fitted, Manifest
from consensus.state.results import Updated

if TYPE_CHECKING:
    from pathlib import Path

    from consensus.config import RunConfig
    from consensus.runs.listening import Listener


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What an update leaves."""

    manifest: Manifest
    """Not yet written, unless it is the one before."""
    updated: Updated


def update(
    folder: Path, manifest: Manifest, config: RunConfig, full: bool, full_after: float, listener: Listener
) -> Found:
    """Fit, and write what is kept of it; the manifest that names it is in what is returned."""
    kept = _kept(folder, manifest)
    n = manifest.n_judgments
    run = Run(
        inputs_of(folder, manifest, config, listener),
        listener=listener,
        since=None if kept is None else Since(kept["previous"], _told(manifest, full=True)),
    )
    _ = run.plan
    listener.stage("writing the state")
    name = f"{1 if manifest.fit is None else int(manifest.fit.file) + 1:06d}"
    kept_fits.write(folder, name, run, None)
    fit = Fitted(name, len(manifest.events), n, n, full=True)
    return Found(replace(manifest, fit=fit), Updated(run, full=True, n_new=0))


def _told(manifest: Manifest, *, full: bool) -> dict[str, Any]:
    """What summary.json says of a fit."""
    n_full = manifest.n_judgments if full or manifest.fit is None else manifest.fit.n_judgments_full
    return {
        "fit": "full" if full else "warm",
        "chain": manifest.chain,
        "judgments_came": manifest.n_judgments,
        "since_full_fit": manifest.n_judgments - n_full,
    }


def _kept(folder: Path, manifest: Manifest) -> dict[str, Any] | None:
    try:
        return kept_fits.read(folder, manifest)
    except FileNotFoundError:  # somebody removed it: it is a cache
        return None
