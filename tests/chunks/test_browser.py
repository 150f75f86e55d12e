"""The page of a run over pictures in a real browser: nothing fails or is loaded, views change, phones and paper do.

They need Chromium and Playwright, and skip with a reason elsewhere, as those of ``tests/report/test_browser.py``.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from consensus import chunks
from tests.chunks import picture_files

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (extra: browser)")
test_browser = pytest.importorskip("tests.report.test_browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(test_browser.CHROMIUM is None, reason="no Chromium on this machine"),
]
EVIL = ("<img src=x onerror=alert(1)>", "</style><script>alert(2)</script>", "x" * 300)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        made = started.chromium.launch(executable_path=test_browser.CHROMIUM, args=test_browser.ARGUMENTS)
        yield made
        made.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write the report of some pictures."""

    def _written(n: int = 4, **given: Any) -> Path:
        files = picture_files.written(tmp_path_factory.mktemp("pictures") / "set", n, **given)
        run = chunks.run(files / "manifest.csv", classes=files / "classes.csv", gold=files / "gold.csv")
        return chunks.save(run, files.parent / "out") / "report.html"

    return _written


@pytest.fixture(scope="module")
def usual(written: Callable[..., Path]) -> Path:
    return written(workers=("ann", "bob", "eve", "kim", "lou"))


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

    def _requested(self, url: str, path: Path) -> None:
        if url != path.as_uri() and not url.startswith("data:"):
            self.wrong.append(f"loaded {url}")

    def seen(self, place: int) -> list[str]:
        """Which layers lie upon a picture."""
        layers = self.page.locator(".picture").nth(place).locator("[data-view]")
        return [str(one.get_attribute("data-view")) for one in layers.all() if one.is_visible()]


def test_views_change_by_click_and_by_keys(browser: Any, usual: Path) -> None:
    opened = Opened(browser, usual)
    assert opened.page.locator("figure.picture").count() == 4
    assert opened.seen(0) == ["merged"]
    picture = opened.page.locator(".picture").first
    picture.locator("label", has_text="how unsure").click()
    assert opened.seen(0) == ["unsure"]
    assert opened.seen(1) == ["merged"]
    picture.locator("label", has_text="picture alone").click()
    assert opened.seen(0) == []
    picture.locator("label", has_text="eve").click()
    (shown,) = opened.seen(0)
    assert shown.startswith("p")
    for _ in range(2):  # to the next person, then the one behind
        opened.page.keyboard.press("ArrowRight")
    (later,) = opened.seen(0)
    assert int(later[1:]) == int(shown[1:]) + 2
    sizes = opened.page.evaluate(
        "[...document.querySelectorAll('.stage')].map(s => [...s.querySelectorAll('img')].map(i => "
        "[i.naturalWidth, i.clientWidth, i.clientHeight].join()))"
    )
    assert all(len(set(one)) == 1 for one in sizes)
    assert opened.wrong == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390), ("light", 390), ("dark", 1280)])
def test_no_sideways_scrolling_and_both_schemes(browser: Any, usual: Path, scheme: str, width: int) -> None:
    opened = Opened(browser, usual, color_scheme=scheme, viewport={"width": width, "height": 844})
    tab = opened.page
    tab.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    sideways = "e.clientWidth && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === 'auto'"
    assert tab.evaluate(f"[...document.querySelectorAll('main *')].filter(e => {sideways}).length") == 0
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(int(one) for one in paper[4:-1].split(",")) < 150) == (scheme == "dark")
    assert opened.wrong == []


def test_the_first_screen_has_the_number_and_what_to_do(browser: Any, usual: Path) -> None:
    for width in (1280, 390):
        opened = Opened(browser, usual, viewport={"width": width, "height": 844})
        for name in ("h1", ".tiles", ".promise", "#h-todo"):
            assert opened.page.locator(name).first.bounding_box()["y"] < 844, (name, width)


def test_on_paper_there_is_no_choice(browser: Any, usual: Path) -> None:
    opened = Opened(browser, usual)
    opened.page.emulate_media(media="print")
    assert not opened.page.locator(".views").first.is_visible()
    assert opened.seen(0) == ["merged"]


def test_names_are_text(browser: Any, written: Callable[..., Path]) -> None:
    path = written(2, workers=EVIL, names=("a&b <i>.png", "b.png"))
    opened = Opened(browser, path, viewport={"width": 390, "height": 844})
    for name in EVIL:
        assert opened.page.locator("#workers td", has_text=name).count() >= 1
    assert opened.page.locator("h3", has_text="images/a&b <i>.png").count() == 1
    assert opened.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert opened.wrong == []


@pytest.mark.skipif("CONSENSUS_AXE" not in os.environ, reason="CONSENSUS_AXE does not name axe.min.js")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_axe_finds_nothing_serious(browser: Any, usual: Path, scheme: str, width: int) -> None:
    opened = Opened(browser, usual, color_scheme=scheme, viewport={"width": width, "height": 844}, bypass_csp=True)
    opened.page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    opened.page.add_script_tag(path=os.environ["CONSENSUS_AXE"])
    found = opened.page.evaluate(
        "axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes.length, v.nodes[0].html]))"
    )
    assert [one for one in found if one[0] in {"serious", "critical"}] == []
