"""report.html of a run over pictures: one page that loads nothing, with the worst pictures to look at."""

from __future__ import annotations

import base64
import importlib.metadata
import platform
from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from consensus.chunks import listing, tables, words
from consensus.inputs.counted import counted
from consensus.report import charts, guarding, rendering, terms
from consensus.version import VERSION

if TYPE_CHECKING:
    from consensus.chunks.gallery import Gallery, Shown
    from consensus.chunks.whole_run import ChunkRun

    Facts = dict[str, Any]

FILE = "report.html"
MOST_BYTES = 4_500_000  # of the page, so that it can be mailed
MOST_PICTURES = 48
MOST_ROWS = 100  # of a table
SECTIONS = (
    ("todo", "What to do"),
    ("pictures", "The pictures"),
    ("anew", "Which need more masks"),
    ("workers", "The workers"),
    ("classes", "The classes"),
    ("made", "How it was made"),
)
STATUS = {tables.SETTLED: "settled", tables.BY_CLICKS: "clicks will do", tables.REPAINT: "needs more masks"}
"""What is said of a picture, by its status."""
COLUMNS = (
    ("outlines", "How far their outlines lie outside of those of the others, or inside, in pixels."),
    ("IoU with the others", "How much of what they and the others painted is the same: 1 all, 0 nothing."),
    ("missed parts", "Parts that the others painted, of which they painted less than a tenth."),
    ("extra parts", "Parts that they painted, of which the others painted less than a tenth."),
    ("counts as", "How many independent judgments their pixels count for: those of one picture err together."),
)
LIBRARIES = ("numpy", "numba", "pandas", "pillow")


def made(run: ChunkRun, gallery: Gallery, out: str) -> bytes:
    """The page of a run, with what its ``gallery`` took; ``out`` is what its folder is called in commands.

    Raises
    ------
    OutputError
        The extra ``report`` is not installed.
    """
    charts.check()
    facts = collected(run, gallery, out)
    pictures = gallery.shown()
    for part in (1.0, 0.5, 0.25, 0.1, 0.0):
        shown = pictures[: max(round(part * len(pictures)), min(len(pictures), 1))]
        page = rendered(facts | _pictures(run, shown)).encode()
        if len(page) <= MOST_BYTES:
            break
    return page


def rendered(facts: Facts) -> str:
    """The page; all texts are escaped."""
    from markupsafe import Markup

    facts = guarding.cleaned(facts)
    views = sorted({view["id"] for one in facts["pictures"] for view in one["views"]})
    chosen = "".join(
        f'.picture:has(input[value="{one}"]:checked) [data-view="{one}"] {{ visibility: visible; }}\n' for one in views
    )
    css = rendering.asset("page.css") + rendering.asset("chunks.css") + chosen
    return (
        rendering.environment()
        .get_template("chunks.html")
        .render(
            **facts,
            told={"provenance": {"consensus": VERSION}},
            version=VERSION,
            sections=[one for one in SECTIONS if one[0] != "anew" or facts["anew"]],
            policy=guarding.policy(css),
            css=Markup(css),
        )
    )


def collected(run: ChunkRun, gallery: Gallery, out: str) -> Facts:
    """Everything that the page shows but for the pictures, as plain records."""
    images, workers = run.images, words.records(run.workers)
    anew = words.records(
        images[images["status"] == tables.REPAINT].sort_values("expected_foreground_iou", kind="stable")
    )
    verdicts = {one["verdict"] for one in workers}
    return {
        "title": _title(run),
        "subtitle": words.understood(run)[0],
        "promise": _promise(run),
        "n_gold": sum(one.gold is not None for one in run.masks.pictures),
        "tiles": _tiles(run),
        "todo": _todo(run, out),
        "warnings": [(one.code, one.message) for one in words.cautions(run)] + _lost(gallery),
        "legend": [
            {"label": label, "colour": "#" + bytes(colour).hex()}
            for code, (label, colour) in enumerate(zip(run.labels, gallery.colours.tolist(), strict=True))
            if code != run.ground
        ],
        "anew": anew[:MOST_ROWS],
        "anew_line": f"Clicks are not expected to bring {counted(len(anew), 'picture')} to an IoU of "
        f"{run.config.target:g}: the masks share an error, or there are too many disputes. Have somebody else paint "
        "them, and add the masks." + _left_out(len(anew), "images.csv"),
        "workers_line": "".join(f"{line[:1].upper()}{line[1:]}. " for line in words.about_workers(run.workers)),
        "workers": [_worker(one) for one in sorted(workers, key=_worst_first)[:MOST_ROWS]],
        "workers_caption": "Workers, worst first; all numbers stand in workers.csv" + _left_out(len(workers), ""),
        "terms": [(terms.plain(one), text) for one, text in terms.VERDICTS.items() if one in verdicts] + [*COLUMNS],
        "classes": _classes(run, gallery),
        "made": [*words.understood(run), words.fit(run)],
        "settings": _settings(run),
        "versions": [
            {"name": "consensus", "value": VERSION},
            {"name": "Python", "value": platform.python_version()},
            *({"name": name, "value": importlib.metadata.version(name)} for name in LIBRARIES),
        ],
    }


