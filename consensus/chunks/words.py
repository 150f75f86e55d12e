"""A run over pictures in words: on screen and on the page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from consensus.chunks import listing, tables
from consensus.chunks.whole_run import unjudged
from consensus.found.cautions import Caution
from consensus.inputs.counted import counted
from consensus.inputs.understood import one_line
from consensus.report.terms import CONDEMNED, plain
from consensus.report.words import warning

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from consensus.chunks.evaluating import Evaluated
    from consensus.chunks.whole_run import ChunkRun

    Record = dict[str, Any]

TWO = 2  # masks of a picture: one differs from the other, and none is in the majority
MOST_NAMED = 5  # pictures, people or classes in one line
OF_PICTURES = (
    *("clusters_untold", "copies_majority", "models_only", "models_unverified", "near_chance", "not_converged"),
    *("one_label", "switch_risk", "trained_on_consensus", "unaudited"),
)
"""Codes of cautions about a fit that mean something where items are vote patterns of pictures."""
SAID = {
    "unaudited": "no gold masks were given: an expected IoU is what the model says, and nobody has measured it; paint "
    "a few pictures with great care, drawn at random, and give them with --gold",
    "clusters_untold": "fewer than 5 people painted two pictures or more, which is too few to tell how far the pixels "
    "of a picture err together: one counts as 20 independent judgments; have several people paint several pictures",
    "models_unverified": "too little of what models painted was painted by two people, too, so only the classes that "
    "these models paint count, not their probabilities; have two people paint more of the same pictures",
    "models_only": "no person painted any picture: a confidence only tells how far the models agree, and nothing shows "
    "mistakes that they share; have people paint some of the pictures, drawn at random",
    "not_converged": "the fit stopped before it converged, so that labels and confidences may not be final; look at "
    "the masks before you use them",
}
"""Messages in words of pictures, by code."""
LEAST_GAIN = 5e-4  # of an expected IoU that is told
ON_THE_LINE = 0.5  # pixels up to which outlines lie where those of the others do
SHARES, LOSSES = ("accuracy", "ece"), ("log_loss", "ece")
"""Scores that are told in per cent, and those of which more is worse."""
NOTICED = 1.0
"""Pixels from which it is worth to speak to somebody about their outlines."""


def lines(run: ChunkRun) -> list[str]:
    """A few lines that say what came in, what came out, and what to beware of."""
    return [*understood(run), *found(run), *map(warning, cautions(run))]


def understood(run: ChunkRun) -> list[str]:
    """What came in."""
    masks, images = run.masks, run.images
    n_masks = int(images["n_masks"].sum())
    parts = [
        counted(len(images), "picture"),
        f"{counted(n_masks, 'mask')} by {counted(len(masks.workers), 'person', 'people')}",
    ]
    if masks.models:
        parts.append(f"{counted(len(masks.models), 'model')} ({_some(masks.models)})")
    n_gold = sum(one.gold is not None for one in masks.pictures)
    if n_gold:
        parts.append(f"gold of {counted(n_gold, 'picture')}")
    n_clicks = sum(len(given) for chunks in run.clicks.values() for given in chunks.values())
    if n_clicks:
        waiting = f" ({run.n_waiting:,} of them await a second one)" if run.n_waiting else ""
        parts.append(f"{counted(n_clicks, 'click')}{waiting}")
    values = zip(masks.classes.labels, masks.classes.values.tolist(), strict=True)
    named = [f"{label} ({value})" if masks.classes.has_values else label for label, value in values]
    ground = run.labels[run.ground] if run.ground >= 0 else "no class"
    found = [", ".join(parts), f"classes: {_some(named, 20)}; the background is {ground}"]
    void = (run.inputs or {}).get("void")
    if void is not None:
        found.append(f"pixels of the value {void} are not judged")
    met = [f"{n:,} {what}" for what, n in sorted(masks.met().items())]
    return [*found, *masks.notes, *met]


def found(run: ChunkRun) -> list[str]:
    """What came out."""
    return [fit(run), *settled(run), *about_workers(run.workers)]


def about_workers(workers: pd.DataFrame) -> list[str]:
    """How people do, and whom to look at."""
    return [one for one in (verdicts(workers), people(workers)) if one]


def fit(run: ChunkRun) -> str:
    """How the fit ended."""
    ended, units = run.result.convergence, run.result.units
    assert units is not None
    n_patterns = sum(len(one.area) for one in run.counted)
    passes = counted(ended.iterations, "pass", "passes")
    said = f"converged after {passes}" if ended.converged else f"stopped after {passes} without converging"
    return (
        f"fit of {counted(n_patterns, 'vote pattern')}: {said}; the pixels of a picture count as {units.n_eff:.3g} "
        "independent judgments"
    )


def settled(run: ChunkRun) -> list[str]:
    """How many pictures are settled, and what brings the others there."""
    images, chunks = run.images, run.chunks
    status = images["status"].value_counts().to_dict()
    n, anew = status.get(tables.SETTLED, 0), status.get(tables.REPAINT, 0)
    told = [
        f"{n:,} of {counted(len(images), 'picture')} {'is' if n == 1 else 'are'} settled: expected foreground IoU "
        f"{run.config.target:g} or more; {mean(images['expected_foreground_iou'])} over all pictures"
    ]
    asked, n_chunks = clicks_to_ask(chunks)
    if asked:
        more = status.get(tables.BY_CLICKS, 0)
        told.append(
            f"{counted(asked, 'click')} on {counted(n_chunks, 'disputed chunk')} {'is' if asked == 1 else 'are'} "
            f"expected to bring it to {mean(images['foreground_iou_after_clicks'])}"
            + (f", and to settle {more:,} more" if more else "")
        )
    audited = int(chunks.loc[chunks["status"] == listing.AUDITED, "judgments"].sum())
    if audited:
        told.append(f"{counted(audited, 'click')} on chunks that nobody disputes, drawn at random to check them")
    if anew:
        names = images[images["status"] == tables.REPAINT].sort_values("expected_foreground_iou", kind="stable")[
            "image"
        ]
        told.append(
            f"{counted(anew, 'picture needs', 'pictures need')} more masks, or to be painted anew, since "
            f"{run.config.clicks:,} clicks are not expected to settle {'it' if anew == 1 else 'them'}: "
            f"{_some(names.tolist())}"
        )
    return told


def clicks_to_ask(chunks: pd.DataFrame) -> tuple[int, int]:
    """Clicks on disputed chunks that are asked for now, and on how many chunks."""
    asked = chunks.loc[chunks["status"] != listing.AUDITED, "judgments"]
    return int(asked.sum()), int((asked > 0).sum())


def mean(ious: pd.Series[float]) -> str:
    """The mean of what is known, as text."""
    known = ious.dropna()
    return f"{known.mean():.2f}" if len(known) else "unknown"


def verdicts(workers: pd.DataFrame) -> str:
    """How many people got which verdict."""
    of = workers.loc[workers["kind"] == "human", "verdict"].value_counts(sort=False).to_dict()
    few = of.pop("too_few", 0)
    parts = [f"{n} {plain(str(name))}" for name, n in of.items()]
    if few:
        parts.append(f"{few} with too few masks for a verdict")
    return f"workers: {', '.join(parts)}" if parts else ""


def people(workers: pd.DataFrame) -> str:
    """Whom to look at, and why."""
    told = []
    for one in in_question(workers):
        marks = [plain(one["verdict"])] if one["verdict"] in CONDEMNED else []
        bias = one["bias_px"]
        marks += [outlines(bias)] if bias is not None and abs(bias) >= NOTICED else []
        marks += [f"takes {one['confuses'].partition(':')[0]}"] if one["confuses"] is not None else []
        told.append(f"{one['worker']} ({', '.join(marks)})")
    return f"to look at: {_some(told)}" if told else ""


def in_question(workers: pd.DataFrame) -> list[Record]:
    """Painters with a bad verdict, who take one class for another, or whose outlines lie clearly off.

    Those come first whose masks are least like others.
    """
    found = []
    for one in records(workers):
        bias = one["bias_px"]
        is_off = bias is not None and abs(bias) >= NOTICED
        if one["kind"] == "human" and (one["verdict"] in CONDEMNED or one["confuses"] is not None or is_off):
            found.append(one)
    return sorted(
        found, key=lambda one: (one["verdict"] not in CONDEMNED, one["iou"] if one["iou"] is not None else 1.0)
    )


def outlines(bias: float | None) -> str:
    """Where somebody's outlines lie beside those of the others, as ``bias_px`` tells it."""
    if bias is None:
        return ""
    if abs(bias) < ON_THE_LINE:
        return "on the line"
    return f"paints {abs(bias):.1f} px too {'wide' if bias > 0 else 'narrow'}"


