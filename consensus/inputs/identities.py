"""Workers who stand for many people, such as "not-logged-in": found by name and by what nobody does alone.

Their judgments share one row of confusions, that of the mean of these people. As people of their own, each with one
judgment, they would have the prior's row and confirm themselves: on seven public sets, half of whose workers lost
their names, log loss was .436 with the shared row and .531 with rows of their own (.390 with the names), and of the
items that were 95 % sure 2 % and 6 % were wrong.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.inputs.counted import counted
from consensus.inputs.notices import Notice
from consensus.inputs.understood import one_line, quoted
from consensus.inputs.vocabulary import positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

NOBODY = (
    "", "-", "--", "?", "-1", "n/a", "na", "nan", "nil", "none", "null", "undefined", "unknown", "missing", "empty",
    "(blank)", "anon", "anonym", "anonymous", "anonymous user", "anonymous_user", "anonymoususer", "guest",
    "guest user", "not-logged-in", "not_logged_in", "not logged in", "notloggedin", "logged out", "logged_out",
    "logged-out", "nobody", "no user", "no name", "noname", "visitor", "(anonymous)", "<anonymous>", "[anonymous]",
    "(none)", "(unknown)", "<unknown>", "<na>", "anonymous worker", "public user",
)  # fmt: skip
"""Names that are nobody's, in lower case."""
LONGEST = 20  # bytes of these, and of spaces around them
MOST_OF_ONE = 3  # judgments of one item that nobody gives alone, where others judge it once
MOSTLY = 0.3  # share of a worker's judgments that are repeats, from which they look like many people
OTHERS = 0.25  # of this share, what the others' may be at most
LEAST = 10  # repeats by a worker below which nothing is said


LONGEST_SHOWN = 200  # characters of an option in a message


class Repeated(NamedTuple):
    """How often a worker judged the same item."""

    name: str
    code: int
    n: int
    """Judgments."""
    most: int
    """Of one item, at most."""


def named(names: Sequence[str], worker_ids: pa.StringArray) -> NDArray[np.int64]:
    """Codes of the workers of these names, -1 where there is none."""
    return positions(list(names), worker_ids)


def nobodies(
    worker_ids: pa.StringArray, item: NDArray[np.int32], worker: NDArray[np.int32], label: NDArray[np.int32]
) -> list[Repeated]:
    """The workers whose name is nobody's, with how often they judged one item; of rows (J,) in any order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    short = np.flatnonzero(pc.less_equal(pc.binary_length(worker_ids), LONGEST).to_numpy(zero_copy_only=False))
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(worker_ids.take(pa.array(short))))
    found = short[pc.is_in(texts, pa.array(NOBODY)).to_numpy(zero_copy_only=False)].tolist()
    told = []
    for code in found:
        items = item[(worker == code) & (label >= 0)]
        if len(items):
            told.append(Repeated(worker_ids[code].as_py(), code, len(items), int(np.bincount(items).max())))
    return told


def notice(one: Repeated, *, apart: bool) -> Notice:
    """Say that a worker is many people, who count ``apart``; or that they may be."""
    judged = f"worker {quoted(one.name)} gave {counted(one.n, 'judgment')}"
    values: dict[str, float] = {"n_judgments": one.n, "most_of_an_item": one.most}
    option = "--anonymous", one.name
    if apart:
        message = (
            f"{judged}, up to {one.most:,} of one item, so these are many people: each judgment counts as that of "
            "another person, and none of them is audited; if they are one person, pass --repeats last"
        )
        return Notice("shared_identity", message, values, option)
    shown = f"{option[0]} {shlex.quote(one_line(option[1]))}"
    if len(shown) > LONGEST_SHOWN:
        shown = f"{option[0]} and its name"
    many = f", up to {one.most:,} of one item" if one.most > 1 else ""
    message = f"{judged}{many}: if these are many people, say so with {shown}"
    return Notice("shared_identity", message, values, option)
