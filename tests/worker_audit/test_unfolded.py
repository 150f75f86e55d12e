"""Nobody is condemned for how they spell labels, or what they call them."""

import numpy as np
import pytest

from consensus import audit, fit
from consensus.inputs.judgments import Judgments
from consensus.worker_audit.accuracy import unfolded
from tests.strategies import encoded

SPELLED = {
    "case": str.upper,
    "space": "{} ".format,
    "no-break space": "\u00a0{}".format,
    "dot": "{}.".format,
    "full width": lambda label: "".join(chr(ord(c) + 0xFEE0) for c in label),
}


def crowd(others: dict[str, object], n_items: int = 60, right: float = 0.95) -> Judgments:
    """Six workers who are right alike; some write labels in their own way, by ``others``."""
    rng = np.random.default_rng(5)
    rows = []
    for i in range(n_items):
        true = "yes" if i % 2 else "no"
        for w in rng.permutation(6)[:4]:
            said = true if rng.random() < right else ("no" if true == "yes" else "yes")
            way = others.get(f"w{w}", str)
            rows.append((f"i{i:03}", f"w{w}", way(said)))  # type: ignore[operator]
    return encoded(rows)


def verdicts(judgments: Judgments) -> dict[str, tuple[str, str]]:
    table = audit(fit(judgments, model="dawid_skene"))
    each = zip(table["worker"], table["verdict"], table["reason"], strict=True)
    return {str(worker): (str(verdict), str(reason)) for worker, verdict, reason in each}


@pytest.mark.parametrize("way", SPELLED)
def test_who_spells_otherwise(way: str) -> None:
    found = verdicts(crowd({"w0": SPELLED[way]}))
    assert not {"spammer", "adversarial"} & {verdict for verdict, _ in found.values()}
    if way == "case":
        assert found["w0"][0] == "too_few"
        assert found["w0"][1].startswith(("uses “NO” where others use “no”: fold first; ", "uses “YES” where"))


def test_who_is_wrong_is_still_condemned() -> None:
    def turned(label: str) -> str:
        return {"yes": "no", "no": "yes"}[label]

    judgments = crowd({"w0": turned}, n_items=120)
    assert verdicts(judgments)["w0"][0] == "adversarial"
    stray = encoded(
        [
            *triples(judgments),
            ("j0", "w1", "Yes"),
            ("j0", "w2", "yes"),
        ]
    )
    assert verdicts(stray)["w0"][0] == "adversarial"


def triples(judgments: Judgments) -> list[tuple[str, str, str]]:
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    each = zip(judgments.item.tolist(), judgments.worker.tolist(), judgments.label.tolist(), strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in each]


@pytest.mark.parametrize(("n_spelled", "excused"), [(2, False), (10, False), (11, True)])
def test_spelling_has_to_explain_a_tenth_of_what_contradicts(n_spelled: int, excused: bool) -> None:
    """v says YES where w says yes on some items, and no on 94 others."""
    rows = [(f"s{i}", w, label) for i in range(n_spelled) for w, label in (("v", "YES"), ("w", "yes"))]
    rows += [(f"e{i}", w, label) for i in range(94) for w, label in (("v", "YES"), ("w", "no"))]
    assert (0 in unfolded.excuses(encoded(rows), np.arange(1))) == excused


def test_excuses() -> None:
    def renamed(label: str) -> str:
        return {"yes": "safe", "no": "unsafe"}[label]

    every = np.arange(6)
    assert unfolded.excuses(crowd({}), every) == {}
    assert unfolded.excuses(crowd({"w0": str.upper}), every[:0]) == {}
    found = unfolded.excuses(crowd({"w4": renamed, "w5": renamed}), every)
    assert found[4] == found[5] == "uses “safe” and “unsafe” where others use “no” and “yes”: map the names first"
    assert found[0] == "uses “no” and “yes” where others use “safe” and “unsafe”: map the names first"
    found = unfolded.excuses(crowd({"w5": "{}\u00a0".format}), np.array([5]))
    assert found[5] in {
        "uses “no\\u00a0” where others use “no”: fold first",
        "uses “yes\\u00a0” where others use “yes”: fold first",
    }


def test_long_lists_of_names_are_cut() -> None:
    rows = [(f"i{n}", w, f"{w}{n % 5}") for n in range(30) for w in "vw"]
    (found,) = unfolded.excuses(encoded(rows), np.array([1])).values()
    assert found.startswith("uses “w0” and “w1” and “w2” and 2 more where others use “v0” and “v1” and “v2” and 2 more")


@pytest.mark.parametrize("text", ["", " ", "NA", "skip", "?", "-"])
def test_who_skips(text: str) -> None:
    found = verdicts(crowd({"w0": lambda _: text}))
    assert found["w0"][0] == "too_few"
    rows = [(f"i{n}", w, text if w == "w" and n < 5 else "xy"[n % 2]) for n in range(10) for w in "vw"]
    told = unfolded.excuses(encoded(rows), np.array([0, 1]))
    assert told == {1: f"says “{text}” in 50%: pass --abstain if that means no answer"}
    rows = [(item, w, "x" if item == "i0" else label) for item, w, label in rows]
    assert unfolded.excuses(encoded(rows), np.array([0, 1])) == {}


def team(name: str, labels: tuple[str, str], items: range, prefix: str, seed: int) -> list[tuple[str, str, str]]:
    """Four workers who are right on 85 %, and what they call two labels."""
    rng = np.random.default_rng(seed)
    return [
        (f"{prefix}{i:03}", f"{name}{w}", labels[(i % 2) ^ int(rng.random() > 0.85)]) for i in items for w in range(4)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_a_team_with_names_of_its_own_gets_no_verdict_for_it(seed: int) -> None:
    """On the same items all that could be said is about names; on items of their own they are rated as usual."""
    ours = team("a", ("toxic", "ok"), range(60), "q", seed)
    same = encoded([*ours, *team("b", ("unsafe", "safe"), range(60), "q", seed + 10)])
    assert {verdict for verdict, _ in verdicts(same).values()} <= {"too_few", "good"}
    apart = verdicts(encoded([*ours, *team("b", ("unsafe", "safe"), range(60), "r", seed + 10)]))
    assert {verdict for verdict, _ in apart.values()} == {"good"}


def test_who_is_faulted_for_less_is_excused_where_others_call_labels_otherwise() -> None:
    ours = team("a", ("toxic", "ok"), range(60), "q", 0)
    same = encoded([*ours, *team("b", ("unsafe", "safe"), range(60), "q", 1)])
    apart = encoded([*ours, *team("b", ("unsafe", "safe"), range(60), "r", 1)])
    few = encoded([*ours, *team("b", ("unsafe", "safe"), range(60), "r", 1), ("r000", "a0", "ok")])
    none, every = np.zeros(0, np.int64), np.arange(8)
    assert set(unfolded.excuses(same, none, every)) == set(range(8))
    assert unfolded.excuses(same, none, every)[0].endswith("where others use “safe” and “unsafe”: map the names first")
    assert unfolded.excuses(apart, none, every) == {}
    assert unfolded.excuses(few, none, every[:1]) == {}
    assert unfolded.excuses(apart, none, none) == {}
