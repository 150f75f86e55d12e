"""Texts to integer codes, chunk by chunk: each distinct text is kept once, and rows as 4 bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import JudgmentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.backends import Backend

BATCH = 1 << 16  # texts that are looked up at once: their bytes and hashes stay in the processor's cache
CASTED = 1 << 20  # cells that are turned into text at once, where they are none
MANY = 100_000  # texts from which on two lists that ascend are merged; a hash of each takes ten times as long
MOST_BYTES = 2**31 - 1  # of all distinct texts of a column: Arrow counts them in 32 bits


class Vocabulary:
    """The distinct texts of a column, by code: 0 for the one that came first, and so on."""

    def __init__(self) -> None:
        self._n = 0
        self._starts = np.zeros(1, np.int64)  # text n is _bytes[_starts[n]:_starts[n + 1]]
        self._bytes = np.zeros(0, np.uint8)
        self._slots = np.zeros(1, np.uint64)
        self._not_utf8: list[int] = []
        self._dictionary: Any = None  # the last one, which many chunks may share, and its codes
        self._meaning = np.zeros(0, np.int32)

    def add(self, column: pa.Array | pa.ChunkedArray) -> NDArray[np.int32]:
        """Codes (rows,) of the cells of a column, -1 for null. Cells of other types count as Arrow writes them."""
        import pyarrow as pa

        kind = column.type
        if isinstance(column, pa.ChunkedArray):
            codes = [self.add(chunk) for chunk in column.chunks]
            return np.concatenate(codes) if codes else np.zeros(0, np.int32)
        if pa.types.is_dictionary(kind):
            return self._of_dictionary(column)
        if kind in {pa.string(), pa.binary(), pa.large_string(), pa.large_binary()}:
            return self._add(column)
        text = (
            pa.large_binary() if kind == pa.binary_view() or pa.types.is_fixed_size_binary(kind) else pa.large_string()
        )
        cast = [self._add(column.slice(begin, CASTED).cast(text)) for begin in range(0, len(column), CASTED)]
        return np.concatenate(cast) if cast else np.zeros(0, np.int32)

    def texts(self) -> pa.Array:
        """All of them, by code; bytes where some are not UTF-8."""
        import pyarrow as pa

        return self._texts(0) if self._not_utf8 else self._texts(0).view(pa.large_string())

    def not_utf8(self, codes: NDArray[np.int32]) -> NDArray[np.int64]:
        """Positions in ``codes`` of texts that are not UTF-8."""
        return np.flatnonzero(np.isin(codes, self._not_utf8)) if self._not_utf8 else np.zeros(0, np.int64)

    def ranks(
        self, parts: Sequence[NDArray[np.int32]], absent: Sequence[str] = ()
    ) -> tuple[NDArray[np.int32], pa.StringArray]:
        """Rank (codes,) of each text among those that count, -1 for the others, and those texts, sorted bytewise.

        Parameters
        ----------
        parts
            What ``add`` gave, without the rows that don't count; texts that occur in none are left out.
        absent
            Texts that stand for null.

        Raises
        ------
        JudgmentError
            The texts are too long for one Arrow array.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        from consensus.kernels import texts as kernels

        texts = self._texts(0)
        used = np.zeros(self._n, np.bool_)
        for part in parts:
            kernels.mark(part, used)
        if absent:
            used &= ~pc.is_in(texts, pa.array([text.encode() for text in absent], texts.type)).to_numpy(
                zero_copy_only=False
            )
        order = self._sorted()
        order = order[used[order]]
        n_bytes = int((self._starts[order + 1] - self._starts[order]).sum())
        if n_bytes > MOST_BYTES:
            raise JudgmentError(
                f"the {len(order):,} distinct texts of one column take {n_bytes:,} bytes, {MOST_BYTES:,} at most fit; "
                "use shorter ids"
            )
        rank = np.full(self._n, -1, np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        return rank, texts.take(pa.array(order)).cast(pa.string())

    def _of_dictionary(self, column: pa.DictionaryArray) -> NDArray[np.int32]:
        """Codes of the cells of a column that has a dictionary."""
        import pyarrow as pa

        dictionary = column.dictionary
        if self._dictionary is None or not _share(dictionary, self._dictionary):
            self._meaning = np.append(self.add(dictionary), np.int32(-1))
            self._dictionary = dictionary
        positions = column.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
        return np.asarray(self._meaning[positions], np.int32)

    def _add(self, column: Any) -> NDArray[np.int32]:
        """Codes of an array of text or bytes."""
        import pyarrow as pa

        from consensus.kernels import texts

        _, offsets, data = column.buffers()
        width = np.int64 if column.type in {pa.large_string(), pa.large_binary()} else np.int32
        n_known, n = self._n, len(column)
        codes = np.empty(n, np.int32)
        ends = np.frombuffer(offsets, width)[column.offset : column.offset + n + 1] if n else np.zeros(1, width)
        every = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
        for begin in range(0, n, BATCH):
            starts = ends[begin : begin + BATCH + 1].astype(np.int64)
            chosen = every[starts[0] : starts[-1]]
            batch = np.zeros(len(chosen) + texts.PADDING, np.uint8)
            batch[: len(chosen)] = chosen
            starts -= starts[0]
            self._reserve(len(starts) - 1, len(chosen))
            self._n = texts.find_or_add(
                starts,
                texts.words_of(batch),
                _hashes(starts, batch),
                self._slots,
                self._starts,
                texts.words_of(self._bytes),
                self._n,
                codes[begin : begin + BATCH],
            )
        self._note_not_utf8(n_known)
        if column.null_count:  # what lies below a null was looked up, too, but no row will hold its code
            codes[column.is_null().to_numpy(zero_copy_only=False)] = -1
        return codes

    def _reserve(self, n_texts: int, n_bytes: int) -> None:
        """Room for that many new texts; the table stays at most two thirds full."""
        from consensus.kernels import texts

        most = self._n + n_texts
        self._starts = _grown(self._starts, self._n + 1, most + 1)
        used = int(self._starts[self._n])
        self._bytes = _grown(self._bytes, used, used + n_bytes + texts.PADDING)
        if 2 * len(self._slots) < 3 * most:
            self._slots = np.zeros(1 << (3 * most // 2).bit_length(), np.uint64)
            texts.fill_slots(_hashes(self._starts[: self._n + 1], self._bytes), self._slots)

    def _texts(self, first: int) -> pa.LargeBinaryArray:
        """The texts from code ``first`` on."""
        import pyarrow as pa

        starts = pa.py_buffer(self._starts[first : self._n + 1])
        return pa.Array.from_buffers(pa.large_binary(), self._n - first, [None, starts, pa.py_buffer(self._bytes)])

    def _note_not_utf8(self, first: int) -> None:
        import pyarrow as pa

        texts = self._texts(first)
        try:
            texts.view(pa.large_string()).validate(full=True)
        except pa.ArrowInvalid:
            self._not_utf8 += [n for n, text in enumerate(texts.to_pylist(), first) if not _decodes(text)]

    def _sorted(self) -> NDArray[np.int64]:
        """Codes in the order of their texts: by eight bytes, and where these are equal, by all."""
        import pyarrow as pa
        import pyarrow.compute as pc

        from consensus.kernels import texts

        if not self._n:
            return np.zeros(0, np.int64)
        starts, words = self._starts[: self._n + 1], texts.words_of(self._bytes)
        key = np.empty(self._n, np.uint64)
        texts.leading_words(starts, words, texts.shared_prefix(starts, words), key)
        key.byteswap(inplace=True)  # the first byte counts most
        order = np.argsort(key)
        key = key[order]
        equal = np.zeros(self._n + 1, np.bool_)
        equal[1:-1] = key[1:] == key[:-1]
        tied = np.flatnonzero(equal[1:] | equal[:-1])
        if len(tied):
            codes = order[tied]
            order[tied] = codes[pc.sort_indices(self._texts(0).take(pa.array(codes))).to_numpy()]
        return order


def translated(parts: Sequence[NDArray[np.int32]], rank: NDArray[np.int32], backend: Backend) -> NDArray[np.int32]:
    """Ranks (rows,) of all rows, one part after the other; -1 for null."""
    from consensus.kernels import texts

    found = np.empty(sum(map(len, parts)), np.int32)
    ends = np.cumsum([len(part) for part in parts])

    def one(n: int) -> None:
        texts.translated(parts[n], rank, found[ends[n] - len(parts[n]) : ends[n]])

    backend.map(one, range(len(parts)))
    return found


def hashed(column: pa.StringArray) -> NDArray[np.uint64]:
    """A hash of each text, the same on every machine."""
    return _hashes(*_laid_out(column))


def mixed(code: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """(n,) the finaliser of SplitMix64 (Steele, Lea & Flood 2014): every bit decides about every bit."""
    code = (code ^ (code >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    code = (code ^ (code >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return code ^ (code >> np.uint64(31))


def _hashes(starts: NDArray[np.int64], buffer: NDArray[np.uint8]) -> NDArray[np.uint64]:
    from consensus.kernels import texts

    found = np.empty(len(starts) - 1, np.uint64)
    texts.hashes(starts, texts.words_of(buffer), found)
    return found


def _share(one: pa.Array, other: pa.Array) -> bool:
    """Whether two arrays are the same stretch of the same memory."""
    pairs = zip(one.buffers(), other.buffers(), strict=False)
    return (one.type, one.offset, len(one)) == (other.type, other.offset, len(other)) and all(
        (a is None and b is None) or (a is not None and b is not None and a.address == b.address) for a, b in pairs
    )


def _grown(array: NDArray[Any], used: int, needed: int) -> NDArray[Any]:
    """``array``, or its first ``used`` entries in one at least twice as long."""
    if len(array) >= needed:
        return array
    longer = np.zeros(max(needed, 2 * len(array)), array.dtype)
    longer[:used] = array[:used]
    return longer


def _decodes(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def positions(texts: Sequence[str] | pa.StringArray, among: pa.StringArray) -> NDArray[np.int64]:
    """(n,) position of each text ``among`` others, -1 where it is not there."""
    import pyarrow as pa
    import pyarrow.compute as pc

    sought = pa.array(texts, pa.string())
    if min(len(sought), len(among)) >= MANY and (merged := _merged(sought, among)) is not None:
        return merged
    return np.asarray(pc.index_in(sought, among).fill_null(-1).to_numpy(), np.int64)


def _merged(sought: pa.StringArray, among: pa.StringArray) -> NDArray[np.int64] | None:
    """The same of texts that ascend, as those of a vocabulary do, in one pass over both; None if they don't."""
    from consensus.kernels import texts

    if sought.null_count or among.null_count:
        return None
    laid_out = [(starts, texts.words_of(every)) for starts, every in map(_laid_out, (sought, among))]
    if not all(texts.ascend(starts, words) for starts, words in laid_out):
        return None
    found = np.empty(len(sought), np.int64)
    texts.merged(*laid_out[0], *laid_out[1], found)
    return found


def _laid_out(column: pa.StringArray) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Where texts begin and end, and their bytes with room behind, as ``kernels.texts`` reads them."""
    from consensus.kernels.texts import PADDING

    _, offsets, data = column.buffers()
    starts = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    return starts, np.concatenate([np.frombuffer(data or b"", np.uint8), np.zeros(PADDING, np.uint8)])
