"""The facts of a run as one HTML page: texts are escaped, data stands in the page as JSON, charts as Vega-Lite."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from consensus.inputs.counted import counted
from consensus.report import charts, class_shares, guarding, page_data, page_words, terms, words
from consensus.report.charts_script import charts_script
from consensus.report.page_options import PageOptions

if TYPE_CHECKING:
    import jinja2

    Facts = dict[str, Any]

SECTIONS = (
    ("decisions", "What needs a decision"),
    ("costs", "Costs"),
    ("labels", "Labels"),
    ("workers", "Workers"),
    ("models", "Models"),
    ("items", "Items"),
    ("escalation", "What to ask next"),
    ("made", "How it was made"),
)
COLUMNS = ("accuracy", "agreement", "counts as", "confidence")  # that are explained where they stand
SCRIPTS = ("page.js", "workers.js", "items.js")
OF_OBJECTS = (
    *("__proto__", "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString"),
    *("toString", "valueOf", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__"),
)
LEAST_P = 0.001  # p-value that is told
NOT_KNOWN = "\N{EN DASH}"


def rendered(shown: Facts, told: dict[str, Any], options: PageOptions | None = None) -> str:
    """The page. It depends on the facts and the summary alone: the same run gives the same bytes."""
    from markupsafe import Markup

    options = options or PageOptions()
    shown, told = guarding.cleaned(shown), guarding.cleaned(told)
    css, vega = asset("page.css"), charts_script()
    js = "(() => {\n" + "\n".join(asset(name) for name in SCRIPTS) + "})();"
    specs = _specs(shown)
    sections = [one for one in SECTIONS if one[0] != "models" or shown["models"]]
    said = _said(shown, told)
    given = {} if options.title is None else {"title": guarding.cleaned(options.title), "subtitle": said["title"]}
    return (
        environment()
        .get_template("page.html")
        .render(
            **{**shown, **said, **given, **_tables(shown, told), **_meanings(shown)},
            told=told,
            sections=sections,
            has_worker_chart="workers" in specs,
            n_people=sum(one["kind"] == "human" for one in shown["workers"]),
            has_calibration="calibration" in specs,
            policy=guarding.policy(css, (vega, js)),
            css=Markup(css),
            js=Markup(js),
            vega=Markup(vega),
            data=Markup(as_json(_data(shown) | {"item_url": options.item_url})),
            specs=Markup(as_json(specs)),
        )
    )


def environment() -> jinja2.Environment:
    """The templates of the pages, by name, and what these do with values."""
    import jinja2

    made = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, loader=jinja2.FunctionLoader(asset))
    told = {"sentence": words.sentence, "named": terms.plain, "counted": counted}
    made.filters |= {"shown": as_text, "linked": quote, **told}
    return made


def as_text(value: Any, kind: str) -> str:
    """A value of a table: ``text``, ``name`` (in words), ``count``, ``percent``, ``money``, ``tiny`` or ``number``."""
    if value is None:
        return NOT_KNOWN if kind != "text" else ""
    if kind == "name":
        return terms.plain(value)
    if kind == "money":
        return f"{value:,.2f}"
    if kind == "tiny" and value < LEAST_P:
        return f"below {LEAST_P}"
    if kind == "percent":
        return f"{100 * value:.1f}%"
    if kind == "count":
        return f"{value:,.0f}"
    return str(value) if kind == "text" else f"{value:.3g}"


def as_json(value: Any) -> str:
    """JSON that may stand in a script element: no ``<`` in it can open or close anything."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _points(shown: Facts) -> list[Facts]:
    return page_data.some_points(page_data.worker_points(shown["workers"]))


def _specs(shown: Facts) -> dict[str, Any]:
    """Vega-Lite of the charts that have something to show."""
    calibrated = [one for one in shown["models"] if one["ece"] is not None]
    drawn = {
        "labels": (charts.label_shares, shown["labels"]),
        "shares": (charts.class_shares, shown["shares"]),
        "confidences": (charts.confidences, shown["confidences"]),
        "reliability": (charts.reliability, shown["reliability"]),
        "workers": (charts.workers, _points(shown)),
        "drift": (charts.drift, shown["drift_lines"]),
        "calibration": (charts.calibration, calibrated),
        "reasons": (charts.reasons, shown["reasons"]),
        "budget": (charts.budget, shown["budget"]),
    }
    return {name: chart(_drawable(rows)).to_dict(validate=False) for name, (chart, rows) in drawn.items() if rows}


