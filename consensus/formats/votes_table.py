"""Tables to ``ModelVotes``: labels that models name, scores of labels, one or many rows an item and model."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.backends import Threads
from consensus.config import FitConfig, ReadConfig, VotesConfig
from consensus.errors import FormatError
from consensus.formats import given, mixed_scales, score_scales, soft_labels, steady
from consensus.formats.opening import readings
from consensus.formats.platforms import aggregates, judge_panels
from consensus.formats.recorded import Recorded
from consensus.formats.tables.amounts import plain, reals
from consensus.formats.tables.coded_rows import NO_TEXT, Numbers, Rows
from consensus.formats.vote_columns import VoteRoles, is_of_label, label_of, role_of
from consensus.formats.vote_samples import ModelRows, combined, room
from consensus.inputs.counted import counted
from consensus.inputs.judgments import Reject
from consensus.inputs.model_votes import OTHERS, ModelVotes
from consensus.inputs.vote_tally import VoteTally

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.config import RunConfig, ScoreScale
    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.coded_rows import Columns, Progress
    from consensus.inputs.notices import Notice

PROBABILITY = "probability"  # role of the scores of long rows
NO_FAMILY = "models"  # the family of all models without one
ALL_ZERO = "all probabilities are 0"


def read_model_votes(
    source: Any,
    *,
    item: str | None = None,
    label: str | None = None,
    named: Mapping[str, str | None] | None = None,
    score_scale: ScoreScale | None = None,
    abstain: Sequence[str] = (),
    threads: int | None = None,
    progress: Progress | None = None,
) -> ModelVotes:
    """Read what models say: classifiers, LLM judges.

    A table is long (item, model, label and perhaps a probability) or wide (item, model and one column of probabilities
    for each label, such as p_cat, p_dog, which may lack the model if there is but one); both may have a family. A label
    without a probability is a hard vote. Several rows of one item and model are one vote: scores of different labels
    are one list of scores, everything else are samples, whose average counts. Labels that a list of scores leaves out
    share evenly what it leaves of 1.

    Parameters
    ----------
    source
        What ``read`` takes, or what was read before; of several files, some may be long and others wide.
    item, label
        Columns, which are found by their usual names (``roles.NAMES``) in files that do not have these.
    named
        Columns of the item, model, label and score ("item", "model", "label", "probability") that all files must have;
        in JSON lines also dotted names, such as "output.verdict".
    score_scale
        What scores are: "1" (probabilities, the default), "10" (from 0 to 10), "100" (percent), "logit" (log odds, or
        the logits of several labels) or "log" (log-probabilities). A negative score, or one above 1 alone, is none:
        such rows are rejected.
    abstain
        Labels that mean "no answer". An absent label (an empty CSV field without quotes, a null) always does, and so
        does a wide row without numbers.
    threads
        How many threads read; by default as many as there are cores. The result does not depend on it.
    progress
        Is called with a stage and the fraction of it that is done.

    Raises
    ------
    ConfigError
        ``threads`` is not positive, or the probabilities do not fit into memory.
    FormatError
        A source can't be read, a column can't be found, a model has two families, more than 5 % of its scores are none
        of ``score_scale`` or seem to be on two, or there is no vote at all.

    Examples
    --------
    >>> consensus.read_model_votes({"gpt": {"img0": "cat"}}).n_votes
    1
    """
    if isinstance(source, ModelVotes):
        return source
    settings = ReadConfig.of(None, item=item, label=label, abstain=tuple(abstain))
    scale = VotesConfig.of(None, score_scale=score_scale).score_scale
    backend = Threads(FitConfig.of(None, threads=threads).threads)
    roles = VoteRoles({"item": item, "label": label}, absent=settings.abstain, strictly=named or {})
    return _read(source, roles, scale, None, backend, progress)


def read_votes_of_run(source: Any, config: RunConfig, progress: Progress | None = None) -> ModelVotes:
    """Read what models say, by the settings of a run.

    Where this is about one of several questions, its rows are read where there is a column of questions, and a column
    that is called like it holds its labels.

    Raises
    ------
    ConfigError, FormatError
        As ``read_model_votes`` does.
    """
    return _read(source, VoteRoles.of(config), config.score_scale, config.question, Threads(config.threads), progress)


def _read(
    source: Any,
    roles: VoteRoles,
    scale: ScoreScale | None,
    question: tuple[str | None, str] | None,
    backend: Threads,
    progress: Progress | None,
) -> ModelVotes:
    source = given.table(source, given.MODEL_VOTES)
    rows = rows_of_votes(roles.absent, scale, backend, progress)
    files, file_ends, told, notes = _gathered(rows, source, roles, question)
    votes = voted(rows, files, file_ends, roles.absent, scale, backend, progress)
    return replace(votes, cautions=(*told, *votes.cautions), notes=tuple(notes))


class NoVotesError(FormatError):
    """No row is a vote."""


def rows_of_votes(
    abstain: tuple[str, ...], scale: ScoreScale | None, backend: Threads, progress: Progress | None
) -> Rows:
    """Gathers rows of votes."""
    numbers = partial(_numbers, abstain=abstain, scale=scale)
    return Rows(("item", "model", "label", "family"), ("item", "model"), backend, progress, numbers)


def voted(
    rows: Rows,
    files: list[str],
    file_ends: NDArray[np.int64],
    abstain: tuple[str, ...],
    scale: ScoreScale | None,
    backend: Threads,
    progress: Progress | None,
) -> ModelVotes:
    """The votes that all ``rows`` of some ``files`` make."""
    n_read = rows.n_rows + len(rows.rejects)
    if progress is not None:
        progress("sorting", 0.0)
    table, names = _rows(rows, abstain, file_ends)
    table = score_scales.of_logits(table) if scale == "logit" else table
    odd = score_scales.odd_rows(table)
    beyond = score_scales.told(table, odd, names.models, rows, scale)
    mixed = mixed_scales.told(table, names.models, rows) if scale == "100" else None
    given = table if beyond is None else score_scales.without(table, odd)
    votes = combined(given, backend)
    if progress is not None:
        progress("sorting", 1.0)
    rejects = [*rows.rejects, *(_rejected(rows, table, names, row, ALL_ZERO) for row in votes.zero.tolist())]
    rejects += [
        _rejected(rows, table, names, row, reason)
        for row, reason in zip(odd.row.tolist(), odd.reasons(names.labels), strict=True)
    ]
    position = {file: n for n, file in enumerate(files)}
    rejects.sort(key=lambda reject: (position[reject.file], reject.line))
    n_abstained = rows.n_rows - votes.n_answered - len(odd.row)
    if not len(votes.item):
        raise NoVotesError(_no_votes(files[0], n_read, n_abstained, rejects))
    return ModelVotes(
        item=votes.item,
        model=votes.model,
        label=votes.label,
        row=votes.row,
        probability=votes.probability,
        item_ids=names.item_ids,
        models=names.models,
        families=names.families,
        labels=names.labels,
        declared=names.declared,
        tally=VoteTally(
            read=n_read,
            used=len(votes.item),
            abstained=n_abstained,
            merged=votes.n_answered - len(votes.zero) - len(votes.item),
            rejected=len(rejects),
            normalised=votes.normalised,
        ),
        rejects=tuple(rejects),
        sources=tuple(rows.sources),
        named=votes.named,
        cautions=(
            *(() if beyond is None else (score_scales.beyond(beyond, len(odd.row)),)),
            *(() if mixed is None else (mixed,)),
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Names:
    """What codes stand for."""

    item_ids: pa.StringArray
    models: tuple[str, ...]
    families: tuple[str, ...]
    labels: tuple[str, ...]
    declared: frozenset[str]


def _gathered(
    rows: Rows, source: Any, roles: VoteRoles, question: tuple[str | None, str] | None
) -> tuple[list[str], NDArray[np.int64], list[Notice], list[str]]:
    """Put what the ``source`` holds into ``rows``: the files, how many rows there are after each, what is to be told.

    The last are notes about the files.

    Raises
    ------
    FormatError
        A file can't be read, a column can't be found, or there is no row at all.
    """
    files: list[str] = []
    ends: list[int] = []
    told: list[Notice] = []
    notes: list[str] = []
    with closing(readings_of_votes(source, roles, question)) as given:
        for n, opened in enumerate(given):
            reading, said = soft_labels.named(opened) if not opened.platform else (opened, [])
            said += [aggregates.notice(opened)] if opened.platform == aggregates.MADE else []
            told += said
            rows.add(source.choose(n, reading) if isinstance(source, Recorded) else reading)
            files.append(reading.file)
            ends.append(rows.n_rows)
            notes += [*reading.form_notes(), *filter(None, [reading.note()])]
    if not rows.n_rows + len(rows.rejects):
        raise FormatError("a header but no rows; expected one vote in each row", files[0])
    return files, np.array(ends), told, notes


def readings_of_votes(source: Any, roles: VoteRoles, question: tuple[str | None, str] | None) -> Generator[Reading]:
    """A reading of each file, or of the frame."""
    paths = [source] if isinstance(source, (str, Path)) else source
    if not (isinstance(paths, Sequence) and paths and all(isinstance(one, (str, Path)) for one in paths)):
        yield from readings(source, roles, question=question)
        return
    for one in paths:
        path = Path(one)
        before = steady.seen(path)
        made = aggregates.votes_in(path, roles.strictly, roles.named)
        made = made or judge_panels.votes_in(path, roles.strictly, roles.named)
        yield from readings([one], roles, question=question) if made is None else [steady.watched(made, path, before)]


def _numbers(columns: Columns, abstain: Sequence[str], scale: ScoreScale | None) -> Numbers:
    """The probabilities in a block, and what is wrong with them."""
    roles = tuple(role for role in columns if role == PROBABILITY or is_of_label(role))
    cells = np.full((len(columns["item"]), len(roles)), np.nan, np.float32)
    wrong: dict[int, str] = {}
    for n, role in enumerate(roles):
        cells[:, n], odd = reals(columns[role], np.float32)
        if scale in {"log", "logit"}:  # minus infinity is the probability 0
            odd = odd[~np.isneginf(cells[odd, n])]
        for row in odd.tolist():
            label = _cell(columns["label"], row) if role == PROBABILITY else label_of(role)
            if label is not None and label not in abstain:  # otherwise it is an abstain
                wrong.setdefault(row, f"the {role_of(label)} is {_fault(columns[role], row, cells[row, n])}")
    cells = score_scales.of_numbers(cells, scale)
    if scale == "logit":
        return Numbers(roles, cells, wrong)
    if roles and roles != (PROBABILITY,):
        silent = ~np.isnan(cells).all(axis=1) & (np.isnan(cells) | (cells == 0)).all(axis=1)
        for row in np.flatnonzero(silent).tolist():
            wrong.setdefault(row, ALL_ZERO)
    return Numbers(roles, cells, wrong)


def _fault(column: pa.ChunkedArray, row: int, number: np.float32) -> str:
    """What a cell holds, and why that is no probability."""
    told = f"{_cell(column, row):.40}"
    if np.isnan(number):
        return f'"{told}", no number'
    return f"{told}, no finite number"


def _cell(column: pa.ChunkedArray, row: int) -> str | None:
    """The text of a cell, None where it is empty."""
    value = plain(column.slice(row, 1))[0].as_py()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return None if value is None else str(value)


def _rows(rows: Rows, absent: Sequence[str], file_ends: NDArray[np.int64]) -> tuple[ModelRows, _Names]:
    """What was read, with codes over all labels, and what these stand for. Takes the codes out of ``rows``."""
    (item, item_ids), (model, model_ids), (label, label_texts), (family, family_texts) = rows.ranked(
        {"label": absent, "family": NO_TEXT}
    )
    models, given = tuple(model_ids.to_pylist()), label_texts.to_pylist()
    families = _families(rows, model, family, models, family_texts.to_pylist())
    wide_roles = {role for part in rows.numbers if _is_wide(part.roles) for role in part.roles}
    declared = frozenset(label_of(role) for role in wide_roles)
    others = {OTHERS} if len({*given, *declared}) == 1 and _has_scores(rows.numbers) else set()
    labels = tuple(sorted({*given, *declared, *others}, key=str.encode))
    code = {text: n for n, text in enumerate(labels)}
    if len(given) < len(labels):
        label = np.array([*(code[text] for text in given), -1], np.int32)[label]
    score, wide, table = _scores(rows.numbers, code)
    known = ModelRows(item, model, label, score, wide, table, file_ends, len(models))
    return known, _Names(item_ids, models, families, labels, declared)


def _has_scores(numbers: Sequence[Numbers]) -> bool:
    """Whether some long row has a score: where all name one label, it leaves something to others."""
    return any(part.roles == (PROBABILITY,) and not np.isnan(part.cells).all() for part in numbers)


def _scores(
    numbers: list[Numbers], code: Mapping[str, int]
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    """The score of each long row (R,); where each wide row stands in the table (R,), or -1; and the table (W, K).

    Numbers are taken out of the list as they are copied: memory holds them once.
    """
    n_rows = sum(len(part.cells) for part in numbers)
    n_wide = sum(len(part.cells) for part in numbers if _is_wide(part.roles))
    room(n_wide, len(code))
    score, wide = np.full(n_rows, np.nan, np.float32), np.full(n_rows, -1, np.int32)
    table = np.full((n_wide, len(code)), np.nan, np.float32)
    while numbers:  # from the last one
        part = numbers.pop()
        end, n_rows = n_rows, n_rows - len(part.cells)
        if _is_wide(part.roles):
            end_wide, n_wide = n_wide, n_wide - len(part.cells)
            wide[n_rows:end] = np.arange(n_wide, end_wide)
            for role, cells in zip(part.roles, part.cells.T, strict=True):
                table[n_wide:end_wide, code[label_of(role)]] = cells
        elif part.roles:
            score[n_rows:end] = part.cells[:, 0]
    return score, wide, table


def _is_wide(roles: Sequence[str]) -> bool:
    return bool(roles) and roles[0] != PROBABILITY


def _families(
    rows: Rows, model: NDArray[np.int32], family: NDArray[np.int32], models: Sequence[str], names: Sequence[str]
) -> tuple[str, ...]:
    """The family of each model.

    Raises
    ------
    FormatError
        A model has two.
    """
    told = np.flatnonzero(family >= 0)
    of_model = np.full(len(models), -1, np.int32)
    of_model[model[told[::-1]]] = family[told[::-1]]  # the first row is the last that is written
    for row in told[family[told] != of_model[model[told]]][:1].tolist():
        raise FormatError(
            f'model "{models[model[row]]}" is of family "{names[family[row]]}" here, and of '
            f'"{names[of_model[model[row]]]}" before; name one family for each model',
            rows.place(row),
        )
    return tuple(names[n] if n >= 0 else NO_FAMILY for n in of_model.tolist())


def _rejected(rows: Rows, known: ModelRows, names: _Names, row: int, reason: str) -> Reject:
    """The reject of a row for its scores."""
    file, line = rows.located(row)
    cells = [names.item_ids[known.item[row]].as_py(), names.models[known.model[row]]]
    if known.wide[row] >= 0:
        scores = [(label, known.table[known.wide[row], n]) for n, label in enumerate(names.labels)]
        cells += ["" if np.isnan(score) else f"{score:g}" for label, score in scores if label in names.declared]
    else:
        cells += [names.labels[known.label[row]], f"{known.score[row]:g}"]
    return Reject(file, line, reason, ",".join(cells))


def _no_votes(file: str, n_read: int, n_abstained: int, rejects: Sequence[Reject]) -> str:
    first = f"; the first: {rejects[0].file}:{rejects[0].line}: {rejects[0].reason}" if rejects else ""
    return (
        f"{file}: no vote can be used: of {counted(n_read, 'row')}, {counted(n_abstained, 'abstains', 'abstain')} "
        f"and {counted(len(rejects), 'is', 'are')} rejected{first}; expected a label, or probabilities, in every row"
    )
