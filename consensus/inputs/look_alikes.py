"""Texts that look alike: they differ by case, spaces, Unicode form, a trailing dot, the form of a number or, in labels,
by quotes, an underscore for a space, or the order of a list. Those that do are most often one and the same.
"""  # noqa: D205

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]

INVISIBLE = r"[\x{00AD}\x{200B}-\x{200F}\x{2060}\x{FEFF}]"  # soft hyphens, zero-width spaces, marks of direction
WHOLE = r"^[+-]?\d+$"
POINTED = r"^[+-]?\d+\.\d+$"
PADDED = r"^0\d+$"
OPENING, CLOSING = "\"'`*\u201c\u2018\u00ab", "\"'`*\u201d\u2019\u00bb"
QUOTED = f"^[{OPENING}]+(.*[^{CLOSING}])[{CLOSING}]+$"
"""In quotes, or in what makes text bold or code."""
JOINED = r"(\pL)[-_]+(\pL)"
"""An underscore or a hyphen where another writer puts a space."""
LIST = re.compile(r"\s*[|;]\s*|\s*,\s+|\s*,(?!\d)")
"""What separates the parts of a list; a comma before a digit may be that of a number."""
JOINER = "\x1f"  # between the parts of a key; no text that was read from a cell of a list has it


def keys_of(texts: pa.StringArray, *, is_label: bool, alone: bool = False) -> pa.StringArray:
    """A key for each text (n,): texts with the same key look alike.

    Parameters
    ----------
    texts
        Distinct texts.
    is_label
        They are labels: a list is the set of its parts, quotes around do not count, an underscore or hyphen between
        letters is a space, and 1.50 is 1.5. Among ids, 1.0 is 1 only where no number has another fraction, such as 1.1
        and 1.10, which may be sections of a text.
    alone
        Each is looked at by itself, whatever the others are: to look it up among others.
    """
    import pyarrow.compute as pc

    found = pc.utf8_lower(texts)
    if is_label:
        found = _unquoted(pc.utf8_trim_whitespace(found))
    if not pc.all(pc.string_is_ascii(found)).as_py():
        found = pc.utf8_lower(pc.utf8_normalize(found, form="NFKC"))
        found = pc.replace_substring_regex(found, INVISIBLE, "")
        found = pc.utf8_normalize(found, form="NFC")
    found = pc.utf8_trim_whitespace(pc.utf8_rtrim(pc.utf8_trim_whitespace(found), characters=". "))
    if pc.any(pc.match_substring_regex(found, r"\s\s|[\t\n\r\f\v]")).as_py():
        found = pc.replace_substring_regex(found, r"\s+", " ")
    found = _numbers(found, is_label, alone)
    if is_label:
        found = _sets(found, texts)
    return pc.if_else(pc.equal(pc.utf8_length(found), 0), pc.utf8_trim_whitespace(texts), found)


def _unquoted(found: pa.StringArray) -> pa.StringArray:
    """Keys without quotes around them, and with spaces where words are joined."""
    import pyarrow.compute as pc

    if pc.any(pc.match_substring_regex(found, QUOTED)).as_py():
        found = pc.replace_substring_regex(found, QUOTED, r"\1")
    if pc.any(pc.match_substring_regex(found, JOINED)).as_py():
        for _ in range(2):  # a letter may stand between two of them
            found = pc.replace_substring_regex(found, JOINED, r"\1 \2")
    return found


def alike(texts: pa.StringArray, *, is_label: bool) -> Codes | None:
    """Group of each of some distinct texts (n,): those of one group look alike; None where all are alone."""
    import pyarrow.compute as pc

    if not is_label and _is_plain(texts):
        return None
    keys = keys_of(texts, is_label=is_label)
    if keys.equals(texts):
        return None
    coded = keys.dictionary_encode()
    if len(coded.dictionary) == len(texts):
        return None
    return np.asarray(pc.cast(coded.indices, "int64").to_numpy())


def _is_plain(texts: pa.StringArray) -> bool:
    """Whether ids can't look alike: letters of one case, digits and signs, no numbers that may be padded with zeros."""
    import pyarrow.compute as pc

    if not len(texts):
        return True
    starts = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(texts.buffers()[2] or b"", np.uint8)[starts[0] : starts[-1]]
    if not len(data) or data.min() <= ord(" ") or data.max() > ord("~"):
        return False
    raw = data.tobytes()  # whose searches are quicker than those of arrays
    if b"." in raw or b"+" in raw or (raw != raw.lower() and raw != raw.upper()):
        return False
    n_bytes = np.diff(starts)
    return bool(n_bytes.min() == n_bytes.max()) or not pc.any(pc.starts_with(texts, "0")).as_py()


def groups_of(codes: Codes) -> list[Codes]:
    """Positions of the texts of each group of two or more."""
    order = np.argsort(codes, kind="stable")
    bounds = np.flatnonzero(np.diff(codes[order])) + 1
    return [group for group in np.split(order, bounds) if len(group) > 1] if len(codes) else []