def _drawable(rows: list[Facts]) -> list[Facts]:
    """The same with an invisible character before the names that every object of JavaScript has: no keys for Vega."""
    return [{key: f"\N{WORD JOINER}{one}" if one in OF_OBJECTS else one for key, one in row.items()} for row in rows]


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
        "urgency": list(page_data.WORST_FIRST),
        "verdicts": terms.VERDICTS,
        "statuses": terms.STATUSES,
        "words": {**terms.READINGS},
        "about": {"gold": terms.WORDS["gold"], **{name: terms.WORDS[name] for name in COLUMNS}},
    }


def _said(shown: Facts, told: dict[str, Any]) -> Facts:
    """The words of the page."""
    said = words.paragraphs(told)
    counts, fitted = told["counts"], [*said["fit"], *said["readings"], *said["calibration"]]
    return {
        "title": ", ".join(counted(counts[f"{one}s"], one) for one in ("item", "label", "worker")),
        "subtitle": "",
        "promise": page_words.usable(told["quality"]) + page_words.wrong_gold(shown["n_suspect"], told["quality"]),
        "set_promise": [words.sentence(line) for line in said["promise"][1:]],
        "tiles": page_words.tiles(told, len(shown["decisions"])),
        "balance": said["rows"][0],
        "counts": said["rows"][1],
        "column_lines": [words.sentence(line) for line in said["columns"]],
        "share_lines": [words.sentence(line) for line in class_shares.lines(told["class_shares"])],
        "label_lines": [words.sentence(line) for line in said["changes"]],
        "in_chart": "Every worker"
        if shown["n_workers"] <= page_data.MOST_POINTS
        else f"{counted(len(_points(shown)), 'worker')} of {shown['n_workers']:,}, with those who are to be stopped or "
        "trained,",
        "worker_lines": "".join(words.sentence(line) for line in said["verdicts"]),
        "model_lines": [words.sentence(line) for line in said["models"]],
        "escalation_lines": [words.sentence(line) for line in (*said["waiting"], *said["outlook"])]
        or ["Nothing: every item is settled."],
        "fit_line": " ".join(words.sentence(line) for line in fitted),
        **page_words.titles(shown, told),
        **page_words.some_labels(shown, told),
    }


def _meanings(shown: Facts) -> Facts:
    """What the names of values mean, of those that the page shows."""
    verdicts = [name for name in terms.VERDICTS if any(one["verdict"] == name for one in shown["workers"])]
    statuses = [name for name in terms.STATUSES if any(one["status"] == name for one in shown["items"])]
    reasons = {one["reason"] for one in shown["reasons"]}
    return {
        "verdicts": verdicts,
        "statuses": statuses,
        "item_labels": sorted({one["label"] for one in shown["items"] if one["label"] is not None}),
        "verdict_terms": [(terms.plain(one), terms.VERDICTS[one]) for one in verdicts]
        + [(one, terms.WORDS[one]) for one in COLUMNS[:3]],
        "status_terms": [(terms.plain(one), terms.STATUSES[one]) for one in statuses],
        "reason_terms": [(terms.plain(one), text) for one, text in terms.REASONS.items() if one in reasons],
    }


def _tables(shown: Facts, told: dict[str, Any]) -> Facts:
    """Labels by how weak they are, targets, files, settings and versions as records."""
    kinds = ("judgments", "model_votes", "gold")
    made = told["provenance"]
    weakest = sorted(shown["labels"], key=lambda one: (one["accepted_share"] is None, one["accepted_share"]))
    return {
        "weakest": [one | {"measured": page_words.measured(one)} for one in weakest],
        "targets": [
            one
            | {
                "named": f"{100 * one['target']:.3g}%{', as in this run' if one['own'] else ''}",
                "measured": page_words.measured(one),
            }
            for one in shown["targets"]
        ],
        "reading_columns": [
            (name, terms.READINGS[name], "text")
            for name in terms.READINGS
            if any(one.get(name) is not None for one in shown["disputed"])
        ],
        "sources": [one | {"kind": kind.replace("_", " ")} for kind in kinds for one in made[kind]],
        "settings": [
            {"name": f"--{name.replace('_', '-')}", "value": _setting(value)}
            for name, value in told["settings"].items()
        ],
        "versions": [{"name": name, "value": value} for name, value in made.items() if isinstance(value, str)],
    }


def _setting(value: Any) -> str:
    if value is None:
        return "not set"
    return " ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def asset(name: str) -> str:
    """The text of a template, script or style sheet."""
    return resources.files("consensus.report").joinpath("templates", name).read_text(encoding="utf-8")