def _title(run: ChunkRun) -> str:
    n, of = int((run.images["status"] == tables.SETTLED).sum()), len(run.images)
    return f"{n:,} of {counted(of, 'picture')} {'is' if n == 1 else 'are'} settled"


def _promise(run: ChunkRun) -> str:
    """What that means, what nobody measured, and what brings the others there."""
    now = words.mean(run.images["expected_foreground_iou"])
    told = [f"settled is a picture with an expected foreground IoU of {run.config.target:g} or more; the mean is {now}"]
    told += words.settled(run)[1:2]
    is_gold = any(one.gold is not None for one in run.masks.pictures)
    told.append(
        "where there is gold, the true mask is known"
        if is_gold
        else "nothing has measured it: there are no gold masks, so it is what the model expects"
    )
    return " ".join(f"{line[:1].upper()}{line[1:]}." for line in told)


def _tiles(run: ChunkRun) -> list[tuple[str, str, str]]:
    """The numbers in large type: name, number, what to know about it."""
    images, chunks = run.images, run.chunks
    status = images["status"].value_counts().to_dict()
    anew, (asked, _) = status.get(tables.REPAINT, 0), words.clicks_to_ask(chunks)
    brings = status.get(tables.BY_CLICKS, 0)
    pixels = (images["height"] * images["width"]).astype(float)
    wrong = float((images["uncertain_share"] * pixels).sum() / pixels.sum())
    now, then = (words.mean(images[name]) for name in ("expected_foreground_iou", "foreground_iou_after_clicks"))
    return [
        ("pictures settled", f"{status.get(tables.SETTLED, 0):,}", f"of {len(images):,}"),
        ("expected foreground IoU", now, f"{then} after the clicks; target {run.config.target:g}"),
        ("clicks to ask for", f"{asked:,}", f"expected to settle {brings:,} more" if asked else "nothing to ask"),
        ("need more masks", f"{anew:,}", "clicks won't settle them" if anew else "no picture"),
        ("expected wrong pixels", f"{wrong:.1%}", "of all"),
        ("people to look at", f"{len(words.in_question(run.workers)):,}", f"of {len(run.masks.workers):,}"),
    ]


def _todo(run: ChunkRun, out: str) -> list[tuple[str, str, str]]:
    """What to do, in this order: title, words, command."""
    chunks = run.chunks
    found: list[tuple[str, str, str]] = []
    listed = chunks[chunks["judgments"] > 0]
    if len(listed):
        n_audited = int((listed["status"] == listing.AUDITED).sum())
        drawn = f", {n_audited:,} of them drawn at random to check the others" if n_audited else ""
        found.append(
            (
                f"Have {counted(len(listed), 'chunk')} clicked.",
                f"They stand in escalations.csv, those first that repair most, with the labels to choose from{drawn}. "
                "Bring the answers back as a table of item, worker, label.",
                f"consensus chunks answers {out} answers.csv",
            )
        )
    anew = int((run.images["status"] == tables.REPAINT).sum())
    if anew:
        found.append(
            (
                f"Have {counted(anew, 'picture')} painted by somebody else, too.",
                "Clicks alone are not expected to settle them. Add the masks to the manifest, and run it again.",
                "",
            )
        )
    people = words.in_question(run.workers)
    if people:
        found.append(
            (
                f"Look at {counted(len(people), 'person', 'people')}.",
                words.people(run.workers).partition(": ")[2] + ".",
                "",
            )
        )
    return found


def _lost(gallery: Gallery) -> list[tuple[str, str]]:
    missing = gallery.missing
    if not missing:
        return []
    return [
        ("pictures", f"{counted(len(missing), 'picture')} can't be shown, such as {missing[0]}: not found, or damaged")
    ]


