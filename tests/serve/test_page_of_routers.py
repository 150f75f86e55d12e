"""The session over HTTP in docs/router.md: ``python -m tests.serve.test_page_of_routers`` writes its answers anew."""

import re
import shlex
import tempfile
from pathlib import Path

import pytest

import consensus
from consensus.config import RunConfig
from consensus.serve import app
from consensus.state import State
from tests.conftest import DIGITS, ROOT
from tests.serve.clients import TestClient

PAGE = ROOT / "docs" / "router.md"
BLOCK = re.compile(r"^```http\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)


def answered(block: str, folder: Path) -> str:
    """The commands of a block, each with what a service of the state of the page answers."""
    state = State.create(folder / "kept", RunConfig())
    state.append(DIGITS / "judgments.csv", gold=DIGITS / "gold.csv")
    told = ""
    with consensus.open(folder / "kept") as stream:
        client = TestClient(app.made(stream), base_url="http://127.0.0.1:8000")
        for command in re.findall(r"^\$ (.*)$", block, flags=re.MULTILINE):
            curl, silent, url, *options = shlex.split(command)
            assert (curl, silent) == ("curl", "-s")
            given = dict(zip(options[::2], options[1::2], strict=True))
            name, _, value = given.get("-H", "Accept: */*").partition(": ")
            method = "POST" if "-d" in given else "GET"
            answer = client.request(method, url, content=given.get("-d"), headers={name: value})
            told += f"$ {command}\n{answer.text}\n"
    return told


@pytest.mark.slow
def test_the_session_is_what_the_service_answers(tmp_path: Path) -> None:
    (block,) = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert answered(block, tmp_path) == block


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as made:
        (old,) = BLOCK.findall(page)
        PAGE.write_text(page.replace(old, answered(old, Path(made))))
