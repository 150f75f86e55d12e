"""Warnings: each code stands in the registry, is raised, tested and documented."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from consensus.found.cautions import CODES, Caution
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "warnings.md"
HEAD = """# Warnings

A run tells its warnings on the screen, in summary.json, in report.html, and in Python as `run.warnings`. Each has a
code, a message with the numbers of your data, and these numbers as values. `--fail-on CODE` makes the command exit with
4 if one of them arises.

| code | what it means, and *what to do* |
| --- | --- |
"""


def page() -> str:
    """The content of docs/warnings.md."""
    return HEAD + "".join(f"| `{name}` | {code.means} *{code.remedy}* |\n" for name, code in CODES.items())


def raisers() -> Iterator[tuple[Path, ast.AST]]:
    """Functions of the package that make a ``Caution``, or a ``Notice``, which becomes one."""
    for path in sorted((ROOT / "consensus").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and made_in(node):
                yield path, node


def made_in(node: ast.AST) -> list[ast.Call]:
    return [
        one
        for one in ast.walk(node)
        if isinstance(one, ast.Call)
        and isinstance(one.func, ast.Name)
        and one.func.id in {"Caution", "Notice"}
        and one.args
        and not isinstance(one.args[0], ast.Starred)
    ]


def patterns(node: ast.AST) -> Iterator[str]:
    """Texts within ``node``, as regular expressions: what an f-string fills in may be anything."""
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield re.escape(one.value)
        elif isinstance(one, ast.JoinedStr):
            yield "".join(
                re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+" for part in one.values
            )


def test_every_code_is_raised_and_every_raised_code_is_known() -> None:
    raised = set()
    for path, function in raisers():
        texts = set(patterns(function))
        raised |= {code for code in CODES if any(re.fullmatch(text, code) for text in texts)}
        for call in made_in(function):
            if isinstance(call.args[0], ast.Constant):
                assert call.args[0].value in CODES, (path, call.lineno)
    assert raised == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_test(code: str) -> None:
    mention = re.compile(rf"[\"'`]{code}[\"'`]|warning {code}\b")
    others = (path for path in (ROOT / "tests").rglob("test_*.py") if path.name != Path(__file__).name)
    assert any(mention.search(path.read_text()) for path in others)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_one_sentence_and_one_remedy(code: str) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)
    for sentence in (CODES[code].means, CODES[code].remedy):
        assert re.fullmatch(r"[A-Z].*[^.]\.", sentence)
        assert not re.search(r"\. [A-Z]", sentence), "more than one sentence"
        assert "|" not in sentence, "would end a cell of docs/warnings.md"


def test_unknown_codes_are_refused() -> None:
    with pytest.raises(ValueError, match='unknown code "switch"'):
        Caution("switch", "labels may be switched")


def test_the_page_is_what_the_registry_gives() -> None:
    """To write it anew: ``python -m tests.found.test_cautions``."""
    assert PAGE.read_text() == page()


if __name__ == "__main__":
    PAGE.write_text(page())
