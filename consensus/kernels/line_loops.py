"""Loops that write tables as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.kernels import Codes, Offsets, Reals

    Bytes = NDArray[np.uint8]
    Words = NDArray[np.uint64]

TEXT, INTEGER, REAL = 0, 1, 2  # kinds of columns
MILLION = 1_000_000
ZERO, MINUS, POINT, NEW_LINE = ord("0"), ord("-"), ord("."), ord("\n")


class Columns(NamedTuple):
    """A table: column c is row ``place[c]`` of what holds those of ``kind[c]``."""

    kind: Codes
    """(C,) TEXT, INTEGER or REAL."""
    place: Codes
    """(C,)"""
    starts: Offsets
    """(T, n+1) the texts are ``starts[.., n]:starts[.., n + 1]`` of the bytes behind ``texts``."""
    texts: Words
    """Overlapping words, as in ``kernels.texts``."""
    integers: Offsets
    """(N, n)"""
    reals: Reals
    """(R, n) below 9e12."""


@kernel()
def put_digits(number: int, out: Bytes, at: int) -> int:
    """Write a number of 0 or more from ``at`` on; returns where it ends."""
    if number < 10:
        out[at] = ZERO + number
        return at + 1
    end, left = at, number
    while left:
        left //= 10
        end += 1
    for place in range(end - 1, at - 1, -1):
        out[place] = ZERO + number % 10
        number //= 10
    return end


@kernel()
def put_real(number: float, out: Bytes, at: int) -> int:
    """Write a number with six decimals, without the zeros in the end, from ``at`` on; nothing for NaN."""
    if np.isnan(number):
        return at
    scaled = np.int64(np.rint(abs(number) * MILLION))
    if number < 0 and scaled:
        out[at] = MINUS
        at += 1
    at = put_digits(scaled // MILLION, out, at)
    decimals = scaled % MILLION
    if decimals:
        out[at] = POINT
        for place in range(at + 6, at, -1):
            out[place] = ZERO + decimals % 10
            decimals //= 10
        at += 7
        while out[at - 1] == ZERO:
            at -= 1
    return at


@kernel()
def lines(columns: Columns, n_rows: int, delimiter: int, out: Bytes, out_words: Words) -> int:
    """Write ``n_rows`` lines into ``out``; returns how many bytes they take.

    ``out_words`` are the words of ``out``; it has room for eight bytes more than is written.
    """
    kind, place, starts, texts, integers, reals = columns
    at = 0
    for n in range(n_rows):
        for c in range(kind.shape[0]):
            p = place[c]
            if kind[c] == TEXT:
                begin, end = starts[p, n], starts[p, n + 1]
                to = at
                while begin < end:
                    out_words[to] = texts[begin]  # what it writes too much is overwritten by what follows
                    begin += 8
                    to += 8
                at += end - starts[p, n]
            elif kind[c] == INTEGER:
                number = integers[p, n]
                if number < 0:
                    out[at] = MINUS
                    at += 1
                    number = -number
                at = put_digits(number, out, at)
            else:
                at = put_real(reals[p, n], out, at)
            out[at] = delimiter
            at += 1
        out[at - 1] = NEW_LINE
    return at