def cautions(run: ChunkRun) -> list[Caution]:
    """What to beware of: of the masks, and of the fit as far as it is about pictures, not about single patterns."""
    odd = [Caution("odd_masks", one_line(text)) for text in run.masks.cautions]
    empty = [name for name, one in zip(run.names, run.counted, strict=True) if not one.is_judged]
    if empty:
        odd.append(Caution("odd_masks", one_line(unjudged(empty))))
    few = sum(len(one.of_kind("human")) == TWO for one in run.counted)
    if few:
        odd.append(
            Caution(
                "few_masks",
                f"{counted(few, 'picture has', 'pictures have')} two masks: where these differ, only what the workers "
                "do elsewhere tells who is right; add a third mask, or click",
            )
        )
    if run.n_waiting:
        odd.append(
            Caution(
                "waiting_clicks",
                f"{counted(run.n_waiting, 'click does', 'clicks do')} not count yet: the chunks are large, or nobody "
                "painted there what they say; ask somebody else for a second click",
            )
        )
    kept = [one for one in run.result.warnings if one.code in OF_PICTURES]
    return odd + [replace(one, message=SAID.get(one.code, one.message)) for one in kept]


def steps(run: ChunkRun, out: str) -> list[str]:
    """What to do next."""
    told = []
    if int(run.chunks["judgments"].sum()):
        told.append(
            f"next: have the chunks of {out}/escalations.csv clicked, then consensus chunks answers {out} answers.csv "
            "(item, worker, label)"
        )
    elif (run.images["status"] == tables.REPAINT).any():
        told.append("next: have somebody else paint the pictures that need it, add the masks, and run it again")
    return told


