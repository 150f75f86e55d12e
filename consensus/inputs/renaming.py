"""Names as other tables write them to those that count: by a map of labels, and by folding look-alike spellings."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs import look_alikes, pseudonyms, vocabulary
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Source

    Coded = tuple[NDArray[np.int32], pa.StringArray]
    Codes = NDArray[np.int64]

MOST_NAMED = 3  # groups of spellings, or labels, in a note
NO_ANSWER = ""
"""What a label is mapped to that means no answer."""


@dataclass(frozen=True, slots=True, eq=False)
class Renaming:
    """What a label, an item or a worker is called.

    Every label goes through the map first. Then what is to be folded and is not known by its own spelling is what looks
    like it, if that is one.
    """

    label_map: Mapping[str, str] = field(default_factory=dict)
    """What labels become; NO_ANSWER where they mean none."""
    fold: frozenset[str] = frozenset()
    """Which of "labels", "workers" and "items" are folded."""
    sources: tuple[Source, ...] = ()
    """Files that the map was read from."""
    key: bytes | None = field(default=None, repr=False)
    """By which workers have pseudonyms; None where they have none."""

    def mapped(self, labels: Sequence[str]) -> list[str]:
        """What ``labels`` become by the map; those that it does not name stay."""
        if not self.label_map:
            return list(labels)
        if "labels" not in self.fold:
            return [self.label_map.get(label, label) for label in labels]
        spelled = self.folded(labels, tuple(self.label_map), "labels")
        return [self.label_map.get(known, label) for label, known in zip(labels, spelled, strict=True)]

    def folded(self, names: Sequence[str], known: Sequence[str], kind: str) -> list[str]:
        """``names`` of a kind, such as "labels", as they are spelled among the ``known``; what is not there stays."""
        import pyarrow as pa

        texts, among = pa.array(names, pa.string()), pa.array(known, pa.string())
        found = self.positions(texts, among, kind).tolist()
        return [known[n] if n >= 0 else name for n, name in zip(found, names, strict=True)]

    def labels(self, labels: Sequence[str], known: Sequence[str]) -> list[str]:
        """What ``labels`` of another table are called among the ``known``."""
        return self.folded(self.mapped(labels), known, "labels")

    def positions(self, texts: Sequence[str] | pa.StringArray, among: pa.StringArray, kind: str) -> Codes:
        """(n,) position of each text ``among`` others of a kind, such as "items"; -1 where it is not there.

        Where a kind is folded, a text that is not there is the only one that looks like it.
        """
        import pyarrow as pa

        found = self._as_written(texts, among, kind)
        missing = np.flatnonzero(found < 0)
        if kind not in self.fold or not len(missing):
            return found
        is_label = kind == "labels"
        theirs = look_alikes.keys_of(pa.array(texts, pa.string()).take(missing), is_label=is_label, alone=True)
        ours = look_alikes.keys_of(among, is_label=is_label, alone=True)
        counted = ours.dictionary_encode()
        codes = counted.indices.to_numpy()
        unique = np.flatnonzero(np.bincount(codes, minlength=len(counted.dictionary)) == 1)
        place = np.full(len(counted.dictionary) + 1, -1, np.int64)
        place[codes] = np.arange(len(codes))
        place[np.setdiff1d(np.arange(len(counted.dictionary)), unique)] = -1
        found[missing] = place[vocabulary.positions(theirs, counted.dictionary)]
        return found

    def worker(self, name: str, known: pa.StringArray) -> str:
        """What a worker is called among the ``known``; who is not there stays."""
        return self.workers([name], known)[0]

    def workers(self, names: Sequence[str], known: pa.StringArray) -> list[str]:
        """What workers are called among the ``known``; who is not there stays."""
        if self.key is None:
            return list(names)
        at = self.positions(list(names), known, "workers").tolist()
        return [name if n < 0 else known[n].as_py() for name, n in zip(names, at, strict=True)]

    def spelled(self, workers: Sequence[str]) -> Sequence[str]:
        """What ``workers`` of another table are called in outputs, whether they judged or not."""
        return workers if self.key is None else [pseudonyms.pseudonym(self.key, one) for one in workers]

    def _as_written(self, texts: Sequence[str] | pa.StringArray, among: pa.StringArray, kind: str) -> Codes:
        """``positions`` without folding; workers by their pseudonyms, whether these are given or the ids."""
        found = vocabulary.positions(texts, among)
        if self.key is None or kind != "workers":
            return found
        names = [one if isinstance(one, str) else one.as_py() for one in texts]
        others = vocabulary.positions([pseudonyms.pseudonym(self.key, one) for one in names], among)
        return np.where(others >= 0, others, found)

    def applied(self, coded: Mapping[str, Coded], absent: Sequence[str]) -> tuple[dict[str, Coded], list[str]]:
        """Codes of rows and their texts by kind ("items", "workers", "labels"), renamed; and what was done, in words.

        A label that becomes one of ``absent`` texts, or no answer, has code -1.
        """
        found, notes = dict(coded), []
        if self.label_map:
            found["labels"], note = self._by_map(*coded["labels"], absent)
            notes.append(note)
        for kind in sorted(self.fold):
            found[kind], note = _folded(*found[kind], kind, absent)
            notes.append(note if kind != "workers" or self.key is None else note.partition(":")[0])
        if self.key is not None:
            codes, texts = found["workers"]
            found["workers"] = _recoded(codes, pseudonyms.pseudonyms(self.key, texts.to_pylist()))
        return found, notes

    def _by_map(self, codes: NDArray[np.int32], texts: pa.StringArray, absent: Sequence[str]) -> tuple[Coded, str]:
        given = texts.to_pylist()
        became = self.mapped(given)
        counts = _counts(codes, len(given)).tolist()
        targets = set(self.label_map.values())
        named = [new != old or old in self.label_map for old, new in zip(given, became, strict=True)]
        left = Counter(
            {old: n for old, known, n in zip(given, named, counts, strict=True) if not known and old not in targets}
        )
        n_silent = sum(n for new, n in zip(became, counts, strict=True) if new == NO_ANSWER)
        note = (
            f"label map: {sum(named):,} of {counted(len(given), 'label is', 'labels are')} in it "
            f"({counted(sum(n for known, n in zip(named, counts, strict=True) if known), 'row')}"
            f"{f', {n_silent:,} of them no answer' if n_silent else ''})"
        )
        if left:
            more = f" and {len(left) - MOST_NAMED:,} more" if len(left) > MOST_NAMED else ""
            told = ", ".join(f"{shown(old)} ({n:,})" for old, n in left.most_common(MOST_NAMED))
            note += f"; left as they are, since it does not name them: {told}{more}"
        silent = {NO_ANSWER, *absent} if NO_ANSWER in became else set(absent)
        return _recoded(codes, [None if new in silent else new for new in became]), note


def _folded(codes: NDArray[np.int32], texts: pa.StringArray, kind: str, absent: Sequence[str]) -> tuple[Coded, str]:
    """Rows whose look-alike texts are one; a label that looks like an ``absent`` text is no answer."""
    is_label = kind == "labels"
    became: dict[int, str | None] = {}
    if is_label and absent:
        import pyarrow as pa

        silent = set(look_alikes.keys_of(pa.array(absent, pa.string()), is_label=True, alone=True).to_pylist())
        keys = look_alikes.keys_of(texts, is_label=True, alone=True).to_pylist()
        became = {n: None for n, key in enumerate(keys) if key in silent}
    group = look_alikes.alike(texts, is_label=is_label)
    if group is None and not became:
        return (codes, texts), f"--fold {kind}: no two {kind} look alike"
    counts = _counts(codes, len(texts))
    told: list[tuple[int, str]] = []
    n_gone = n_rows = 0
    for members in look_alikes.groups_of(group) if group is not None else ():
        spellings, n_each = [texts[n].as_py() for n in members.tolist()], counts[members].tolist()
        onto = look_alikes.chosen(spellings, n_each)
        changed = [(n, text) for n, text in zip(n_each, spellings, strict=True) if text != onto]
        for n in members.tolist():
            became.setdefault(n, onto)
        n_gone, n_rows = n_gone + len(changed), n_rows + sum(n for n, _ in changed)
        some = ", ".join(f"{shown(text)} ({n:,})" for n, text in sorted(changed, key=lambda one: (-one[0], one[1]))[:4])
        told.append((sum(n_each), f"{some} to {shown(onto)}"))
    told.sort(key=lambda one: (-one[0], one[1]))
    more = f"; and {len(told) - MOST_NAMED:,} more" if len(told) > MOST_NAMED else ""
    became_others = counted(n_gone, "spelling became another", "spellings became others")
    note = f"--fold {kind}: {became_others} ({counted(n_rows, 'row')}): "
    note += "; ".join(text for _, text in told[:MOST_NAMED]) + more
    names: list[str | None] = texts.to_pylist()
    for n, name in became.items():
        names[n] = name
    return _recoded(codes, names), note if told else f"--fold {kind}: no two {kind} that count look alike"


def _recoded(codes: NDArray[np.int32], names: Sequence[str | None]) -> Coded:
    """Codes of rows over the sorted new names of their texts; -1 where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    new = pa.array(names, pa.string())
    left = new.drop_null().unique()
    left = left.take(pc.array_sort_indices(left.cast(pa.binary()))).cast(pa.string())
    recode = np.append(vocabulary.positions(new, left), -1).astype(np.int32)
    recode[:-1][np.asarray(new.is_null())] = -1
    return recode[codes], left


def _counts(codes: NDArray[np.int32], n: int) -> Codes:
    return np.bincount(codes[codes >= 0], minlength=n)


def shown(text: str) -> str:
    """A text between quotes, as ``visible`` writes it."""
    return f'"{visible(text)}"'


def visible(text: str, most: int = 60) -> str:
    r"""A text with what can't be seen as a code, such as ``yes\u00a0`` and ``cafe\u0301``, and cut to ``most``."""
    odd = [c for c in text if not c.isprintable() or unicodedata.combining(c)]
    for c in sorted({*odd}):
        text = text.replace(c, f"\\u{ord(c):04x}")
    return text[:most]
