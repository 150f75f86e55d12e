"""Every public name has an example, which runs; ``help`` of settings tells each field."""

from __future__ import annotations

import doctest
import inspect
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import consensus
from consensus import config

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [name for name in consensus.__all__ if name != "__version__"]


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What stands in examples: ``consensus``, and ``judgments``, also as a file beside them."""
    monkeypatch.chdir(tmp_path)
    said = {"ann": "cdcdcdcdcdcd", "bob": "cdcdcdcdcdcc", "eve": "cdcdcdcdcddd"}
    rows = [(f"img{i}", who, {"c": "cat", "d": "dog"}[one]) for who, all_ in said.items() for i, one in enumerate(all_)]
    judgments = pd.DataFrame(rows, columns=["item", "worker", "label"])
    judgments.to_csv("judgments.csv", index=False)
    return {"consensus": consensus, "judgments": judgments}


@pytest.mark.parametrize("name", NAMES)
def test_examples_run(name: str, names: dict[str, object]) -> None:
    documented = getattr(consensus, name)
    (test,) = [
        one for one in doctest.DocTestFinder(recurse=False).find(documented, name, globs=names) if one.name == name
    ]
    assert test.examples, name
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    failed = runner.run(test, out=told.append).failed
    assert not failed, "".join(told)


@pytest.mark.parametrize(
    "kind", [one for one in vars(config).values() if inspect.isclass(one)], ids=lambda one: one.__name__
)
def test_help_tells_each_field(kind: type) -> None:
    told = inspect.getdoc(kind) or ""
    for name in kind.model_fields:  # type: ignore[attr-defined]  # all are settings
        assert f"\n{name} : " in told, name
    assert "--" not in told.replace("----------", "").replace("--------", "")
