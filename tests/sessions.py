"""The sessions and the Python of README and docs: ``python -m tests.sessions`` writes what they print anew."""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMPILING = re.compile(r"^compiling the inner loops.*\n", flags=re.MULTILINE)  # told once on a machine


def pages() -> list[Path]:
    """README, and the pages of docs but for those of platforms, which have tests of their own."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, kind: str) -> list[str]:
    """What stands in the fenced blocks of a ``kind``."""
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def pages_with(kind: str) -> list[Path]:
    """Pages that have such blocks."""
    return [page for page in pages() if blocks(page, kind)]


def commands(block: str) -> list[tuple[str, str]]:
    """Commands of a session, with the output that stands below them."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def beside_the_data(folder: Path) -> None:
    """Lay into an empty folder what sessions read: the data that come with the source, and made-up exports."""
    (folder / "data").symlink_to(ROOT / "data")
    (folder / "tests").mkdir()
    (folder / "tests" / "platforms").symlink_to(ROOT / "tests" / "platforms")


def piped(text: str, into: str) -> str:
    """What a shell prints where a text is piped into other programs, if any."""
    if not into:
        return text
    return subprocess.run(["bash", "-c", into], input=text, stdout=subprocess.PIPE, text=True, check=True).stdout


def printed(command: str) -> str:
    """What a command of a session prints: its words, then its table."""
    own, _, into = command.partition(" | ")
    program, *arguments = shlex.split(own)
    if program != "consensus":
        return piped("", command)
    ran = subprocess.run(
        [sys.executable, "-m", "consensus", *arguments], capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    return COMPILING.sub("", ran.stderr) + piped(ran.stdout, into)


ENVIRONMENT = os.environ | {"COLUMNS": "200", "PYTHONPATH": str(ROOT)}


def told_by_python(block: str, names: dict[str, object]) -> str:
    """A block of Python, with what each line of it prints; ``names`` are those of earlier blocks of the page."""
    told = ""
    for part in doctest.DocTestParser().parse(block):
        if isinstance(part, str):
            told += part
            continue
        lines = part.source.rstrip("\n").split("\n")
        told += "".join(f"{'...' if n else '>>>'} {line}".rstrip() + "\n" for n, line in enumerate(lines))
        out = io.StringIO()
        with contextlib.redirect_stdout(out), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                exec(compile(part.source, "<docs>", "single"), names)
            except Exception as error:  # what is refused is a part of what the page shows
                kind = f"{type(error).__module__}.{type(error).__qualname__}"
                out.write(f"Traceback (most recent call last):\n    ...\n{kind}: {error}\n")
        told += "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())
    return told


def written_anew(page: Path) -> bool:
    """Write what the sessions of a page print; tell whether that is something else than before."""
    before = page.read_text(encoding="utf-8")
    names: dict[str, object] = {}

    def session(found: re.Match[str]) -> str:
        return "```console\n" + "".join(f"$ {one}\n{printed(one)}" for one, _ in commands(found[1])) + "```"

    def python(found: re.Match[str]) -> str:
        return "```python\n" + (told_by_python(found[1], names) if ">>>" in found[1] else found[1]) + "```"

    after = re.sub(r"^```console\n(.*?)^```", session, before, flags=re.DOTALL | re.MULTILINE)
    after = re.sub(r"^```python\n(.*?)^```", python, after, flags=re.DOTALL | re.MULTILINE)
    page.write_text(after, encoding="utf-8")
    return after != before


if __name__ == "__main__":
    for one in pages():
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            beside_the_data(Path())
            if (blocks(one, "console") or blocks(one, "python")) and written_anew(one):
                sys.stdout.write(f"{one.relative_to(ROOT)} is written anew\n")
