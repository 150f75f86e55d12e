"""The parts of the benchmark of class shares that need no public sets."""

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.conftest import ROOT, dataset

if TYPE_CHECKING:
    from tests.benchmarks import class_shares
else:  # scripts: their own folder is on the path
    sys.path.append(str(ROOT / "tests" / "benchmarks"))
    import class_shares


def test_simulated_posteriors_are_as_described() -> None:
    f, Y = class_shares.simulated(20_000, 0.05, 0.7, 0.5, 1)
    assert Y.mean(axis=0).tolist() == [0.05, 0.95]
    np.testing.assert_allclose(f.sum(axis=1), 1.0)
    has = Y[:, 0] == 1
    assert (f[has, 0] > 0.5).mean() == pytest.approx(0.7, abs=0.05)
    assert (f[~has, 0] > 0.5).mean() == pytest.approx(0.025, abs=0.005)


def test_all_methods_cover_where_nothing_is_rare() -> None:
    f, Y = class_shares.simulated(1_000, 0.4, 0.8, 0.1, 2)
    methods = {
        "gold": class_shares.gold_alone,
        "PPI++": class_shares.ppi,
        "Wilson": class_shares.effective,
        "ours": class_shares.ours,
    }
    found = class_shares.covered(methods, f, Y, 100, 200)
    for coverage, _ in found.values():
        assert (coverage > 0.9).all()
    widths = {name: float(width.mean()) for name, (_, width) in found.items()}
    assert widths["ours"] < widths["PPI++"] < widths["gold"]


@pytest.mark.skipif(not class_shares.HAS_PPI, reason="ppi_py is not installed (pip install ppi-python)")
def test_the_published_formula_is_what_the_package_does() -> None:
    f, Y = class_shares.simulated(2_000, 0.3, 0.8, 0.1, 3)
    gold = np.random.default_rng(0).choice(2_000, 200, replace=False)
    package = class_shares.ppi_package(Y[gold], f[gold], np.delete(f, gold, axis=0))
    np.testing.assert_allclose(class_shares.ppi(Y[gold], f[gold], f, 2_000), package, atol=2e-3)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("name", ["cf_amt", "llm_panel_dev"])
def test_rare_labels_of_public_sets_are_covered(name: str) -> None:
    """Labels of 3 and 7 %, on which other intervals hold the share in 77 and 85 % of the draws."""
    dataset(name)
    f, Y = class_shares.posteriors_of(name)
    coverage, width = class_shares.covered({"ours": class_shares.ours}, f, Y, 50, 300)["ours"]
    assert (coverage >= 0.92).all()
    assert width.mean() < 0.17