def compared(before: Mapping[str, tuple[str, float]], run: ChunkRun) -> str:
    """What clicks brought, given status and expected foreground IoU of each picture ``before``."""
    images = run.images
    gained = [
        iou - before[name][1]
        for name, iou in zip(images["image"], images["expected_foreground_iou"].tolist(), strict=True)
        if iou == iou and before[name][1] == before[name][1]
    ]
    changed = [one for one in gained if abs(one) >= LEAST_GAIN]
    if not changed:
        return "the answers change the expected IoU of no picture"
    n = [
        sum(status == tables.SETTLED for status in of) for of in ([one for one, _ in before.values()], images["status"])
    ]
    return (
        f"the answers change the expected foreground IoU of {counted(len(changed), 'picture')}, by "
        f"{sum(changed) / len(changed):+.3f} on the mean; {n[0]:,} settled before, {n[1]:,} now"
    )


def scores(found: Evaluated) -> list[tuple[str, str, str, str]]:
    """Name of each score, over all pixels, mean over the pictures, and that of the worst picture, as texts."""
    told = []
    for name in list(found.images.columns)[2:]:
        each = found.images[name].dropna()
        worst = (each.max() if name in LOSSES else each.min()) if len(each) else None
        told.append((name, _score(name, found.pooled[name]), _score(name, found.means[name]), _score(name, worst)))
    return told


def _score(name: str, value: float | None) -> str:
    if value is None or value != value:
        return "-"
    return f"{100 * value:.2f} %" if name in SHARES else f"{value + 0.0:.4f}"


def evaluated(found: Evaluated) -> Record:
    """The same as JSON takes it, with all pictures and classes."""

    def known(given: Any) -> Record:
        return {name: None if value is None or value != value else value for name, value in given.items()}

    return {
        "pooled": known(found.pooled),
        "means": known(found.means),
        "images": records(found.images),
        "classes": records(found.classes),
    }


def records(table: pd.DataFrame) -> list[Record]:
    """Rows as plain records, with None where a value is missing."""
    return [
        {str(key): None if value != value or type(value).__name__ == "NAType" else value for key, value in one.items()}
        for one in table.astype(object).where(table.notna(), None).to_dict("records")
    ]


def _some(names: Any, most: int = MOST_NAMED) -> str:
    """A few names, and how many more there are."""
    shown = [one_line(str(one)) for one in names]
    more = f" and {len(shown) - most:,} more" if len(shown) > most else ""
    return f"{', '.join(shown[:most])}{more}"
