"""Loops over texts: hashes, a table of the distinct ones, and the order of their first bytes.

Texts lie end to end: text n is ``starts[n]:starts[n + 1]``. Bytes are read eight at a time, through ``words``: an array
of uint64 that overlap, ``words[b]`` being the bytes ``b:b + 8``, little end first. ``words_of`` makes one; the buffer
behind it is eight bytes longer than its texts.

Nothing here overflows (a product is of two halves of a word), so that the same lines also run as plain Python.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.kernels import Codes, Flags, Offsets

    Words = NDArray[np.uint64]

AHEAD = 128  # texts whose places are fetched before they are compared
PADDING = 8  # bytes behind the last text, so that a word can be read there
ONE, HALF, ALL = np.uint64(1), np.uint64(32), np.uint64(0xFFFF_FFFF_FFFF_FFFF)
LOW, HIGH = np.uint64(0xFFFF_FFFF), np.uint64(0xFFFF_FFFF_0000_0000)
EIGHT = np.uint64(8)
BYTE, ODD, OTHER = np.uint64(0xFF), np.uint64(0x9E37_79B1), np.uint64(0x85EB_CA77)


def words_of(buffer: NDArray[np.uint8]) -> Words:
    """The overlapping words of a buffer (B,): (B - 7,), a view."""
    assert sys.byteorder == "little"
    return np.ndarray((len(buffer) - 7,), np.uint64, buffer, strides=(1,))


@kernel()
def mixed(word: np.uint64) -> np.uint64:
    """Another word, each bit of which depends on many; no two words become the same."""
    low, high = word & LOW, word >> HALF
    word = (low * ODD) ^ (((low * OTHER) ^ (high * ODD)) << HALF)
    return word ^ (word >> HALF)


@kernel()
def word_at(words: Words, begin: int, end: int) -> np.uint64:
    """Bytes ``begin:end`` as a word, at most eight of them, zeros behind (``begin < end``)."""
    n_bytes = min(end - begin, 8)
    word: np.uint64 = words[begin] & (ALL >> np.uint64(64 - 8 * n_bytes))
    return word


@kernel()
def hashes(starts: Offsets, words: Words, out_hash: Words) -> None:
    """``out_hash[n]`` (N,) of text n."""
    for n in range(starts.shape[0] - 1):
        begin, end = starts[n], starts[n + 1]
        found = np.uint64(end - begin)
        while begin < end:
            found = mixed(found ^ word_at(words, begin, end))
            begin += 8
        out_hash[n] = mixed(found)


@kernel()
def same(words: Words, begin: int, end: int, others: Words, other: int) -> bool:
    """Whether bytes ``begin:end`` are those from ``other`` on."""
    while begin < end:
        if word_at(words, begin, end) != word_at(others, other, other + end - begin):
            return False
        begin += 8
        other += 8
    return True


@kernel()
def compared(words: Words, begin: int, end: int, others: Words, other: int, other_end: int) -> int:
    """-1, 0 or 1: bytes ``begin:end`` stand before, are the same as, or stand behind those ``other:other_end``."""
    left, right = begin, other
    while left < end and right < other_end:
        one, two = word_at(words, left, end), word_at(others, right, other_end)
        if one != two:
            while (one ^ two) & BYTE == 0:
                one, two = one >> EIGHT, two >> EIGHT
            return -1 if one & BYTE < two & BYTE else 1
        left += 8
        right += 8
    return int(np.sign((end - begin) - (other_end - other)))


@kernel()
def ascend(starts: Offsets, words: Words) -> bool:
    """Whether each text stands before the next one."""
    for n in range(1, starts.shape[0] - 1):
        if compared(words, starts[n - 1], starts[n], words, starts[n], starts[n + 1]) >= 0:
            return False
    return True


@kernel()
def merged(starts: Offsets, words: Words, among_starts: Offsets, among_words: Words, out_at: Offsets) -> None:
    """Fill ``out_at`` (N,) with the position of each text among others, -1 where it is not there; both ascend."""
    at, n_among = 0, among_starts.shape[0] - 1
    for n in range(starts.shape[0] - 1):
        out_at[n] = -1
        while at < n_among:
            found = compared(among_words, among_starts[at], among_starts[at + 1], words, starts[n], starts[n + 1])
            if found == 0:
                out_at[n] = at
            if found >= 0:
                break
            at += 1


@kernel()
def find_or_add(
    starts: Offsets,
    words: Words,
    text_hash: Words,
    slots: Words,
    known_starts: Offsets,
    known_words: Words,
    n_known: int,
    out_code: Codes,
) -> int:
    """Fill ``out_code`` (N,) with the code of each text, and return how many are known now.

    A text that is not known yet gets the next code, and its bytes are added behind ``known_words``. ``slots`` is a
    table with open addressing, a power of two long and never full: 0 is an empty slot, others hold the high half of
    the hash and the code plus 1. The hash only says where to look; texts are the same when their bytes are.
    """
    mask = np.uint64(slots.shape[0] - 1)
    seen = np.empty(AHEAD, np.uint64)
    for first in range(0, starts.shape[0] - 1, AHEAD):
        last = min(first + AHEAD, starts.shape[0] - 1)
        for n in range(first, last):
            seen[n - first] = slots[text_hash[n] & mask]
        for n in range(first, last):
            seen[n - first] = known_starts[np.int64(seen[n - first] & LOW)]
        for n in range(first, last):
            seen[n - first] = known_words[np.int64(seen[n - first])]
        for n in range(first, last):
            begin, end = starts[n], starts[n + 1]
            tag = text_hash[n] & HIGH
            slot = text_hash[n] & mask
            while True:
                entry = slots[slot]
                if entry == 0:
                    slots[slot] = tag | np.uint64(n_known + 1)
                    out_code[n] = n_known
                    known = known_starts[n_known]
                    known_starts[n_known + 1] = known + end - begin
                    while begin < end:
                        known_words[known] = words[begin]  # what it writes too much the next text overwrites
                        begin += 8
                        known += 8
                    n_known += 1
                    break
                if entry & HIGH == tag:
                    code = np.int64((entry & LOW) - ONE)
                    known = known_starts[code]
                    if known_starts[code + 1] - known == end - begin and same(words, begin, end, known_words, known):
                        out_code[n] = code
                        break
                slot = (slot + ONE) & mask
    return n_known


@kernel()
def fill_slots(text_hash: Words, out_slots: Words) -> None:
    """Enter texts that are known to differ, code n with ``text_hash[n]``, into an empty table."""
    mask = np.uint64(out_slots.shape[0] - 1)
    for n in range(text_hash.shape[0]):
        slot = text_hash[n] & mask
        while out_slots[slot] != 0:
            slot = (slot + ONE) & mask
        out_slots[slot] = (text_hash[n] & HIGH) | np.uint64(n + 1)


@kernel()
def shared_prefix(starts: Offsets, words: Words) -> int:
    """How many bytes all texts begin with."""
    shared: int = starts[1] - starts[0]
    for n in range(1, starts.shape[0] - 1):
        shared = min(shared, starts[n + 1] - starts[n])
        at = 0
        while at < shared and (words[starts[0] + at] ^ words[starts[n] + at]) & BYTE == 0:
            at += 1
        shared = at
    return shared


@kernel()
def leading_words(starts: Offsets, words: Words, skip: int, out_word: Words) -> None:
    """``out_word[n]`` (N,), the first eight bytes of text n behind the first ``skip``, zeros behind its end."""
    for n in range(starts.shape[0] - 1):
        begin, end = starts[n] + skip, starts[n + 1]
        out_word[n] = word_at(words, begin, end) if begin < end else np.uint64(0)


@kernel()
def mark(codes: Codes, out_used: Flags) -> None:
    """Set ``out_used[code]`` for all ``codes`` (N,) but -1."""
    for n in range(codes.shape[0]):
        if codes[n] >= 0:
            out_used[codes[n]] = True


@kernel()
def translated(codes: Codes, rank: Codes, out_rank: Codes) -> None:
    """``out_rank[n]`` (N,) = rank[codes[n]]; -1 stays."""
    for n in range(codes.shape[0]):
        out_rank[n] = rank[codes[n]] if codes[n] >= 0 else -1
