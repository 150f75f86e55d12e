"""The tables of the benchmark of attacks, and its acceptance figures: from one row a crowd."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from scipy.stats import binom

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.benchmarks import markdown_tables
    from tests.benchmarks.attacks_fits import ALARMS
else:  # run as a script, its own folder is on the path
    import markdown_tables
    from attacks_fits import ALARMS

TARGET = 0.95
"""The default target: of accepted items at most the rest may be wrong."""
SHOWN = 0.4
"""The share of hostile judgments that is shown closer, and held against the clean crowd."""
MOST_BELOW_MAJORITY, MOST_BELOW_CLEAN = 1.0, 3.0  # points
LEAST_WITH_SYBILS, LEAST_SPARED = 88.0, 0.95
MOST_LOST_BY_NEWCOMERS = 1.0
CHANGED = 1.0  # points
BY_CHANCE = 0.05
"""More wrong accepted items than the target allows are a miss where they would come by chance less often than so."""
LEAST_PRECISION, LEAST_RECALL = 0.95, 0.9
ROW = ["attack", "labels", "gold"]


@dataclass(frozen=True, slots=True)
class Figure:
    """An acceptance figure."""

    text: str
    met: bool
    misses: tuple[str, ...] = ()
    """The cells that miss, one line each."""

    def __str__(self) -> str:
        lines = [f"- {'met' if self.met else 'NOT MET'}: {self.text}", *(f"    - {one}" for one in self.misses)]
        return "\n".join(lines)


def cells(crowds: pd.DataFrame) -> pd.DataFrame:
    """One row a cell: means over its seeds, sums of counts, and codes with the number of crowds.

    Adds ``above``, ours less majority vote, and ``below``, the clean crowd less ours, both in points and with the worst
    seed beside (``above_worst``, ``below_worst``); and ``unwarned`` and ``unwarned_of``, wrong and accepted items of
    the crowds without a warning of ``ALARMS``.
    """
    alarmed = crowds["codes"].map(lambda codes: any(one in ALARMS for one in codes.split()))
    of = crowds.assign(
        above=crowds["ours"] - crowds["majority"],
        below=crowds["clean"] - crowds["ours"],
        unwarned=crowds["wrong"].where(~alarmed, 0),
        unwarned_of=crowds["accepted"].where(~alarmed, 0),
    )
    by = of.groupby([*ROW, "hostile"], sort=False)
    counts = ["n_items", "accepted", "wrong", "n_hostile", "named", "n_honest", "condemned", "unwarned", "unwarned_of"]
    means = by[["majority", "crowd_kit", "ours", "clean", "above", "below"]].mean()
    worst = {"worst": by["ours"].min(), "above_worst": by["above"].min(), "below_worst": by["below"].max()}
    codes = by["codes"].agg(" ".join)
    return means.join(by[counts].sum()).assign(**worst, codes=codes, seeds=by.size()).reset_index()


def name(cell: pd.Series[Any]) -> str:
    """A cell in words."""
    of_all = f"{cell['attack']}, {cell['labels']:.0f} labels, {gold_told(cell['gold'])}"
    return f"{of_all}, {100 * cell['hostile']:.0f} %"


def gold_told(gold: Any) -> str:
    return f"{100 * gold:.0f} % gold" if gold else "no gold"


def accuracy(table: pd.DataFrame) -> str:
    """Labels that are right by ours, by the share of hostile judgments; and beside what is shown closer, the others."""
    shares = sorted(table["hostile"].unique())
    shown = closer(shares)
    at = f"at {100 * shown:.0f} %: "
    head = ["attack, labels, gold", *(f"{100 * share:.0f} %" for share in shares)]
    rows = []
    for of in rows_of(table):
        one = at_share(of, shown)
        least: Any = of.sort_values("above").iloc[0]
        rows.append(
            [
                title(of),
                *(digit(at_share(of, share)["ours"]) for share in shares),
                *(digit(one[column]) for column in ("worst", "majority", "crowd_kit", "clean")),
                f"{least['above']:+.1f} ({100 * least['hostile']:.0f} %)",
            ]
        )
    others = ["worst crowd", "majority vote", "crowd-kit", "honest judgments alone"]
    return markdown_tables.table([*head, at + others[0], *others[1:], "least above majority"], rows)


def trust(table: pd.DataFrame) -> str:
    """What is accepted and wrong of it, who is named, and which warnings come."""
    shown = closer(sorted(table["hostile"].unique()))
    rows = []
    for of in rows_of(table):
        one = at_share(of, shown)
        wrong = (of["wrong"] / of["accepted"].where(of["accepted"] > 0)).set_axis(of["hostile"])
        worst = "" if wrong.isna().all() else f"{100 * wrong.max():.1f} ({100 * cast('float', wrong.idxmax()):.0f} %)"
        rows.append(
            [
                title(of),
                markdown_tables.share(one["accepted"], one["n_items"]),
                markdown_tables.share(one["wrong"], one["accepted"]),
                worst,
                markdown_tables.share(one["named"], one["n_hostile"]),
                f"{of['condemned'].sum()} of {of['n_honest'].sum():,}",
                codes_told(Counter(one["codes"].split()), int(one["seeds"])),
            ]
        )
    head = ["attack, labels, gold", f"at {100 * shown:.0f} %: accepted %", "wrong of them %", "most wrong (share)"]
    head += [f"hostile named % at {100 * shown:.0f} %", "honest condemned, all shares"]
    return markdown_tables.table([*head, f"warnings at {100 * shown:.0f} %, crowds"], rows)


def codes_told(codes: Counter[str], n: int) -> str:
    """Codes but ``unaudited``, which says no more than that there is no gold; with the number of ``n`` crowds."""
    some = [(code, count) for code, count in sorted(codes.items()) if code != "unaudited"]
    return ", ".join(f"`{code}`" if count == n else f"`{code}` {count}" for code, count in some)


def closer(shares: Sequence[float]) -> float:
    return SHOWN if SHOWN in shares else shares[-1]


def rows_of(table: pd.DataFrame) -> Iterable[pd.DataFrame]:
    """The cells of each row, in order."""
    for _, of in table.groupby(ROW, sort=False):
        yield of


def title(of: pd.DataFrame) -> str:
    one = of.iloc[0]
    return f"{one['attack']}, {one['labels']}, {gold_told(one['gold'])}"


def at_share(of: pd.DataFrame, share: float) -> pd.Series[Any]:
    return of[of["hostile"] == share].iloc[0]


def digit(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.1f}"


def of_sybils(crowds: pd.DataFrame) -> str:
    """Crowds of sybils at one share: accuracy, and honest workers condemned."""
    condemned = int((crowds["condemned"] > 0).sum())
    least = crowds["ours"].min()
    rows = [
        [f"{len(crowds)}", f"{crowds['ours'].mean():.1f} ({least:.1f})", digit(crowds["majority"].mean()), condemned]
    ]
    head = ["crowds", "labels right % (worst crowd)", "majority vote", "crowds with an honest worker condemned"]
    return markdown_tables.table(head, rows)


def of_newcomers(crowds: pd.DataFrame, before: pd.DataFrame | None = None) -> str:
    """Crowds with honest newcomers and no attack: accuracy, beside that of an earlier run where one is given."""
    rows = []
    for (n_labels, gold), of in crowds.groupby(["labels", "gold"], sort=False):
        row = [f"{n_labels} labels, {gold_told(gold)}", f"{of['ours'].mean():.2f} ({of['ours'].min():.1f})"]
        row.append(digit(of["majority"].mean()))
        row.append(f"{of['condemned'].sum()} of {of['n_honest'].sum():,}")
        if before is not None:
            lost = lost_since(of, before)
            row.append("" if lost.empty else f"{lost.mean():+.2f} ({lost.max():+.1f})")
        rows.append(row)
    head = ["", "labels right % (worst crowd)", "majority vote", "honest condemned"]
    return markdown_tables.table([*head, *(["points lost (worst crowd)"] if before is not None else [])], rows)


def lost_since(crowds: pd.DataFrame, before: pd.DataFrame) -> pd.Series[float]:
    """Points that each crowd lost since an earlier run, of the crowds that both have."""
    key = [*ROW, "hostile", "seed"]
    both = crowds.merge(before[[*key, "ours"]], on=key, suffixes=("", "_before"))
    return both["ours_before"] - both["ours"]


def of_cheats(crowds: pd.DataFrame) -> str:
    """Workers who know the gold: found by the verdict ``gold_aware``, and the items that they know."""
    rows = []
    for key, of in crowds.groupby(["labels", "cheats"], sort=False):
        n_labels, share = cast("tuple[int, float]", key)
        sums = of[["found", "false", "n_cheats", "leaked", "n_gold"]].sum()
        rows.append(
            [
                f"{n_labels} labels, {100 * share:.0f} % cheats",
                markdown_tables.share(sums["found"], sums["n_cheats"]),
                markdown_tables.share(sums["found"], sums["found"] + sums["false"]),
                int(sums["false"]),
                markdown_tables.share(sums["leaked"], sums["n_gold"]),
                digit(of["ours"].mean()),
            ]
        )
    head = ["", "recall %", "precision %", "honest ones named", "gold called leaked %", "labels right %"]
    return markdown_tables.table(head, rows)


def changes(crowds: pd.DataFrame, before: pd.DataFrame) -> str:
    """Cells whose accuracy is another one by ``CHANGED`` points or more than in an earlier run, on the same crowds."""
    key = [*ROW, "hostile"]
    both = crowds.merge(before[[*key, "seed", "ours"]], on=[*key, "seed"], suffixes=("", "_before"))
    means = both.groupby(key, sort=False)[["ours_before", "ours"]].mean().reset_index()
    means = means.assign(gain=means["ours"] - means["ours_before"])
    some = means[means["gain"].abs() >= CHANGED].sort_values("gain")
    rows = [
        [name(one), digit(one["ours_before"]), digit(one["ours"]), f"{one['gain']:+.1f}"] for _, one in some.iterrows()
    ]
    return markdown_tables.table(["cell", "before", "now", "points"], rows)


def of_table(table: pd.DataFrame) -> list[Figure]:
    """The figures that every cell is to meet."""
    with_gold = table[table["gold"] > 0]
    found = []
    if len(with_gold):
        low = with_gold[with_gold["above"] < -MOST_BELOW_MAJORITY].sort_values("above")
        misses = [
            f"{name(one)}: {one['above']:+.1f} points (worst seed {one['above_worst']:+.1f})"
            for _, one in low.iterrows()
        ]
        text = f"with gold at most {MOST_BELOW_MAJORITY:g} point below majority vote in {len(with_gold)} cells"
        found.append(Figure(f"{text}; {len(low)} miss", low.empty, tuple(misses)))
    for gold, of in table[table["hostile"] == SHOWN].groupby("gold", sort=False):
        far = of[of["below"] > MOST_BELOW_CLEAN].sort_values("below", ascending=False)
        misses = [
            f"{name(one)}: {one['below']:.1f} points (worst seed {one['below_worst']:.1f})" for _, one in far.iterrows()
        ]
        text = f"{gold_told(gold)}, {100 * SHOWN:.0f} % hostile: within {MOST_BELOW_CLEAN:g} points of the honest "
        text += f"judgments alone in {len(of)} cells; {len(far)} miss"
        found.append(Figure(text, far.empty, tuple(misses)))
    over = table[table["unwarned"] > (1.0 - TARGET) * table["unwarned_of"]]
    by_chance = [binom.sf(one["unwarned"] - 1, one["unwarned_of"], 1.0 - TARGET) for _, one in over.iterrows()]
    bad = over[np.array(by_chance) < BY_CHANCE].sort_values("unwarned", ascending=False)
    misses = [f"{name(one)}: {one['unwarned']} wrong of {one['unwarned_of']} accepted" for _, one in bad.iterrows()]
    text = f"of accepted items at most {100 * (1 - TARGET):.0f} % wrong where no warning says that labels may be, in "
    text += f"{len(table)} cells; {len(over)} are above, {len(bad)} of them by more than chance"
    found.append(Figure(text, bad.empty, tuple(misses)))
    return found


def figures_of_sybils(crowds: pd.DataFrame) -> list[Figure]:
    mean, spared = crowds["ours"].mean(), (crowds["condemned"] == 0).mean()
    text = f"sybils at 30 %, two labels, no gold: {mean:.1f} % right, at least {LEAST_WITH_SYBILS:g}"
    named = f"no honest worker with 30 judgments condemned in {100 * spared:.0f} % of these crowds, at least "
    return [
        Figure(text, bool(mean >= LEAST_WITH_SYBILS)),
        Figure(f"{named}{100 * LEAST_SPARED:.0f}", bool(spared >= LEAST_SPARED)),
    ]


def figures_of_newcomers(crowds: pd.DataFrame, before: pd.DataFrame) -> list[Figure]:
    found = []
    for (n_labels, gold), of in crowds.groupby(["labels", "gold"], sort=False):
        lost = lost_since(of, before).mean()
        text = f"honest newcomers, {n_labels} labels, {gold_told(gold)}: {lost:+.2f} points lost, at most "
        found.append(Figure(f"{text}{MOST_LOST_BY_NEWCOMERS:g}", bool(lost <= MOST_LOST_BY_NEWCOMERS)))
    return found


def figures_of_cheats(crowds: pd.DataFrame) -> list[Figure]:
    sums = crowds[["found", "false", "n_cheats"]].sum()
    recall = sums["found"] / max(sums["n_cheats"], 1)
    named = sums["found"] + sums["false"]
    precision = sums["found"] / named if named else 0.0
    text = f"gold-aware cheats: recall {recall:.2f}, at least {LEAST_RECALL:g}; precision {precision:.2f}, at least "
    return [Figure(f"{text}{LEAST_PRECISION:g}", bool(recall >= LEAST_RECALL and precision >= LEAST_PRECISION))]
