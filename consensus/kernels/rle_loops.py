"""Loops that decode runs of pixels, of COCO and of Label Studio, right onto a label map.

Each sets the pixels of one mask to ``code`` in ``out_map`` (H, W) int16, and returns how many of them had another code
before than that or ``ground``, or one of the faults below 0; what was set before a fault was met stays set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.kernels import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from consensus.kernels import Offsets

    Bytes = NDArray[np.uint8]
    LabelMap = NDArray[np.int16]

BREAKS_OFF, NO_DIGIT, NEGATIVE, TOO_LONG, TOO_SHORT, OTHER_COUNT, OTHER_WORDS = range(-1, -8, -1)
"""Faults: the data end within a number; a byte is no digit; a run is below 0; the runs cover more pixels than the map,
or fewer; the header announces another number of values, or words that are not of 8 bits."""
SHIFTS = 12  # digits of a number of COCO, of 5 bits each


@kernel()
def _paint_run(begin: int, end: int, code: int, ground: int, out_map: LabelMap) -> int:
    """Paint the pixels ``begin`` to ``end``, counted down the columns."""
    height = out_map.shape[0]
    x, y = begin // height, begin % height
    n_over = 0
    for _ in range(begin, end):
        before = out_map[y, x]
        n_over += before != ground and before != code
        out_map[y, x] = code
        y += 1
        if y == height:
            y = 0
            x += 1
    return n_over


@kernel()
def paint_coco_runs(runs: Offsets, code: int, ground: int, out_map: LabelMap) -> int:
    """Runs of COCO as a list: pixels outside, inside, outside, ... down the columns (pycocotools, maskApi)."""
    size = out_map.size
    at, n_over = 0, 0
    for n in range(runs.shape[0]):
        run = runs[n]
        if run < 0:
            return NEGATIVE
        if run > size - at:
            return TOO_LONG
        if n % 2 == 1:
            n_over += _paint_run(at, at + run, code, ground, out_map)
        at += run
    return n_over if at == size else TOO_SHORT


@kernel()
def paint_coco_text(text: Bytes, code: int, ground: int, out_map: LabelMap) -> int:
    """Runs of COCO as text: numbers of 5 bits a character, lowest first, bit 6 says that more follow; from the fourth
    run on, each is the difference to the run two before (pycocotools, maskApi: rleFrString).
    """  # noqa: D205
    size = out_map.size
    at, n_over, n_runs, place = 0, 0, 0, 0
    before, last = 0, 0  # the runs two before, and one before
    while place < text.shape[0]:
        number, shift, more = 0, 0, True
        while more:
            if place == text.shape[0]:
                return BREAKS_OFF
            digit = int(text[place]) - 48
            if digit < 0 or digit > 63 or shift == SHIFTS:
                return NO_DIGIT
            number |= (digit & 31) << (5 * shift)
            more = (digit & 32) != 0
            place += 1
            shift += 1
            if not more and (digit & 16) != 0:
                number -= 1 << (5 * shift)
        run = number + before if n_runs > 2 else number
        if run < 0:
            return NEGATIVE
        if run > size - at:
            return TOO_LONG
        if n_runs % 2 == 1:
            n_over += _paint_run(at, at + run, code, ground, out_map)
        at += run
        before, last = last, run
        n_runs += 1
    return n_over if at == size else TOO_SHORT


@kernel()
def _bits(data: Bytes, at: int, n: int) -> int:
    """The number in ``n`` bits, up to 32, from bit ``at`` on, the highest first; they must be there."""
    first = at >> 3
    window = 0
    end = (at + n + 7) >> 3
    for place in range(first, end):
        window = (window << 8) | int(data[place])
    return (window >> (8 * end - at - n)) & ((1 << n) - 1)


@kernel()
def _paint_alpha(begin: int, end: int, code: int, ground: int, out_map: LabelMap) -> int:
    """Paint the pixels whose fourth value lies in ``begin`` to ``end``."""
    width = out_map.shape[1]
    n_over = 0
    y, x = (begin // 4) // width, (begin // 4) % width
    for _ in range(begin // 4, end // 4):
        before = out_map[y, x]
        n_over += before != ground and before != code
        out_map[y, x] = code
        x += 1
        if x == width:
            x = 0
            y += 1
    return n_over


@kernel()
def paint_label_studio(data: Bytes, code: int, ground: int, out_map: LabelMap) -> int:
    """Runs of Label Studio: red, green, blue, alpha of each pixel along the rows; painted is where alpha is above 0.

    Bits, the highest first: 32 number of values, 5 bits of a word less 1, 4 times 4 bits of a length less 1. Then, till
    all values are there: 1 whether one word is repeated, 2 which length, the length less 1 in as many bits, then one
    word, or as many as the length says (thi.ng, rle-pack).
    """
    n_bits = 8 * data.shape[0]
    n_values = 4 * out_map.size
    if n_bits < 53:
        return BREAKS_OFF
    if _bits(data, 0, 32) != n_values:
        return OTHER_COUNT
    if _bits(data, 32, 5) != 7:
        return OTHER_WORDS
    lengths = _bits(data, 37, 16)
    at, value, n_over = 53, 0, 0
    while value < n_values:
        if n_bits - at < 3:
            return BREAKS_OFF
        repeated, which = _bits(data, at, 1), _bits(data, at + 1, 2)
        wide = ((lengths >> (12 - 4 * which)) & 15) + 1
        at += 3
        if n_bits - at < wide:
            return BREAKS_OFF
        end = value + _bits(data, at, wide) + 1
        at += wide
        if end > n_values:
            return TOO_LONG
        if n_bits - at < 8 * (1 if repeated else end - value):
            return BREAKS_OFF
        if repeated:
            if _bits(data, at, 8):
                n_over += _paint_alpha(value, end, code, ground, out_map)
            at += 8
        else:
            for one in range(value | 3, end, 4):  # the alphas
                if _bits(data, at + 8 * (one - value), 8):
                    n_over += _paint_alpha(one - 3, one + 1, code, ground, out_map)
            at += 8 * (end - value)
        value = end
    return n_over
