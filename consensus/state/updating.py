"""A fit of all that came: from nothing, as a run does it, or from the parameters of the last one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from consensus.report import differences
from consensus.runs import Run
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
    """Not yet written."""
    updated: Updated


def update(
    folder: Path, manifest: Manifest, config: RunConfig, full: bool, full_after: float, listener: Listener
) -> Found:
    """Fit, and write what is kept of it; the manifest that names it is in what is returned."""
    kept = _kept(folder, manifest)
    run = Run(inputs_of(folder, manifest, config, listener), listener=listener)
    warm: Any = None
    _ = run.plan
    changes = None if kept is None else differences.table(kept["previous"], run.as_previous())
    n = 1 if manifest.fit is None else int(manifest.fit.file) + 1
    name = f"{n:06d}"
    listener.stage("writing the state")
    kept_fits.write(folder, name, run, warm)
    fit = Fitted(name, len(manifest.events), manifest.n_judgments, manifest.n_judgments, True)
    return Found(replace(manifest, fit=fit), Updated(run, True, 0, changes))


def _kept(folder: Path, manifest: Manifest) -> dict[str, Any] | None:
    try:
        return kept_fits.read(folder, manifest)
    except FileNotFoundError:  # somebody removed it: it is a cache
        return None