def _pictures(run: ChunkRun, shown: list[Shown]) -> Facts:
    """The pictures of the page."""
    rows = words.records(run.images)
    of = len(rows)
    every = "All pictures" if len(shown) == of else f"The {len(shown):,} worst of {counted(of, 'picture')}"
    return {
        "pictures": [_picture(run, one, rows[one.number]) for one in shown],
        "pictures_line": f"{every}, those first that are expected to be worst. Lines are the outlines of the merged "
        "classes; choose below a picture what lies upon it: how unsure each pixel is, or what one person painted.",
    }


def _picture(run: ChunkRun, one: Shown, row: Facts) -> Facts:
    status, needed = row["status"], row["clicks_to_target"]
    iou = row["expected_foreground_iou"]
    expected = "no class is painted" if iou is None else f"expected foreground IoU {iou:.2f}"
    n_disputed = row["n_chunks_disputed"]
    painted = [label for label in run.labels if row[f"expected_iou_{label}"] is not None]
    by_clicks = f", {counted(needed, 'click')} expected" if status == tables.BY_CLICKS else ""
    views = [
        {"id": "merged", "name": "merged", "source": _data(one.merged)},
        {"id": "unsure", "name": "how unsure", "source": _data(one.unsure)},
        *(
            {"id": f"p{n}", "name": _painter(painter.name, painter.kind), "source": _data(painter.outlines)}
            for n, painter in enumerate(one.painters)
        ),
    ]
    return {
        "number": one.number,
        "name": row["image"],
        "status": status,
        "status_words": STATUS[status],
        "about": f"{expected}; {counted(row['n_masks'], 'mask')}, {counted(n_disputed, 'disputed chunk')}{by_clicks}",
        "height": one.height,
        "width": one.width,
        "picture": _data(one.picture, "jpeg"),
        "alt": ("" if one.is_there else "The picture was not found. ")
        + f"{row['image']} with outlines of {', '.join(painted) or 'nothing'}; {counted(n_disputed, 'part')} disputed.",
        "views": views,
        "n_more": one.n_more,
    }


def _painter(name: str, kind: str) -> str:
    return "gold" if kind == "gold" else name if kind == "human" else f"model {name}"


def _worker(one: Facts) -> Facts:
    low, high = one["accuracy_low"], one["accuracy_high"]
    is_click = one["bias_px"] is None and one["iou"] is None
    return {
        **one,
        "lines": words.outlines(one["bias_px"]) if not is_click else "",
        "reason": "" if one["verdict"] == "too_few" else one["reason"],
        "range": "" if low is None or high is None else f"{100 * low:.0f}% to {100 * high:.0f}%",
    }


def _worst_first(one: Facts) -> tuple[bool, bool, float]:
    return (
        one["verdict"] not in terms.CONDEMNED,
        one["kind"] != "human",
        1.0 if one["iou"] is None else one["iou"],
    )


def _classes(run: ChunkRun, gallery: Gallery) -> list[Facts]:
    """What is known of each class, in their order."""
    images, chunks = run.images, run.chunks
    disputed = words.records(chunks[chunks["status"] != listing.AUDITED])
    of, pairs = Counter[str](), Counter[tuple[str, str]]()
    for one in disputed:
        first, second = one["label"], one["runner_up"]
        of.update({first, second} - {None})
        if second is not None:
            pairs.update([(first, second), (second, first)])
    shares = gallery.expected_area / gallery.expected_area.sum()
    found = []
    for code, label in enumerate(run.labels[:MOST_ROWS]):
        ious = images[f"expected_iou_{label}"].dropna()
        against = Counter({second: n for (first, second), n in pairs.items() if first == label}).most_common(1)
        found.append(
            {
                "label": label,
                "share": float(shares[code]),
                "n_images": len(ious),
                "expected_iou": float(ious.mean()) if len(ious) else None,
                "n_disputed": of[label],
                "confused": f"{against[0][0]} ({against[0][1]:,})" if against else "",
            }
        )
    return found


def _settings(run: ChunkRun) -> list[Facts]:
    """Settings, and the names of files without their folders, which tell of a machine."""
    told: dict[str, Any] = run.config.model_dump(mode="json", exclude={"threads"}) | dict(run.inputs or {})
    return [{"name": name, "value": _named(value)} for name, value in told.items() if value not in (None, [], False)]


def _named(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_named, value))
    return PurePath(value).name if isinstance(value, str) else str(value)


def _left_out(n: int, file: str) -> str:
    if n <= MOST_ROWS:
        return ""
    return f" {MOST_ROWS} of {n:,} are shown{f'; all stand in {file}' if file else ''}."


def _data(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