def chosen(texts: Sequence[str], counts: Sequence[int]) -> str:
    """The spelling that a group of look-alike texts is folded onto.

    Numbers become the shortest spelling, so that 1.0 and 0.0 are folded alike whatever is more frequent. A list becomes
    the one of its parts in order. All others become the spelling that is most frequent, of several the first, of those
    without spaces or quotes around it, dots behind it and decomposed letters, if there are any.
    """
    if all(re.fullmatch(r"\s*[+-]?\d+(\.\d*)?\s*", text) for text in texts):
        return min((text.strip().lstrip("+").rstrip(".") or text for text in texts), key=lambda text: (len(text), text))
    spelled = list(zip(texts, counts, strict=True))
    spelled = [pair for pair in spelled if _is_clean(pair[0])] or spelled
    best = min(spelled, key=lambda pair: (-pair[1], pair[0].encode()))[0]
    parts = parts_of(best)
    return best if parts is None or len({order_of(text) for text in texts}) == 1 else _in_order(best, parts)


def _is_clean(text: str) -> bool:
    """No spaces or quotes around it, no dot behind it, nothing that can't be seen, letters composed."""
    return text == text.strip(f" .{OPENING}{CLOSING}") and text.isprintable() and unicodedata.is_normalized("NFC", text)


def order_of(text: str) -> tuple[str, ...]:
    """The parts of a list in their order, as far as spelling does not matter; the text itself where it is none."""
    return tuple(part.strip().casefold() for part in parts_of(text) or [text])


def parts_of(text: str) -> list[str] | None:
    """The parts of a text that is a list of two or more: JSON, or parts between ``|``, ``;`` or commas; else None."""
    text = text.strip()
    if text[:1] == "[":
        found = _json(text)
        if isinstance(found, list):
            parts = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in found]
            return parts if len(parts) > 1 else None
    if text[:1] == "{":
        found = _json(text)
        if isinstance(found, dict):
            parts = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in found.items()]
            return parts if len(parts) > 1 else None
    parts = LIST.split(text)
    return parts if len(parts) > 1 and all(parts) else None


def is_json(text: str) -> bool:
    """Whether it is a JSON array or object."""
    return text.strip()[:1] in {"[", "{"} and isinstance(_json(text), (list, dict))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _in_order(text: str, parts: list[str]) -> str:
    """The list ``text`` with its parts in order, each once, in the way in which it is written."""
    text = text.strip()
    if text[:1] in {"[", "{"} and is_json(text):
        found = _json(text)
        apart = (", ", ": ") if ", " in text else (",", ":")
        if isinstance(found, dict):
            return json.dumps(found, ensure_ascii=False, sort_keys=True, separators=apart)
        each = {json.dumps(one, ensure_ascii=False, sort_keys=True, separators=apart): one for one in found}
        return f"[{apart[0].join(sorted(each))}]"
    between = LIST.search(text)
    return (between.group() if between else "|").join(sorted(dict.fromkeys(parts)))


def _numbers(found: pa.StringArray, is_label: bool, alone: bool) -> pa.StringArray:
    """Keys with one form of each number."""
    import pyarrow.compute as pc

    if pc.any(pc.match_substring(found, ".")).as_py():
        pointed = pc.match_substring_regex(found, POINTED)
        whole = pc.match_substring_regex(found, r"\.0+$")
        if is_label or alone or pc.all(pc.or_(pc.invert(pointed), whole)).as_py():
            found = pc.if_else(pointed, pc.replace_substring_regex(found, r"\.0+$", ""), found)
        if is_label:
            found = pc.if_else(pointed, pc.replace_substring_regex(found, r"(\.\d*[1-9])0+$", r"\1"), found)
    plus = pc.starts_with(found, "+")
    if pc.any(plus).as_py():
        signed = pc.and_(plus, pc.match_substring_regex(found, WHOLE))
        found = pc.if_else(signed, pc.utf8_ltrim(found, characters="+"), found)
    zero = pc.and_(pc.starts_with(found, "0"), pc.not_equal(found, "0"))
    if pc.any(zero).as_py():
        # "01" is 1 where most of those with a zero have a twin without; zip codes have none
        padded = pc.and_(zero, pc.match_substring_regex(found, PADDED))
        short = pc.replace_substring_regex(pc.filter(found, padded), r"^0+(\d)", r"\1")
        twins = pc.is_in(short, pc.filter(found, pc.invert(padded)))
        if alone or 2 * (pc.sum(twins).as_py() or 0) > len(short):
            found = pc.replace_with_mask(found, padded, short)
    return found


def _sets(found: pa.StringArray, texts: pa.StringArray) -> pa.StringArray:
    """Keys of labels, those of lists by their parts in order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    some = np.flatnonzero(np.asarray(pc.match_substring_regex(texts, r"[|;,\[{]").to_numpy(zero_copy_only=False)))
    if not len(some):
        return found
    listed = found.to_pylist()
    for n in some.tolist():
        parts = parts_of(texts[n].as_py())
        if parts is not None:
            inner = keys_of(pa.array(parts, pa.string()), is_label=False).to_pylist()
            listed[n] = JOINER.join(sorted(set(inner)))
    return pa.array(listed, pa.string())
