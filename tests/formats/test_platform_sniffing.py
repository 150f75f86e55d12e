"""How long it takes to tell whose export a file is, whatever is in it."""

import json
import time
from pathlib import Path

import pytest

from consensus.formats import platforms
from consensus.formats.platforms import judge_panels
from consensus.formats.platforms.seam import START, Head
from tests.formats.test_platforms import PLAIN
from tests.naive_platforms import EXAMPLES, EXPECTED

LONGEST = 0.05  # seconds for all platforms together
HEADS: dict[str, bytes] = {
    "plain": b"item,worker,label\n" + b"a,b,c\n" * 20_000,
    "wide": b",".join(b"_unit_id%d" % n for n in range(9_000)),
    "without a header": b"a,,b,a\n,b,a,\nb,b,,a\n" * 4_000,
    "workers": b"worker1\titem1\tyes\n" * 5_000,
    "one column of answers": b"{" + b'"x.responses": 1, ' * 5_000,
    "columns of answers": b"{" + b"".join(b'"x%d.responses": 1, ' % n for n in range(5_000)),
    "ends of columns": b'["' + b'a.responses":"' * 5_000,
    "quotes": b'"' * START,
    "escapes": b'{"' + b'\\"' * START,
    "braces": b"{" * START,
    "brackets": b'[{"annotations": [' * 5_000,
    "spaces": b'{"responses"' + b" " * START,
    "keys": b'{"a":{' + b'"annotations": "0,1,0,1", ' * 3_000,
    "long text": b'{"' + b"a" * START,
    "objects": json.dumps([{"item": n, "worker": "v", "label": "x"} for n in range(5_000)]).encode(),
    "tabs": b"\t" * START,
    "zeros": b"\0" * START,
    "answers": b"Answer.x," * 8_000,
    "outputs": b"INPUT:a\tOUTPUT:b\t" * 5_000,
    **{name: (EXAMPLES / name).read_bytes() * 40 for name in EXPECTED},
}


@pytest.mark.parametrize("name", HEADS)
def test_all_platforms_together(name: str) -> None:
    """Once in three tries, for other work may come between."""
    taken = []
    for _ in range(3):
        head = Head(Path("x"), HEADS[name][:START])
        begin = time.process_time()
        platforms.recognised(head)
        judge_panels.kind_of(head)
        taken.append(time.process_time() - begin)
    assert min(taken) < LONGEST, taken


def test_many_plain_tables_look_a_little_like_exports() -> None:
    assert len({*PLAIN}) >= 40
