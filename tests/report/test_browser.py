"""report.html in a real browser: nothing fails, nothing is loaded, everything that can be clicked works.

They need Chromium and Playwright (``pip install '.[browser]'``), and skip with a reason elsewhere. Where
``CONSENSUS_AXE`` names the file axe.min.js (npm package axe-core), the page is also checked for accessibility.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from consensus import fit, read, read_gold, simulate
from consensus.report import page
from consensus.runs import Run
from tests.conftest import DIGITS, csv

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (extra: browser)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
EVIL = ("<img src=x onerror=alert(1)>", "=HYPERLINK(1)", "</script><b>", "constructor")


class Opened:
    """A page, and what went wrong with it."""

    def __init__(self, browser: Any, path: Path, **context: Any) -> None:
        self.page = browser.new_context(**context).new_page()
        self.wrong: list[str] = []
        self.page.on("console", lambda one: self.wrong.append(one.text) if one.type in {"error", "warning"} else None)
        self.page.on("pageerror", lambda one: self.wrong.append(str(one)))
        self.page.on("dialog", lambda one: self.wrong.append(f"dialog {one.message}"))
        self.page.on("request", lambda one: self._requested(one.url, path))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-drawn]", timeout=30_000)

    def _requested(self, url: str, path: Path) -> None:
        if url != path.as_uri() and not url.startswith("data:"):
            self.wrong.append(f"loaded {url}")

    def rows(self) -> list[str]:
        """First column of the table of workers."""
        return list(self.page.locator("#worker-table tbody tr td:first-child").all_inner_texts())


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        made = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield made
        made.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write the report of some judgments."""

    def _written(name: str, judgments: Any, **given: Any) -> Path:
        path = tmp_path_factory.mktemp("page") / f"{name}.html"
        path.write_bytes(page.made(Run.of(fit(judgments, **given))))
        return path

    return _written


@pytest.fixture(scope="module")
def digits(written: Callable[..., Path]) -> Path:
    return written("digits", read(DIGITS / "judgments.csv"), gold=read_gold(DIGITS / "gold.csv"))


def test_everything_that_can_be_clicked(browser: Any, digits: Path) -> None:
    opened = Opened(browser, digits)
    tab = opened.page
    assert tab.locator(".chart svg").count() == 8
    assert len(opened.rows()) == 36

    tab.click("#worker-table th button:has-text('accuracy')")
    best = opened.rows()[0]
    tab.click("#worker-table th button:has-text('accuracy')")
    assert opened.rows()[0] != best
    assert tab.locator("#worker-table th[aria-sort=ascending]").inner_text().startswith("accuracy")
    tab.fill("#worker-search", "w0")
    assert len(opened.rows()) == 9
    tab.fill("#worker-search", "")
    tab.select_option("#worker-verdict", "spammer")
    assert tab.locator("#worker-count").inner_text() == "3 of 36 workers"
    tab.select_option("#worker-verdict", "")

    tab.click("#worker-table a:has-text('w14')")
    playwright.expect(tab.locator("#worker-detail h3")).to_have_text("w14")  # an address is followed a moment later
    detail = tab.locator("#worker-detail").inner_text()
    assert "careless since 2025-03-19: right on 43%" in detail
    assert "careless: careless" not in detail
    assert not {"100.0%", "0.0%"} & set(
        tab.locator("#worker-detail td[data-title='chance to be right']").all_inner_texts()
    )
    assert "right on 84% before 2025-03-13" in detail
    assert tab.locator("#worker-detail .matrix tbody td").count() == 100
    assert "against" in detail

    tab.fill("#item-search", "digit_0002")
    tab.click("#item-table tbody a")
    playwright.expect(tab.locator("#item-detail h3")).to_have_text("digit_0002")
    item = tab.locator("#item-detail").inner_text()
    assert re.search(r"Label 7, before 4\. Confidence 4\d\.\d\d%\. Status: escalate\.", item)
    assert "then 4 wins" in item
    assert re.search(r"\N{MULTIPLICATION SIGN} 3\.\d for", item)
    tab.click("#item-detail a:has-text('w16')")
    playwright.expect(tab.locator("#worker-detail h3")).to_have_text("w16")
    tab.fill("#item-search", "")
    tab.select_option("#item-status", "needs_expert")
    assert tab.locator("#item-count").inner_text() == "4 of 1,797 items"
    tab.select_option("#item-label", "9")
    assert tab.locator("#item-table tbody tr").count() <= 4
    assert opened.wrong == []


