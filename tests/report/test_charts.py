"""Charts: every axis says what it shows, colours can be told apart, and pictures are made offline."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from consensus import fit, read, read_gold, simulate, simulation
from consensus.errors import ConfigError
from consensus.found.result import Consensus
from consensus.report import charts, page_data
from consensus.report.plots import Plots
from consensus.worker_audit import VERDICTS
from tests.conftest import DIGITS

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Reals = NDArray[np.float64]

BLINDNESS = {  # Machado, Oliveira & Fernandes 2009, severity 1: linear RGB as colour-blind people see it
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.fixture(scope="module")
def digits() -> Consensus:
    return fit(read(DIGITS / "judgments.csv"), gold=read_gold(DIGITS / "gold.csv"))


def linear(colour: str) -> Reals:
    """sRGB as linear light."""
    c = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(light: Reals) -> Reals:
    """CIE L*a*b* of linear sRGB light."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ light
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("palette", [charts.OF_VERDICT, charts.OF_STATUS], ids=["verdicts", "statuses"])
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_colours_can_be_told_apart(palette: dict[str, str], blindness: str) -> None:
    seen = {
        name: lab(np.clip(np.asarray(BLINDNESS[blindness]) @ linear(colour), 0, 1)) for name, colour in palette.items()
    }
    for (_, a), (_, b) in itertools.combinations(seen.items(), 2):
        assert np.linalg.norm(a - b) >= 15


def test_colours_stand_out_on_light_and_dark() -> None:
    css = (Path(charts.__file__).parent / "templates" / "page.css").read_text()
    papers = set(re.findall(r"--paper: (#[0-9a-f]{6})", css))
    assert len(papers) == 2
    weights = np.array([0.2126, 0.7152, 0.0722])
    for paper in papers:
        for colour in {*charts.OF_VERDICT.values(), *charts.OF_STATUS.values()}:
            a, b = sorted((weights @ linear(paper), weights @ linear(colour)))
            assert (b + 0.05) / (a + 0.05) >= 2.5


def test_every_verdict_has_a_colour_and_a_shape() -> None:
    assert set(charts.OF_VERDICT) == set(charts.SHAPES) == set(VERDICTS)
    assert len(set(charts.SHAPES.values())) == len(charts.SHAPES)


