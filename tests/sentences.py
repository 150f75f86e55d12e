"""Every sentence that the program can print or show: messages, help, columns, and the texts of the page.

    python -m tests.sentences [WORD ...]

Prints file, line and text, one a line; with words, those that hold one of them. Docstrings of commands count, for they
are their help; other docstrings do not.
"""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from html import unescape
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1] / "consensus"
COMMANDS = PACKAGE / "cli"
TEMPLATES = PACKAGE / "report" / "templates"
SCRIPT_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`')


class Sentence(NamedTuple):
    """Where it stands, and what it says; what is put in stands as ``{}``."""

    file: str
    line: int
    text: str


@cache
def sentences() -> list[Sentence]:
    """All of them, by file and line."""
    found = [one for path in sorted(PACKAGE.rglob("*.py")) for one in _of_code(path)]
    found += [one for path in sorted(TEMPLATES.glob("*.html")) for one in _of_page(path)]
    return found + [one for path in sorted(TEMPLATES.glob("*.js")) for one in _of_script(path)]


def _of_code(path: Path) -> list[Sentence]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = _docstrings(tree, of_functions=path.parent != COMMANDS)
    found, name = [], str(path.relative_to(PACKAGE.parent))
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in ast.walk(node) if part is not node}
            text = "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside | skipped:
            text = node.value
        else:
            continue
        if _says_something(text):
            found.append(Sentence(name, node.lineno, " ".join(text.split())))
    return found


def _docstrings(tree: ast.AST, *, of_functions: bool) -> set[int]:
    """Nodes that only describe code: strings that stand alone."""
    kinds = (ast.Module, ast.ClassDef, *((ast.FunctionDef,) if of_functions else ()))
    return {
        id(one.value)
        for node in ast.walk(tree)
        if isinstance(node, kinds)
        for one in node.body
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
    }


def _of_page(path: Path) -> list[Sentence]:
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        plain = re.sub(r"\{%.*?%\}", " ", line)
        texts = re.sub(r"\{\{.*?\}\}", "{}", re.sub(r"<[^>]+>", "\n", plain)).split("\n")
        texts += [one for part in re.findall(r"\{\{(.*?)\}\}", plain) for one in re.findall(r'"([^"]*)"', part)]
        found += [
            Sentence(str(path.relative_to(PACKAGE.parent)), number, unescape(" ".join(text.split())))
            for text in texts
            if _says_something(text)
        ]
    return found


def _of_script(path: Path) -> list[Sentence]:
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        code = line.split("//")[0]
        for plain, template in SCRIPT_TEXT.findall(code):
            text = re.sub(r"\$\{[^}]*\}", "{}", plain or template)
            if _says_something(text):
                found.append(Sentence(str(path.relative_to(PACKAGE.parent)), number, text))
    return found


def _says_something(text: str) -> bool:
    """Two words at least, with a letter each."""
    return len(re.findall(r"[A-Za-z]{2,}", text)) > 1 and " " in text.strip()


def main() -> int:
    wanted = [re.compile(rf"\b{re.escape(word)}", re.IGNORECASE) for word in sys.argv[1:]]
    for one in sentences():
        if not wanted or any(word.search(one.text) for word in wanted):
            sys.stdout.write(f"{one.file}:{one.line}: {one.text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
