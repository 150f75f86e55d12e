"""What strangers wrote can't hide or turn text on a page, nor make it run or load anything."""

import base64
import hashlib
import re
import unicodedata
from pathlib import Path

import pytest

import consensus
from consensus.report import guarding
from tests.conftest import Run

TURNING = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
HIDING = "\u061c\u200e\u200f" + "".join(
    one
    for one in map(chr, range(0x3000))
    if (unicodedata.category(one) == "Cc" and one not in "\t\n") or unicodedata.bidirectional(one) in TURNING
)


def test_every_such_character_is_a_code() -> None:
    assert "\u202e" in HIDING
    assert len(HIDING) > 70
    for one in HIDING:
        assert guarding.cleaned({f"a{one}": [f"b{one}", (one, 3, None)]}) == {
            f"a\\u{ord(one):04x}": [f"b\\u{ord(one):04x}", (f"\\u{ord(one):04x}", 3, None)]
        }
    assert guarding.cleaned("caf\u00e9 \u0939\u093f \u05d0 \U0001f469\u200d\U0001f4bb\t\n") == (
        "caf\u00e9 \u0939\u093f \u05d0 \U0001f469\u200d\U0001f4bb\t\n"
    )


@pytest.fixture(scope="module")
def page() -> str:
    turned = "ann\u202ekcap.exe"
    rows = [
        {"item": f"i{i}\u2066", "worker": w, "label": f"x\x1b[2J{i % 2}"} for i in range(12) for w in (turned, "b", "c")
    ]
    return consensus.run(rows).report(title="t\u202e").html


def test_a_page_holds_none(page: str) -> None:
    ours = re.sub(r"<script>.*?</script>", "", page, flags=re.S)  # Vega's own tables of characters
    assert [one for one in HIDING if one in ours] == []
    assert "ann\\\\u202ekcap.exe" in page
    assert "<h1>t\\u202e</h1>" in page


def test_the_policy_names_all_scripts_and_styles_of_the_page(page: str) -> None:
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    policy = policy.replace("&#39;", "'")
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    inline = re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", page, flags=re.S)
    assert len(inline) == 3
    for one in inline:
        assert f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" in policy
    assert "unsafe-eval" not in policy
    assert policy.count("unsafe-inline") == policy.count("style-src-attr 'unsafe-inline'")


def test_several_questions(tmp_path: Path, run: Run) -> None:
    rows = [f"i{i},{w},{'xy'[i % 2]},{q}" for q in "pq" for i in range(9) for w in "a\u202e"]
    (tmp_path / "j.csv").write_text("\n".join(["item,worker,label,q", *rows]))
    assert run("run", tmp_path / "j.csv", "--by", "q", "-o", tmp_path / "out", report=True).status == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "script-src &#39;none&#39;" in page
    assert "\u202e" not in page
