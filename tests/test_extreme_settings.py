"""Settings and numbers that no machine can mean are refused in one line that names them and a bound."""

import re
from pathlib import Path

import pytest

import consensus
from consensus.config import RunConfig
from consensus.errors import ConfigError, FormatError
from tests.conftest import Run

EXTREME = [
    ("max_judgments", 2**63, "less than or equal to 1000000"),
    ("min_judgments", 2**63, "less than or equal to 1000000"),
    ("budget", 1e300, "less than or equal to 1000000000000"),
    ("budget", 1e-320, "greater than or equal to 0.000000001"),
    ("price_per_judgment", 1e-320, "greater than or equal to 0.000000001"),
    ("price_per_judgment", 1e300, "less than or equal to 1000000000"),
    ("price_per_judgment", -0.0, "greater than or equal to 0.000000001"),
    ("max_iterations", 2**63, "less than or equal to 1000000"),
    ("tolerance", float("inf"), "less than or equal to 1000000"),
    ("seed", 2**64, "less than or equal to 9223372036854775807"),
    ("retest", 2**63, "less than or equal to 1000000000"),
    ("min_worker_judgments", 2**63, "less than or equal to 1000000000"),
    ("threads", 2**63, "less than or equal to 100000"),
    ("target", float("nan"), ""),
    ("budget", float("nan"), ""),
    ("margin", float("inf"), "less than 1"),
]


@pytest.mark.parametrize(("name", "value", "said"), EXTREME)
def test_on_the_command_line_in_a_file_and_in_python(
    name: str, value: float, said: str, tmp_path: Path, run: Run
) -> None:
    with pytest.raises(ConfigError, match=f"setting {name} = .*{re.escape(said)}"):
        RunConfig.of(None, **{name: value})
    (tmp_path / "j.csv").write_text("item,worker,label\na,v,x\nb,w,y\n")
    (tmp_path / "c.toml").write_text(f"{name} = {str(value).replace('9223372036854775808', '9.3e18')}\n")
    commands = (
        ("run", tmp_path / "j.csv", f"--{name.replace('_', '-')}", repr(value), "-o", tmp_path / "out"),
        ("run", tmp_path / "j.csv", "--config", tmp_path / "c.toml", "-o", tmp_path / "out"),
    )
    for command in commands:
        ran = run(*command)
        assert (ran.status, ran.out, ran.err.count("\n")) == (3, "", 1)
        assert name in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("price", [1e-320, 0.0, 1e300])
def test_the_price_of_a_replay(price: float) -> None:
    judgments = consensus.read({"item": ["a", "a"], "worker": ["v", "w"], "label": ["x", "y"]})
    with pytest.raises(ConfigError, match="setting price_per_judgment = .* than or equal to"):
        consensus.plan_budget(judgments, price_per_judgment=price)


@pytest.mark.parametrize("cost", ["1e-320", "1e300", "nan", "inf", "-1"])
def test_costs(cost: str) -> None:
    said = "expected 0, or 1e-09 or more" if cost == "1e-320" else "expected a finite number, 0 or more, below 1e"
    with pytest.raises(FormatError, match=f'the cost is "{cost}"; {said}'):
        consensus.read_costs([{"true": "cat", "decided": "dog", "cost": cost}])
    assert str(consensus.read_costs({("cat", "dog"): -0.0, ("dog", "cat"): 1}).cost) == "(0.0, 1.0)"


@pytest.mark.parametrize("column", ["available", "price"])
@pytest.mark.parametrize("value", [1e300, float("inf"), -1.0])
def test_workers(column: str, value: float) -> None:
    what = {"available": "number of judgments", "price": "price"}[column]
    with pytest.raises(FormatError, match=f'the {what} is ".*"; expected a number from .* to '):
        consensus.read_workers({"ann": {column: value}})


def test_prices_that_are_next_to_nothing() -> None:
    for price in (1e-320, 0.0, -0.0):
        with pytest.raises(FormatError, match=r'the price is ".*"; expected a number from 1e-09 to 1e\+09'):
            consensus.read_workers({"ann": {"price": price}})