def test_addresses_that_can_be_sent(browser: Any, digits: Path) -> None:
    """A link from elsewhere opens the worker or the item; one inside the page does, and back leads back."""
    opened = Opened(browser, digits)
    tab = opened.page
    tab.goto(f"{digits.as_uri()}#worker=w14")
    tab.reload()
    tab.wait_for_selector("html[data-drawn]")
    playwright.expect(tab.locator("#worker-detail h3")).to_have_text("w14")
    tab.click("#decisions a[href='#worker=w32']")
    playwright.expect(tab.locator("#worker-detail h3")).to_have_text("w32")
    tab.click("#escalation table a >> nth=0")
    first = tab.locator("#escalation table a >> nth=0").inner_text()
    playwright.expect(tab.locator("#item-detail h3")).to_have_text(first)
    tab.go_back()
    assert tab.evaluate("location.hash") == "#worker=w32"
    tab.goto(f"{digits.as_uri()}#item=nothing")
    tab.wait_for_timeout(200)
    playwright.expect(tab.locator("#item-detail")).to_contain_text("is not among those that the page shows")


def test_nothing_is_read_in_a_box(browser: Any, digits: Path) -> None:
    """The page scrolls, and nothing in it does."""
    opened = Opened(browser, digits)
    scrolls = "/auto|scroll/.test(getComputedStyle(e).overflowY) && e.scrollHeight > e.clientHeight + 1"
    boxes = f"[...document.querySelectorAll('main *')].filter(e => {scrolls}).length"
    assert opened.page.evaluate(boxes) == 0


def test_dark_and_phone(browser: Any, digits: Path) -> None:
    opened = Opened(browser, digits, color_scheme="dark", viewport={"width": 390, "height": 844})
    tab = opened.page

    def paper() -> str:
        return str(tab.evaluate("getComputedStyle(document.body).backgroundColor"))

    dark = paper()
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    sideways = "e.clientWidth && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === 'auto'"
    tab.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    tab.click("#decisions a:has-text('w14')")
    playwright.expect(tab.locator("#worker-detail h3")).to_have_text("w14")  # with a matrix of ten labels
    assert tab.evaluate(f"[...document.querySelectorAll('main *')].filter(e => {sideways}).length") == 0
    tab.click("#theme")
    assert tab.locator("#theme").inner_text() == "Dark"
    tab.wait_for_timeout(500)
    assert paper() != dark
    tab.reload()
    tab.wait_for_selector("html[data-drawn]")
    assert paper() != dark
    assert opened.wrong == []


