"""The facts of a run as one HTML page: texts are escaped, data stands in the page as JSON, charts as Vega-Lite."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from consensus.inputs.counted import counted
from consensus.report import charts, class_shares, page_data, words
from consensus.worker_audit import VERDICTS

if TYPE_CHECKING:
    Facts = dict[str, Any]

SECTIONS = (
    ("warnings", "What to beware of"),
    ("input", "What went in"),
    ("labels", "Labels"),
    ("workers", "Workers"),
    ("models", "Models"),
    ("items", "Items"),
    ("escalation", "What to ask next"),
    ("agreement", "Agreement"),
    ("settings", "How it was made"),
)
REASONS_ABOUT = (
    "too_few: fewer judgments than an item needs; weak_workers: those who judged it tell little; disagreement: they "
    "contradict each other; expert: more judgments would not help; audit: drawn at random, to check."
)
NOT_KNOWN = "\N{EN DASH}"


def rendered(shown: Facts, told: dict[str, Any]) -> str:
    """The page. It depends on the facts and the summary alone: the same run gives the same bytes."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"shown": as_text, "sentence": sentence}
    specs = _specs(shown)
    sections = [one for one in SECTIONS if one[0] != "models" or shown["models"]]
    return environment.from_string(_asset("page.html")).render(
        **shown,
        **_said(shown, told),
        **_tables(told),
        told=told,
        sections=sections,
        verdicts=[name for name in VERDICTS if any(one["verdict"] == name for one in shown["workers"])],
        has_worker_chart="workers" in specs,
        has_calibration="calibration" in specs,
        css=Markup(_asset("page.css")),
        js=Markup(_asset("page.js")),
        vega=Markup(_vega()),
        data=Markup(as_json(_data(shown))),
        specs=Markup(as_json(specs)),
    )


def as_text(value: Any, kind: str) -> str:
    """A value of a table: ``text``, ``count``, ``percent`` or ``number``."""
    if value is None:
        return NOT_KNOWN if kind != "text" else ""
    if kind == "percent":
        return f"{100 * value:.1f}%"
    if kind == "count":
        return f"{value:,.0f}"
    return str(value) if kind == "text" else f"{value:.3g}"


def as_json(value: Any) -> str:
    """JSON that may stand in a script element: no ``<`` in it can open or close anything."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _specs(shown: Facts) -> dict[str, Any]:
    """Vega-Lite of the charts that have something to show."""
    calibrated = [one for one in shown["models"] if one["ece"] is not None]
    drawn = {
        "labels": (charts.label_shares, shown["labels"]),
        "shares": (charts.class_shares, shown["shares"]),
        "confidences": (charts.confidences, shown["confidences"]),
        "reliability": (charts.reliability, shown["reliability"]),
        "workers": (charts.workers, page_data.worker_points(shown["workers"])),
        "drift": (charts.drift, shown["drift_lines"]),
        "calibration": (charts.calibration, calibrated),
        "reasons": (charts.reasons, shown["reasons"]),
        "budget": (charts.budget, shown["budget"]),
    }
    return {name: chart(rows).to_dict(validate=False) for name, (chart, rows) in drawn.items() if rows}


def _data(shown: Facts) -> Facts:
    """What the page searches, sorts and opens."""
    people = shown["workers"]
    columns = list(people[0]) if people else []
    return {
        "labels": shown["all_labels"],
        "workers": {"columns": columns, "rows": [list(one.values()) for one in people]},
        "confusions": shown["confusions"],
        "evidence": shown["evidence"],
        "drift": {one["worker"]: one["reason"] for one in shown["drift"]},
        "items": shown["items"],
    }


def _said(shown: Facts, told: dict[str, Any]) -> Facts:
    """The words of the page."""
    said = words.paragraphs(told)
    counts, promise = told["counts"], told["quality"]
    status = counts["status"]
    share = f"{promise['accepted'] / promise['items']:.0%} of those without gold" if promise["items"] else ""
    measured = promise["gold"]["accepted"] if promise["audited"] else None
    error = "no error to state" if promise["expected_error"] is None else f"{promise['expected_error']:.1%}"
    listed = told["escalation"]["items_listed"]
    on_list = "on the list below" if listed >= status.get("escalate", 0) else f"{listed:,} of them on the list below"
    return {
        "title": ", ".join(counted(counts[f"{one}s"], one) for one in ("item", "label", "worker")),
        "promise": sentence(said["promise"][0]),
        "set_promise": [sentence(line) for line in said["promise"][1:]],
        "tiles": [
            ("judgments", f"{counts['judgments']:,}", f"{counts['judgments_per_item']:.2f} an item"),
            ("accepted", f"{promise['accepted']:,}", share),
            ("need more judgments", f"{status.get('escalate', 0):,}", on_list),
            ("wait for an expert", f"{status.get('expert', 0):,}", "more judgments won't help"),
            *unaudited(promise),
            (
                "wrong among the accepted",
                error,
                "expected, unaudited"
                if measured is None
                else f"expected; measured on gold {measured['measured_error']:.1%}",
            ),
        ],
        "balance": said["rows"][0],
        "counts": said["rows"][1],
        "column_lines": [sentence(line) for line in said["columns"]],
        "share_lines": [sentence(line) for line in class_shares.lines(told["class_shares"])],
        "label_lines": [sentence(line) for line in said["changes"]],
        "worker_lines": "".join(sentence(line) for line in said["verdicts"]),
        "model_lines": [sentence(line) for line in said["models"]],
        "escalation_lines": [sentence(line) for line in (*said["waiting"], *said["outlook"])]
        or ["Nothing: every item is settled."],
        "fit_line": " ".join(sentence(line) for line in (*said["fit"], *said["readings"], *said["calibration"])),
        "reasons_about": REASONS_ABOUT,
        "more_labels": ""
        if counts["labels"] <= len(shown["labels"])
        else f" The {len(shown['labels'])} most frequent of {counts['labels']:,} labels.",
    }


def unaudited(promise: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The tile of what is accepted beyond gold's reach, if there is any."""
    beyond = promise.get("beyond_gold")
    return [] if beyond is None else [("unaudited", f"{beyond['accepted']:,}", "settled, but beyond the reach of gold")]


def _tables(told: dict[str, Any]) -> Facts:
    """Files, settings and versions as records."""
    kinds = ("judgments", "model_votes", "gold")
    made = told["provenance"]
    return {
        "sources": [one | {"kind": kind.replace("_", " ")} for kind in kinds for one in made[kind]],
        "settings": [{"name": name, "value": _setting(value)} for name, value in told["settings"].items()],
        "versions": [{"name": name, "value": value} for name, value in made.items() if isinstance(value, str)],
    }


def _setting(value: Any) -> str:
    if value is None:
        return "not set"
    return " ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def sentence(line: str) -> str:
    """The same with a capital letter and a full stop."""
    return f"{line[:1].upper()}{line[1:]}{'' if line.endswith('.') else '.'}"


def _asset(name: str) -> str:
    return resources.files("consensus.report").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _vega() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script that loads nothing."""
    import vl_convert

    bundle = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # the stub knows of no default
    return bundle.replace("</script", "<\\/script")
