"""Answers about chunks: read, held against the chunks that there are, and merged with the earlier ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from consensus.chunks import folder
from consensus.chunks.answer_columns import NAME, judgments_of
from consensus.chunks.clicks import CLICKING, Click
from consensus.config import ReadConfig
from consensus.errors import ConfigError, JudgmentError
from consensus.inputs import formulas, pseudonyms
from consensus.runs.listening import SILENT

if TYPE_CHECKING:
    from consensus.chunks.whole_run import ChunkRun, Clicks
    from consensus.inputs.judgments import Judgments
    from consensus.runs.listening import Listener


def answers(
    run: ChunkRun | Path | str,
    clicks: Any,
    config: ReadConfig | None = None,
    *,
    save: bool = True,
    listener: Listener = SILENT,
    **settings: Any,
) -> ChunkRun:
    """Merge clicks on chunks into a run, fit again, and paint again.

    A click is a judgment with a confusion of its own, so that a wrong one can be outvoted; it never overwrites. Who
    answers a chunk a second time takes the first answer back.

    Parameters
    ----------
    run
        The folder of a run, or a run in memory.
    clicks
        What ``consensus.read`` takes: item (``image#chunk``, as in escalations.csv), worker, label. Where the column of
        the item holds no chunks, such as the numbers of tasks in an export, the one that does is found.
    config
        How they are read.
    save
        Write the folder again, where there is one, with crops and a page as it was written before.
    listener
        Is told how it goes on, and in which column chunks were found.
    **settings
        Fields of ``ReadConfig``, such as ``item="chunk"``.

    Raises
    ------
    ConfigError
        Workers shall have pseudonyms, and have none in the run, or others.
    JudgmentError
        An item is no chunk of the run, or a label none of its classes.
    FormatError
        The clicks can't be read.
    OutputError
        The folder is no run, its masks have changed, or it can't be written.
    """
    chosen = ReadConfig.of(config, **settings)
    if isinstance(run, (Path, str)):
        with folder.alone(Path(run), listener):
            return _kept(Path(run), clicks, chosen, listener, save=save)
    return _with(run, clicks, chosen, listener)


def _kept(path: Path, clicks: Any, chosen: ReadConfig, listener: Listener, *, save: bool) -> ChunkRun:
    """The run of a folder with more clicks, which is written again to ``save`` it."""
    told = folder.summary_of(path)
    drawn, real = folder.looks_of(told, str(path)), folder.check(path, overwrite=True) if save else path
    found = _with(folder.load(path, listener, pseudonyms=chosen.pseudonyms), clicks, chosen, listener)
    if save:
        folder.write(found, real, raw_cells=folder.is_raw(told), drawn=drawn)
    return found


def _with(made: ChunkRun, clicks: Any, chosen: ReadConfig, listener: Listener) -> ChunkRun:
    """A run with more clicks."""
    _refuse_another_key(made, chosen)
    judgments, said = judgments_of(clicks, chosen.model_copy(update={"pseudonyms": None}))
    if said:
        listener.say(said)
    return made.with_clicks(merged(made.clicks, clicks_of(made, judgments, made.masks.key)))


def _refuse_another_key(run: ChunkRun, chosen: ReadConfig) -> None:
    """Refuse pseudonyms that are not those of the run.

    Raises
    ------
    ConfigError
        The run has none, or by another key.
    """
    if chosen.pseudonyms is not None and pseudonyms.read_key(chosen.pseudonyms) != run.masks.key:
        raise ConfigError("the run has no pseudonyms by this key; make it again with --pseudonyms", chosen.pseudonyms)


def merged(before: Clicks, now: Clicks) -> Clicks:
    """Two sets of clicks: of two by one worker on a chunk, the later one counts."""
    found: dict[str, dict[int, tuple[Click, ...]]] = {}
    for clicks in (before, now):
        for image, chunks in clicks.items():
            for first, given in chunks.items():
                by_worker = {one.worker: one for one in found.setdefault(image, {}).get(first, ())}
                by_worker |= {one.worker: one for one in given}
                found[image][first] = tuple(by_worker[name] for name in sorted(by_worker))
    return found


def clicks_of(run: ChunkRun, judgments: Judgments, key: bytes | None = None) -> Clicks:
    """Answers, by picture and first pixel of the chunk; workers get pseudonyms by the ``key``.

    Raises
    ------
    JudgmentError
        As ``answers``; or who clicks would be called as somebody is who paints.
    """
    if not judgments.n_judgments:
        tally = judgments.tally
        raise JudgmentError(
            f"answers: no row can be used: {tally.abstained:,} of {tally.read:,} have no label, and {tally.rejected:,} "
            "no item or worker"
        )
    position = {label: code for code, label in enumerate(run.labels)}
    labels = formulas.called(judgments.labels, position)
    for label in labels:
        if label not in position:
            raise JudgmentError(
                f'answers: the label "{label}" is none of the classes, which are {", ".join(run.labels[:20])}',
                code="unknown_label",
            )
    hashes: dict[str, str] = {}
    firsts = [_first(run, hashes, item) for item in judgments.item_ids.to_pylist()]
    workers = judgments.worker_ids.to_pylist()
    if key is not None:
        workers = pseudonyms.pseudonyms(key, workers)
    painters = {*run.masks.workers, *run.masks.models}
    for worker in workers:
        if worker + CLICKING in painters:
            raise JudgmentError(
                f'answers: "{worker}" would stand in workers.csv as "{worker}{CLICKING}", which is the name of '
                "somebody who paints; give one of them another name",
                code="unknown_name",
            )
    found: dict[str, dict[int, tuple[Click, ...]]] = {}
    rows = zip(judgments.item.tolist(), judgments.worker.tolist(), judgments.label.tolist(), strict=True)
    for item, worker, label in rows:
        image, first = firsts[item]
        chunks = found.setdefault(image, {})
        click = Click(workers[worker], position[labels[label]])
        chunks[first] = (*chunks.get(first, ()), click)
    return found


def _first(run: ChunkRun, hashes: dict[str, str], item: str) -> tuple[str, int]:
    """The picture and first pixel of the chunk that an item names; ``hashes`` are those of pictures met before."""
    image, _, chunk = item.rpartition("#")
    image = formulas.called([image], run.numbers)[0]  # of a list that a spreadsheet may open
    if image not in run.numbers or NAME.fullmatch(chunk) is None:
        raise JudgmentError(
            f'answers: "{item}" names no chunk; an item is the picture, #, and the chunk, as in escalations.csv; '
            "name its column with --item",
            code="unknown_item",
        )
    if image not in hashes:
        hashes[image] = run.painted(image).partition.hash
    if chunk.rpartition("-")[2] != hashes[image]:
        raise JudgmentError(
            f'answers: "{item}" is a chunk of other masks, or of another cut; its picture has chunks that end in '
            f"-{hashes[image]} now: ask for it again",
            code="unknown_item",
        )
    x, y = (int(one) for one in chunk.partition("-")[0].split(","))
    picture = run.masks.pictures[run.number_of(image)]
    if not (x < picture.width and y < picture.height):
        raise JudgmentError(f'answers: "{item}" begins outside of the picture', code="unknown_item")
    return image, y * picture.width + x
