"""Charts: plain records in, Altair charts out. The same ones stand in the report and behind ``result.plot``."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

from consensus.errors import OutputError
from consensus.worker_audit import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import altair as alt

    Records = list[dict[str, Any]]
    Chart: TypeAlias = alt.Chart | alt.LayerChart

HOW_TO_GET_THEM = "pip install 'crowd-consensus[report]'"
WIDTH, HEIGHT = 560, 260
BLUE, SKY, GREEN, ORANGE = "#006eb2", "#4aa3df", "#009e73", "#e68300"
VERMILION, BROWN, VIOLET, SAND, GREY = "#c44b00", "#87522d", "#aa00ff", "#c09c60", "#888899"
PINK = "#f00078"
"""Those of Okabe & Ito (2008), moved until colour-blind people tell each from each (a CIE 1976 difference of 15 or more
under protan-, deuteran- and tritanopia by Machado et al. 2009) and all stand out from white and from black."""
OF_STATUS = {"accepted": BLUE, "gold": GREEN, "escalate": ORANGE, "needs_expert": VERMILION, "unaudited": GREY}
OF_VERDICT = {
    "expert": BLUE,
    "good": SKY,
    "biased": ORANGE,
    "weak": SAND,
    "careless": BROWN,
    "spammer": VERMILION,
    "adversarial": VIOLET,
    "gold_aware": PINK,
    "too_few": GREY,
}
SHAPES = {
    "expert": "diamond",
    "good": "circle",
    "biased": "square",
    "weak": "triangle-left",
    "careless": "triangle-down",
    "spammer": "cross",
    "adversarial": "triangle-up",
    "gold_aware": "stroke",
    "too_few": "triangle-right",
}
IN_WORDS = "replace(datum.label, '_', ' ')"
"""How names of values are shown: ``too_few`` as two words."""
CROWDED = 300  # points above which they are drawn smaller
MOST_BARS = 40  # rows of a bar chart or a confusion matrix that can still be read


def check() -> None:
    """Altair and vl-convert are there.

    Raises
    ------
    OutputError
        The extra ``report`` is not installed.
    """
    if not are_there():
        raise OutputError(
            f"charts and reports need Altair, Jinja and vl-convert: {HOW_TO_GET_THEM}", code="missing_library"
        )


def are_there() -> bool:
    """The libraries of the extra ``report`` are installed."""
    return all(find_spec(name) is not None for name in ("altair", "jinja2", "vl_convert"))


def label_shares(records: Records) -> Chart:
    """Share of the items that have each label: ``label``, ``share`` of the labels given out, ``estimated``."""
    import altair as alt

    order = [one["label"] for one in records]
    bars = _chart(records, height=_of_rows(len(records)))
    y = alt.Y("label:N", title="label", sort=order)
    return bars.mark_bar(color=BLUE, opacity=0.85).encode(
        y=y,
        x=alt.X("share:Q", title="share of the items (%)", axis=alt.Axis(format="%")).stack(None),  # one bar a label
        tooltip=["label:N", alt.Tooltip("share:Q", format=".2%"), alt.Tooltip("estimated:Q", format=".2%")],
    ) + bars.mark_tick(color=VERMILION, thickness=3).encode(y=y, x="estimated:Q")


def class_shares(records: Records) -> Chart:
    """Share of the items that are of each label: ``share`` with ``low`` and ``high``; in grey by gold alone."""
    import altair as alt

    base = _chart(records, height=_of_rows(len(records)))
    y = alt.Y("label:N", title="label", sort=[one["label"] for one in records])
    x = alt.X("low:Q", title="share of the items, with 95% interval (%)", axis=alt.Axis(format="%"))
    names = {"share": "share", "low": "from", "high": "to", "gold_share": "by gold alone"}
    names |= {"gold_low": "by gold from", "gold_high": "by gold to"}
    told = ["label:N", *(alt.Tooltip(f"{name}:Q", format=".1%", title=title) for name, title in names.items())]
    return (
        base.mark_rule(color=GREY, opacity=0.4, strokeWidth=9).encode(
            y=y, x=alt.X("gold_low:Q"), x2="gold_high:Q", tooltip=told
        )
        + base.mark_rule(color=BLUE, strokeWidth=2).encode(y=y, x=x, x2="high:Q", tooltip=told)
        + base.mark_point(color=BLUE, filled=True, size=60, opacity=1).encode(y=y, x="share:Q", tooltip=told)
    )


def confidences(records: Records) -> Chart:
    """How many items have which confidence: bins ``low`` to ``high``, ``status``, ``items``."""
    import altair as alt

    names = [name for name in OF_STATUS if any(one["status"] == name for one in records)]
    return (
        _chart(records)
        .mark_bar()
        .encode(
            x=alt.X("low:Q", title="confidence", bin="binned", axis=alt.Axis(format="%")),
            x2="high:Q",
            y=alt.Y("items:Q", title="items", stack=True),
            color=_coloured("status", names, OF_STATUS),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("low:Q", format=".0%"),
                alt.Tooltip("high:Q", format=".0%"),
                "status:N",
                alt.Tooltip("items:Q", format=","),
            ],
        )
    )


def reliability(records: Records) -> Chart:
    """Confidence against the share that is right on gold: ``confidence``, ``right``, ``low``, ``high``, ``items``."""
    import altair as alt

    base = _chart(records)
    x = alt.X("confidence:Q", title="confidence (mean of the bin)", axis=alt.Axis(format="%"), scale=_unit())
    y = alt.Y("right:Q", title="right on gold (%)", axis=alt.Axis(format="%"), scale=_unit())
    honest = alt.Chart(alt.Data(values=[{"confidence": 0.0, "right": 0.0}, {"confidence": 1.0, "right": 1.0}]))
    return (
        honest.mark_line(color=GREY, strokeDash=[4, 4]).encode(x=x, y=y)
        + base.mark_rule(color=BLUE).encode(x=x, y=alt.Y("low:Q", scale=_unit()), y2="high:Q")
        + base.mark_point(color=BLUE, filled=True, size=60, opacity=1).encode(
            x=x,
            y=y,
            tooltip=[
                *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("confidence", "right", "low", "high")),
                alt.Tooltip("items:Q", format=","),
            ],
        )
    )


def workers(records: Records) -> Chart:
    """Accuracy against volume: ``worker``, ``n_judgments``, ``accuracy`` with ``low`` and ``high``, ``verdict``."""
    import altair as alt

    base = _chart(records, height=320)
    least = min((one["n_judgments"] for one in records), default=1)
    x = alt.X(
        "n_judgments:Q",
        title="judgments (logarithmic)",
        scale=alt.Scale(type="log", nice=False, padding=12, domainMin=least),
        axis=alt.Axis(grid=False, format="~s"),
    )
    y = alt.Y("accuracy:Q", title="accuracy with 95% interval (%)", axis=alt.Axis(format="%"), scale=_unit())
    names = [name for name in VERDICTS if any(one["verdict"] == name for one in records)]
    colour = _coloured("verdict", names, OF_VERDICT)
    shares = {"accuracy": "accuracy", "low": "from", "high": "to"}
    told = [
        "worker:N",
        alt.Tooltip("named:N", title="verdict"),
        alt.Tooltip("n_judgments:Q", format=",", title="judgments"),
        *(alt.Tooltip(f"{name}:Q", format=".1%", title=title) for name, title in shares.items()),
    ]
    return base.mark_rule(opacity=0.35).encode(
        x=x, y=alt.Y("low:Q", scale=_unit()), y2="high:Q", color=colour, tooltip=told
    ) + base.mark_point(filled=True, size=70 if len(records) <= CROWDED else 25, opacity=0.9).encode(
        x=x,
        y=y,
        color=colour,
        shape=alt.Shape(
            "verdict:N",
            title="verdict",
            scale=alt.Scale(domain=names, range=[SHAPES[name] for name in names]),
            legend=alt.Legend(symbolOpacity=1, labelExpr=IN_WORDS),
        ),
        tooltip=told,
    )


def confusion(records: Records, labels: Iterable[str]) -> Chart:
    """A confusion matrix: ``true_label``, ``label``, ``probability``, ``count``; in the order of ``labels``."""
    import altair as alt

    order = list(labels)
    side = min(34 * len(order) + 40, 620)
    base = _chart(records, width=side, height=side).encode(
        x=alt.X("label:N", title="label given", sort=order),
        y=alt.Y("true_label:N", title="true label", sort=order),
        tooltip=[
            alt.Tooltip("true_label:N", title="true label"),
            alt.Tooltip("label:N", title="label given"),
            alt.Tooltip("probability:Q", format=".1%"),
            alt.Tooltip("count:Q", format=".1f", title="judgments (expected)"),
        ],
    )
    shaded = base.mark_rect().encode(
        color=alt.Color(
            "probability:Q",
            title="P(label | true label)",
            scale=alt.Scale(scheme="blues", domain=[0, 1]),
            legend=alt.Legend(format="%"),
        )
    )
    if len(order) > MOST_BARS // 2:
        return shaded
    words = base.mark_text(fontSize=11).encode(
        text=alt.Text("probability:Q", format=".0%"),
        color=alt.condition("datum.probability > 0.55", alt.value("white"), alt.value("#1a1a1a")),
    )
    return shaded + words


def drift(records: Records) -> Chart:
    """Who changed: points of ``worker``, ``time`` or ``row``, ``accuracy`` up to then or from then on, ``period``."""
    import altair as alt

    when, x = "row:Q", alt.X("row:Q", title="row, if rows stand in order of time", scale=alt.Scale(zero=False))
    if "row" not in records[0]:
        axis = alt.Axis(format="%Y-%m-%d", tickCount=6, labelOverlap=True)
        when, x = "time:T", alt.X("time:T", title="date (UTC)", axis=axis)
    return (
        _chart(records, height=max(_of_rows(len({one["worker"] for one in records})), 160))
        .mark_line(point=alt.OverlayMarkDef(filled=True, size=60), interpolate="step-after")
        .encode(
            x=x,
            y=alt.Y("accuracy:Q", title="accuracy (%)", axis=alt.Axis(format="%"), scale=_unit()),
            color=alt.Color("worker:N", title="worker", scale=alt.Scale(range=[BLUE, VERMILION, GREEN, ORANGE])),
            strokeDash=alt.StrokeDash("worker:N", title="worker"),
            tooltip=["worker:N", "period:N", when, alt.Tooltip("accuracy:Q", format=".1%")],
        )
    )


def calibration(records: Records) -> Chart:
    """Calibration error of each model: ``model``, ``ece`` as stated, ``ece_calibrated`` at its temperature."""
    import altair as alt

    long = [
        {"model": one["model"], "which": which, "error": one[name]}
        for one in records
        for which, name in (("as stated", "ece"), ("calibrated", "ece_calibrated"))
        if one[name] is not None
    ]
    base = _chart(long, height=_of_rows(len(records)))
    x = alt.X("error:Q", title="calibration error (%)", axis=alt.Axis(format="%"))
    y = alt.Y("model:N", title="model", sort=[one["model"] for one in records])
    return base.mark_line(color=GREY).encode(x=x, y=y, detail="model:N") + base.mark_point(
        filled=True, size=80, opacity=1
    ).encode(
        x=x,
        y=y,
        color=alt.Color("which:N", title="probabilities", scale=alt.Scale(range=[VERMILION, BLUE])),
        shape=alt.Shape("which:N", title="probabilities"),
        tooltip=["model:N", "which:N", alt.Tooltip("error:Q", format=".2%")],
    )


def reasons(records: Records) -> Chart:
    """Why items are not settled: ``reason``, ``items``."""
    import altair as alt

    return (
        _chart(records, height=_of_rows(len(records)))
        .mark_bar(color=ORANGE)
        .encode(
            x=alt.X("items:Q", title="items"),
            y=alt.Y("reason:N", title="reason", sort="-x", axis=alt.Axis(labelExpr=IN_WORDS)),
            tooltip=[alt.Tooltip("items:Q", format=",")],
        )
    )


def budget(records: Records) -> Chart:
    """What more judgments would bring: ``judgments``, ``accuracy`` expected of all labels."""
    import altair as alt

    return (
        _chart(records)
        .mark_line(color=BLUE, point=alt.OverlayMarkDef(color=BLUE, size=20))
        .encode(
            x=alt.X(
                "judgments:Q",
                title="more judgments, each where it saves most",
                axis=alt.Axis(format=",~f", tickMinStep=1),
            ),
            y=alt.Y(
                "accuracy:Q",
                title="expected accuracy of all labels (%)",
                axis=alt.Axis(format="~p"),
                scale=alt.Scale(zero=False),
            ),
            tooltip=[alt.Tooltip("judgments:Q", format=","), alt.Tooltip("accuracy:Q", format=".2%")],
        )
    )


def _chart(records: Records, width: int = WIDTH, height: int = HEIGHT) -> alt.Chart:
    import altair as alt

    return alt.Chart(alt.Data(values=records), width=width, height=height)


def _of_rows(n: int) -> int:
    """Height of a chart with ``n`` rows, in pixels."""
    return 22 * min(max(n, 1), MOST_BARS) + 20


def _unit() -> alt.Scale:
    import altair as alt

    return alt.Scale(domain=[0, 1])


def _coloured(field: str, names: list[str], colours: Mapping[str, str]) -> alt.Color:
    import altair as alt

    scale = alt.Scale(domain=names, range=[colours[name] for name in names])
    return alt.Color(f"{field}:N", title=field, scale=scale, legend=alt.Legend(symbolOpacity=1, labelExpr=IN_WORDS))
