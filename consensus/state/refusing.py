"""What a stream does not take, since it would stop each fit from then on."""

from __future__ import annotations

from math import inf
from numbers import Integral
from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError, FormatError, JudgmentError
from consensus.formats import given
from consensus.inputs.renaming import NO_ANSWER, Renaming

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consensus.config import RunConfig
    from consensus.state.records import Record
    from consensus.state.since import Since
    from consensus.state.state import State

MORE = ("counts", "wide", "questions", "by", "only", "worker_from_file", "weight", "cluster", "keep", "drop")
"""Settings by which a judgment is more than an item, a worker and a label."""


def refuse_settings(config: RunConfig) -> None:
    """Refuse a state whose judgments are more than an item, a worker and a label, or come in another shape.

    Raises
    ------
    ConfigError
        It is such a one.
    """
    for name in MORE:
        if getattr(config, name):
            raise ConfigError(
                f"--{name.replace('_', '-')}: a state with this setting takes no judgments one by one; add files to it "
                "with consensus update"
            )


def refuse_no_name(name: str, value: Any) -> None:
    """Refuse what can't be the id of an item or a worker.

    Raises
    ------
    ConfigError
        It is no text, or none that can be written as UTF-8.
    """
    if not isinstance(value, str):
        raise ConfigError(f"{name} = {given.told(value)}: should be a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{name} = {value!r}: is not UTF-8; write it as UTF-8") from None


def refuse_asking(n: Any, worker: Any, lease: Any) -> None:
    """Refuse numbers out of range, and a worker who is no text.

    Raises
    ------
    ConfigError
        There is such a one.
    """
    if isinstance(n, bool) or not isinstance(n, Integral) or n < 1:
        raise ConfigError(f"n = {given.told(n)}: should be a whole number, 1 or more")
    if isinstance(lease, bool) or not isinstance(lease, (int, float)) or not 0 < lease < inf:
        raise ConfigError(f"lease = {given.told(lease)}: should be seconds, more than 0")
    if worker is not None:
        refuse_no_name("worker", worker)


def refuse_unusable(state: State) -> None:
    """Refuse what came if it can't be used together with what was there.

    Raises
    ------
    ConsensusError
        It can't.
    """
    if not state.manifest.n_judgments:
        return
    inputs = state.inputs()
    if inputs.gold is not None and inputs.judgments is not None and inputs.model_votes is None:
        inputs.gold.align(inputs.judgments)


def refuse_labels(records: Sequence[Record], config: RunConfig, since: Since) -> None:
    """Refuse labels that are not in the label set, where one is given.

    Raises
    ------
    FormatError
        There is such a label.
    """
    if config.labels is None:
        return
    known = {*config.labels, *config.abstain, NO_ANSWER}
    odd = sorted({record.label for record in records} - known)
    renaming = Renaming() if since.asking is None else since.asking.run.result.judgments.renaming
    called = zip(odd, renaming.labels(odd, config.labels), strict=True)
    wrong = {label for label, one in called if one not in known}
    if wrong:
        n, label = next((n, one.label) for n, one in enumerate(records, 1) if one.label in wrong)
        raise FormatError(
            f'judgment {n}: label "{label}" is none of the label set: {", ".join(config.labels[:10])}; correct it',
            code="unknown_label",
        )


def refuse_repeats(
    records: Sequence[Record], codes: Sequence[tuple[int, int]], since: Since, apart: frozenset[str]
) -> None:
    """Refuse a judgment of an item by a worker who judged it, unless its id says that it is the same one.

    Raises
    ------
    JudgmentError
        There is such a judgment.
    """
    seen = set[tuple[str, str]]()
    for n, (record, both) in enumerate(zip(records, codes, strict=True), 1):
        pair = record.item, record.worker
        before = since.label_of(record, both, apart=record.worker in apart)
        if (before is not None or pair in seen) and not since.knows(record.judgment_id):
            raise JudgmentError(
                f'judgment {n}: worker "{record.worker}" judged item "{record.item}" before, and --repeats error '
                "refuses that; leave it out",
                code="repeated_judgment",
            )
        seen.add(pair)