def axes(spec: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """All x and y encodings with a field that a chart draws."""
    for name in ("x", "y"):
        channel = spec.get("encoding", {}).get(name, {})
        if "field" in channel:
            yield name, channel
    for layer in spec.get("layer", []):
        yield from axes(layer)


@pytest.mark.slow
def test_every_axis_has_a_title_with_a_unit(digits: Consensus) -> None:
    plot = digits.plot
    drawn = simulate(200, 8, 3, 2, seed=1)
    with_models = fit(drawn.judgments, model_votes=simulation.simulate_votes(drawn, 3, soft=True))
    from tests.report.test_report import shown

    of_models = shown(with_models)[0]["models"]
    made = {
        "labels": plot.labels(),
        "confidences": plot.confidences(),
        "reliability": plot.reliability(),
        "workers": plot.workers(),
        "confusion": plot.confusion("w18"),
        "drift": plot.drift(),
        "budget": plot.budget(),
        "reasons": charts.reasons([{"reason": "too_few", "items": 3}]),
        "calibration": charts.calibration(of_models),
    }
    for name, chart in made.items():
        found = list(axes(chart.to_dict()))  # checked against the schema of Vega-Lite
        assert {axis for axis, _ in found} == {"x", "y"}, name
        titles = {axis: [channel["title"] for a, channel in found if a == axis and "title" in channel] for axis in "xy"}
        for axis in "xy":
            assert titles[axis], (name, axis)
        for _, channel in found:
            if channel.get("axis", {}).get("format", "").endswith("%") and "title" in channel:
                assert "%" in channel["title"] or "confidence" in channel["title"], name


def tooltips(spec: Any) -> Iterator[dict[str, Any]]:
    """All fields that are shown where the mouse rests, with those of marks that name none."""
    for layer in spec.get("layer", [spec]):
        encoding = layer.get("encoding", {}) | spec.get("encoding", {})
        yield from encoding.get("tooltip", [one for one in encoding.values() if "field" in one])


@pytest.mark.slow
def test_no_tooltip_shows_a_name_of_the_code(digits: Consensus) -> None:
    plot = digits.plot
    shares = [
        {"label": "a", "share": 0.5, "low": 0.4, "high": 0.6, "gold_share": 0.5, "gold_low": 0.3, "gold_high": 0.7}
    ]
    for chart in (plot.workers(), plot.confusion("w18"), plot.drift(), charts.class_shares(shares)):
        shown = list(tooltips(chart.to_dict()))
        assert shown
        for one in shown:
            assert "_" not in one.get("title", one["field"])


def test_pictures_need_no_network(tmp_path: Path) -> None:
    plot = fit(simulate(60, 6, 3, 3, seed=1).judgments).plot
    plot.workers().save(tmp_path / "w.png")
    plot.confusion("w0").save(tmp_path / "c.svg")
    assert (tmp_path / "w.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "<svg" in (tmp_path / "c.svg").read_text()


class TestPlots:
    def test_those_of_the_report(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn = simulate(60, 6, 2, 3, accuracy=0.7, seed=1)
        result = fit(drawn.judgments, gold=drawn.truth_table(20))
        plot = result.plot
        assert plot.labels().to_dict()["data"]["values"] == page_data.label_records(result, {})
        layers = plot.reliability().to_dict()["layer"]
        assert layers[-1]["data"]["values"] == page_data.reliability_records(result)
        assert sum(one["items"] for one in plot.confidences().to_dict()["data"]["values"]) == 60
        points = plot.budget().to_dict()["data"]["values"]
        assert points[0]["judgments"] == 0
        assert points[0]["accuracy"] < points[-1]["accuracy"]
        lines = [{"worker": "w", "period": "before", "accuracy": 0.9, "time": "2025-03-14T09:22:07Z"}]
        monkeypatch.setattr(page_data, "drift_records", lambda _: ([], lines))
        assert plot.drift().to_dict()["data"]["values"] == lines

    @pytest.mark.slow
    def test_workers_are_those_of_the_audit(self, digits: Consensus) -> None:
        from consensus import audit

        points = digits.plot.workers(min_worker_judgments=50).to_dict()["data"]["values"]
        table = audit(digits, min_worker_judgments=50).set_index("worker")
        assert {one["worker"]: one["verdict"] for one in points} == table["verdict"].to_dict()

    @pytest.mark.slow
    def test_confusion(self, digits: Consensus) -> None:
        cells = digits.plot.confusion("w18").to_dict()["data"]["values"]
        matrix = digits.confusion("w18")
        assert len(cells) == 100
        for cell in cells:
            there = matrix.loc[cell["true_label"], cell["label"]]
            assert cell["probability"] == pytest.approx(there, abs=1e-6)
        with pytest.raises(ConfigError, match='no worker "nobody" among the 36'):
            digits.plot.confusion("nobody")

    def test_confusion_of_many_labels_is_shaded_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(charts, "MOST_BARS", 6)
        result = fit(simulate(60, 6, 8, 3, seed=1).judgments)
        chart = result.plot.confusion("w0").to_dict()
        assert "layer" not in chart
        assert len({cell["label"] for cell in chart["data"]["values"]}) == charts.MOST_BARS

    def test_what_is_not_there(self) -> None:
        good = fit(simulate(60, 6, 2, 5, accuracy=0.99, seed=1).judgments, rho=0.0).plot
        with pytest.raises(ConfigError, match="reliability: no gold to hold confidences against; fit with gold="):
            good.reliability()
        with pytest.raises(ConfigError, match="drift: nobody changed, or the judgments have no timestamps"):
            good.drift()
        with pytest.raises(ConfigError, match="budget: no item waits for judgments"):
            good.budget(target=0.51)
        with pytest.raises(ConfigError, match="unknown setting"):
            good.budget(targt=0.51)

    def test_calibration_of_models(self) -> None:
        drawn = simulate(200, 8, 3, 2, seed=1)
        soft = fit(drawn.judgments, model_votes=simulation.simulate_votes(drawn, 3, soft=True))
        points = soft.plot.calibration().to_dict()["data"]["values"]
        assert {one["model"] for one in points} == {"model_0", "model_1", "model_2"}
        for result in (fit(drawn.judgments), fit(drawn.judgments, model_votes=simulation.simulate_votes(drawn, 3))):
            with pytest.raises(ConfigError, match="calibration: no model whose probabilities people could check"):
                result.plot.calibration()

    def test_none_of_the_models_has_probabilities(self) -> None:
        rows = [{"model": "m", "ece": 0.1, "ece_calibrated": None}]
        assert len(charts.calibration(rows).to_dict()["data"]["values"]) == 1

    def test_an_unknown_worker(self) -> None:
        result = fit(simulate(60, 6, 2, 3, seed=1).judgments)
        assert isinstance(result.plot, Plots)
        with pytest.raises(ConfigError, match='no worker "nobody" among the 6'):
            result.plot.confusion("nobody")