def test_ids_are_text(browser: Any, written: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "evil.csv"
    rows = [
        (f'"{item}"', f'"{worker}"', f'"{EVIL[(i + w // 3) % 2]}"')
        for i, item in enumerate(EVIL)
        for w, worker in enumerate(EVIL)
    ]
    path.write_text(csv(rows))
    opened = Opened(browser, written("evil", read(path)))
    tab = opened.page
    assert set(opened.rows()) == set(EVIL)
    for worker in EVIL:
        tab.locator("#worker-table tbody a", has_text=worker).first.click()
        playwright.expect(tab.locator("#worker-detail h3")).to_have_text(worker)
    for item in EVIL:
        tab.fill("#item-search", item)
        tab.locator("#item-table tbody a", has_text=item).first.click()
        playwright.expect(tab.locator("#item-detail h3")).to_have_text(item)
    assert tab.locator("img").count() == 0
    assert opened.wrong == []


def test_long_ids_and_labels_that_are_words_of_the_language(
    browser: Any, written: Callable[..., Path], tmp_path: Path
) -> None:
    long, labels = "x" * 3_000, ("__proto__", "constructor")
    path = tmp_path / "long.csv"
    path.write_text(csv([(item, who, labels[i % 2]) for i, item in enumerate([long, *"abcd"]) for who in ("y", long)]))
    opened = Opened(browser, written("long", read(path)), viewport={"width": 390, "height": 844})
    tab = opened.page
    for kind in ("worker", "item"):
        tab.evaluate(f"location.hash = '#{kind}={long}'")
        tab.wait_for_selector(f"#{kind}-detail:not([hidden])")
        playwright.expect(tab.locator(f"#{kind}-detail h3")).to_have_text(long)
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for chart in ("workers", "labels"):
        assert tab.locator(f"#chart-{chart} svg").count() == 1
    named = tab.locator("#chart-labels svg text").all_text_contents()
    assert {f"\N{WORD JOINER}{name}" for name in labels} <= set(named)
    assert tab.locator("#chart-labels .mark-rect path").count() == 4  # bars and ticks
    assert opened.wrong == []


def test_models_keep_their_names_and_only_people_are_linked(browser: Any, written: Callable[..., Path]) -> None:
    drawn = simulate(60, 6, 2, 3, seed=2)
    votes = drawn.truth_table().assign(model="gpt_4_x")
    people = drawn.judgments_table()
    people["worker"] = people["worker"].replace({people["worker"].iloc[0]: "everyone"})
    opened = Opened(browser, written("models", people, model_votes=votes))
    tab = opened.page
    tab.evaluate(f"location.hash = '#item={people['item'].iloc[0]}'")
    tab.wait_for_selector("#item-detail:not([hidden])")
    who = tab.locator("#item-detail td:first-child").all_inner_texts()
    assert "model gpt_4_x" in who
    assert who.count("everyone") == 2
    assert tab.locator("#item-detail td:first-child a", has_text="everyone").count() == 1
    assert opened.wrong == []


def test_without_gold_and_of_many(browser: Any, written: Callable[..., Path]) -> None:
    opened = Opened(browser, written("many", simulate(20_000, 2_500, 4, 5, spammers=0.1, seed=1).judgments))
    tab = opened.page
    assert "unaudited" in tab.locator(".promise").inner_text()
    assert len(opened.rows()) == 50
    tab.click("#worker-more")
    assert len(opened.rows()) == 250
    tab.locator("#worker-table tbody a").last.click()
    playwright.expect(tab.locator("#worker-detail")).to_be_visible()
    assert opened.wrong == []


@pytest.mark.skipif("CONSENSUS_AXE" not in os.environ, reason="CONSENSUS_AXE does not name axe.min.js")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_axe_finds_nothing_serious(browser: Any, digits: Path, scheme: str, width: int) -> None:
    opened = Opened(browser, digits, color_scheme=scheme, viewport={"width": width, "height": 844}, bypass_csp=True)
    tab = opened.page
    tab.click("#worker-table a:has-text('w14')")
    tab.fill("#item-search", "digit_0002")
    tab.click("#item-table tbody a")
    tab.add_script_tag(path=os.environ["CONSENSUS_AXE"])
    found = tab.evaluate("axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes.length]))")
    assert [one for one in found if one[0] in {"serious", "critical"}] == []


def test_the_policy_lets_nothing_else_run_or_load(browser: Any, digits: Path) -> None:
    opened = Opened(browser, digits)
    tab = opened.page
    assert opened.wrong == []
    tab.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.hit = 1'}))")
    assert tab.evaluate("window.hit") is None
    assert tab.evaluate("fetch('https://example.org/').then(() => 'loaded', () => 'refused')") == "refused"
    tab.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://example.org/x.png'}))")
    told = " ".join(opened.wrong)
    assert all(f"'{one}" in told or f'"{one}' in told for one in ("script-src", "default-src", "img-src"))
    assert tab.evaluate("document.body.lastChild.naturalWidth") == 0


def test_what_a_chart_tells_shows_when_it_is_pointed_at(browser: Any, digits: Path) -> None:
    opened = Opened(browser, digits)
    opened.page.locator("#chart-labels svg .mark-rect path").first.hover()
    opened.page.wait_for_selector("#vg-tooltip-element.visible", timeout=5_000)
    assert opened.page.locator("#vg-tooltip-element td.value").count() > 0
    assert opened.wrong == []
