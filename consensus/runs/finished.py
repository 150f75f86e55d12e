"""A finished run, fitted again from its inputs: the same settings, the same bits."""

from __future__ import annotations

import errno
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consensus.config import RunConfig
from consensus.errors import ConfigError, RunError
from consensus.formats import platforms, sources
from consensus.inputs.judgments import listed
from consensus.inputs.pseudonyms import NAMING, NOT_SHOWN
from consensus.runs import kept_inputs
from consensus.runs.listening import SILENT
from consensus.runs.run_inputs import Inputs, SideInputs
from consensus.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consensus.runs.listening import Listener

KINDS = ("judgments", "model_votes", "gold")


def inputs_of(
    folder: Path,
    listener: Listener = SILENT,
    *,
    threads: int | None = None,
    side_inputs: bool = False,
    pseudonyms: Path | None = None,
    moved: Sequence[Path] | None = None,
) -> Inputs:
    """What the output ``folder`` of a run was made from, after a check that it is as it was.

    Inputs that are not where they were may be among ``moved`` files. Workers may get ``pseudonyms`` by a key. With
    ``side_inputs`` also costs, workers and an earlier run, which have no say in the fit.

    Nothing but the tables of a run is kept on disk: the parameters follow from the inputs, to the last bit.

    Raises
    ------
    ConsensusError
        It is no such folder, or an input is gone or has changed.
    """
    told = summary_of(folder)
    _refuse_memory(folder, told)
    files = {kind: [_input(folder, one, listener, moved) for one in told["provenance"][kind]] for kind in KINDS}
    config = _settings(folder, told).model_copy(update={"threads": threads})
    if pseudonyms is not None:
        config = config.model_copy(update={"pseudonyms": pseudonyms})
    for source in told["provenance"].get("label_map", []):
        config = config.model_copy(update={"label_map": _input(folder, source, listener)})
    made_by = told["provenance"]["consensus"]
    if made_by != VERSION:
        listener.say(f"note: {folder} was made by consensus {made_by}; this is {VERSION}, which may say something else")
    return Inputs.read(
        config,
        files["judgments"] or None,
        model_votes=files["model_votes"] or (None if told.get("models") else platforms.NONE),
        gold=files["gold"][0] if files["gold"] else None,
        beside=SideInputs.read(config, **kept_inputs.beside(folder)) if side_inputs else SideInputs(),
        listener=listener,
    )


def is_one(path: Path) -> bool:
    """Whether it looks like the output folder of a run, rather than like judgments."""
    return path.is_dir() and (path / "summary.json").is_file()


def summary_of(folder: Path) -> dict[str, Any]:
    """The summary of a run.

    Raises
    ------
    RunError
        There is none.
    """
    path = folder / "summary.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        made, settings = told["provenance"], told["settings"]
        inputs = [one for kind in KINDS for one in made[kind]]
        complete = isinstance(settings, dict) and isinstance(made["consensus"], str)
        complete &= isinstance(told["convergence"]["status"], str)
        complete &= all(isinstance(one[key], str) for one in inputs for key in ("file", "sha256"))
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG or not folder.exists():
            raise RunError(
                "no such folder; name the output folder of consensus run", folder, code="file_not_found"
            ) from None
        raise RunError("no summary.json in it; name the output folder of consensus run", folder) from None
    except (ValueError, KeyError, TypeError):
        complete = False
        _refuse_several(folder, path)
    if not complete:
        raise RunError("not the summary of consensus run; name the output folder of one", path)
    return dict(told)


def _refuse_several(folder: Path, path: Path) -> None:
    """Name the folders of a run that did several questions.

    Raises
    ------
    RunError
        It is the folder of all of them.
    """
    try:
        inside = [str(folder / one["folder"]) for one in json.loads(path.read_text(encoding="utf-8"))["questions"]]
    except (ValueError, KeyError, TypeError):
        return
    raise RunError(f"holds {len(inside):,} questions, each in a folder of its own; name one: {listed(inside)}", folder)


def _input(folder: Path, source: dict[str, str], listener: Listener, moved: Sequence[Path] | None = None) -> Path:
    """Where an input is, perhaps in an archive: as named, from here or from beside the output folder, or ``moved``."""
    given = Path(source["file"])
    listener.stage(f"checking {given.name}")
    beside = folder.resolve().parents[:2]  # a folder of one of several questions lies in that of all of them
    places = (given, *(parent / given for parent in (folder, *beside)), *(moved or ()))
    found = [path for path in places if sources.is_named(path)]
    if not found and (source["file"] in sources.GONE or sources.is_read_once(given)):
        raise RunError(
            f"its input was {given}, which can't be read a second time; save it to a file, run that, and "
            "then look at its output",
            folder,
        )
    if not found:
        way = "put it back, or run again" if moved is None else "name where it is now with --source"
        raise RunError(f"its input {given} is not there; {way}", folder)
    for path in found:
        if sources.digest_of(path) == source["sha256"]:
            return path
    way = "run again" if moved is None else "name the one that was read with --source, or run again"
    raise RunError(f"its input {found[0]} has changed since; {way}", folder)


def _refuse_memory(folder: Path, told: dict[str, Any]) -> None:
    """Refuse a run whose inputs are in no file."""
    counts, made = told.get("counts", {}), told["provenance"]
    has = {"judgments": counts.get("judgments")}
    if not told.get("understood", {}).get("model_votes"):  # as an export of a platform may have
        has["model_votes"] = told.get("models")
    own_gold = told["understood"]["gold"] if "understood" in told else "notes" in told
    own_gold = own_gold or bool(told["settings"].get("gold_worker"))
    if not own_gold:  # as an export of a platform may have
        has["gold"] = counts.get("gold_items")
    for kind, some in has.items():
        if some and not made[kind]:
            raise RunError(
                f"its {kind.replace('_', ' ')} were tables in memory, which are not kept; write them to a "
                "file, and run that",
                folder,
            )


def _settings(folder: Path, told: dict[str, Any]) -> RunConfig:
    """The settings of a run. What it did not say is as it was before there was a choice.

    Where it could only count votes, the model that it was to fit does so again by itself; where none was named, and the
    data decided against the usual one, they do so again.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # an earlier version called them so
        settings = RunConfig.renamed(told["settings"])
    hidden = [name for name in NAMING if settings.get(name) == NOT_SHOWN]
    if hidden:
        raise RunError(
            f"its {hidden[0].replace('_', ' ')} names workers, and the run was written with pseudonyms; run again",
            folder,
        )
    known = {name: settings[name] for name in RunConfig.model_fields if name in settings}
    if told.get("understood", {}).get("repeats") == "default":
        known.pop("repeats", None)
    if told["convergence"]["status"] == "not_identified" or "model_because" in told["convergence"]:
        known.pop("model", None)
    try:
        return RunConfig.of(None, **{"collusion": "off"} | known)
    except ConfigError as error:
        raise RunError(f"summary.json: {error}; run again with this version", folder) from None
