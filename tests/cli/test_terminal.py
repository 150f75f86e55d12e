"""Names from files on a terminal: it obeys none of them."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import consensus
from consensus.__main__ import main
from consensus.cli import terminal
from consensus.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

EVIL = "ev\x1b[31mil\u202e\nx\x07"
SHOWN = "ev\\x1b[31mil\\u202e\\nx\\x07"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Judgments, and votes of models whose names and families a terminal would obey."""
    judged = [(f"i{i}", f"w{w}", "ab"[(i * w) % 7 % 2]) for i in range(30) for w in range(4)]
    votes = [(f"i{i}", f"{EVIL}{m}", "ab"[(i * m) % 7 % 2], EVIL) for i in range(30) for m in range(3)]
    paths = tmp_path / "judgments.csv", tmp_path / "votes.csv"
    headers = ["item", "worker", "label"], ["item", "model", "label", "family"]
    tables: tuple[list[tuple[str, ...]], ...] = ([*judged], [*votes])
    for path, header, rows in zip(paths, headers, tables, strict=True):
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
    return paths


def test_words_of_families(files: tuple[Path, Path], run: Run, tmp_path: Path) -> None:
    ran = run("run", files[0], "--model-votes", files[1], "--output", tmp_path / "out")
    assert f"family {SHOWN}: 3 models count as" in ran.err
    assert all(line.isprintable() for line in ran.err.split("\n"))


def test_tables_are_exact_in_a_pipe_and_visible_on_a_terminal(
    files: tuple[Path, Path], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("audit", files[0], "--model-votes", files[1], "--quiet")
    exact = run(*command).out
    assert EVIL in exact
    assert not terminal.is_there()
    monkeypatch.setattr(terminal, "is_there", lambda: True)
    seen = run(*command).out
    assert SHOWN.replace("\\n", "\n") in seen
    assert all(line.isprintable() for line in seen.split("\n"))
    assert seen == terminal.lines(exact)


class TestLocales:
    """Words on standard output are UTF-8 where they go into a pipe or file."""

    @pytest.fixture
    def out(self, tmp_path: Path) -> Path:
        labels = {"ann": "xyxy", "bob": "xyxx", "eve": "xyxy"}
        names = {"x": "猫", "y": "dög"}
        rows = [(f"i{n}", who, names[one]) for who, said in labels.items() for n, one in enumerate(said)]
        consensus.run(pd.DataFrame(rows, columns=["item", "worker", "label"])).save(tmp_path / "out", report=False)
        return tmp_path / "out"

    def test_a_pipe_gets_utf8_in_any_locale(
        self, out: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written = []
        for encoding in ("utf-8", "ascii", "iso8859-1"):
            raw = io.BytesIO()
            stream = io.TextIOWrapper(raw, encoding)
            monkeypatch.setattr("sys.stdout", stream)
            with pytest.raises(SystemExit) as left:
                main(["explain", str(out), "i1"])
            assert not left.value.code
            assert (stream.encoding, stream.errors) == (encoding, "strict")  # as the caller left it
            written.append(raw.getvalue().decode())
        assert "dög" in written[0]
        assert written == [written[0]] * 3
        capsysbinary.readouterr()

    def test_a_terminal_gets_what_it_can_show(self, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        class Terminal(io.TextIOWrapper):
            def isatty(self) -> bool:
                return True

        raw = io.BytesIO()
        monkeypatch.setattr("sys.stdout", Terminal(raw, "iso8859-1"))
        with pytest.raises(SystemExit) as left:
            main(["explain", str(out), "i1"])
        assert not left.value.code
        assert "d\u00f6g" in raw.getvalue().decode("iso8859-1")
        assert "\\u732b" in raw.getvalue().decode("iso8859-1")

    def test_a_stream_of_another_kind_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stream = io.StringIO()
        monkeypatch.setattr("sys.stdout", stream)
        with pytest.raises(SystemExit):
            main(["--version"])
        assert stream.getvalue() == f"consensus {consensus.__version__}\n"


class TestWhatIsGivenInPython:
    def test_a_value_that_tells_nothing(self) -> None:
        class Awkward:
            def __repr__(self) -> str:
                raise RuntimeError

        with pytest.raises(ConfigError, match="^setting target = a Awkward: "):
            consensus.RunConfig(target=Awkward())  # type: ignore[arg-type]

    @pytest.mark.parametrize("name", ["prior", "confusion"])
    def test_a_crowd_of_no_numbers(self, name: str) -> None:
        with pytest.raises(ConfigError, match=f"^{name} must hold numbers, not str"):
            consensus.simulate(5, **{name: "x"})  # type: ignore[arg-type]

    def test_sizes_as_reals(self) -> None:
        assert consensus.simulate(5.0, 3.0, 2.0, 2).judgments.n_judgments == 10  # type: ignore[arg-type]

    def test_a_price_that_is_none(self) -> None:
        result = consensus.fit({"item": ["a", "a"], "worker": ["v", "w"], "label": ["x", "y"]})
        with pytest.raises(ConfigError, match="^price: a str is no number; give what every judgment costs"):
            consensus.audit(result, price="x")  # type: ignore[arg-type]
