"""The page without a network after its first visit, and a new build for an old one."""

import contextlib
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser import browsers
from browser.server import Server
from support import BUILD, unavailable

WAIT_MS, POLL_MS = 60_000, 50
FRAMES = 50
KEPT = """async () => Object.fromEntries(await Promise.all((await caches.keys()).map(
    async (name) => [name, (await (await caches.open(name)).keys()).map(({ url }) => url)])))"""
UPDATED = "async () => (await navigator.serviceWorker.getRegistration()).waiting !== null"


class WatchedServer(Server):
    """Notes every path that is asked for."""

    def __init__(self, folders: dict[str, Path]) -> None:
        super().__init__(folders)
        self.asked: list[str] = []

    def find(self, path: str) -> bytes | None:
        self.asked.append(path)
        return super().find(path)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the page that a test may change."""
    return Path(shutil.copytree(BUILD / "demo", tmp_path / "site"))


@pytest.fixture
def visitor(playwright: Any) -> Iterator[Any]:
    """A browser's context: what one visitor keeps from visit to visit."""
    if reason := browsers.missing("chromium"):
        unavailable(reason)
    with contextlib.closing(browsers.launch(playwright, "chromium")) as browser:
        yield browser.new_context()


def visit(visitor: Any, server: Server, errors: list[str]) -> Page:
    page: Page = visitor.new_page()
    page.set_default_timeout(WAIT_MS)
    page.on("pageerror", lambda error: errors.append(f"exception: {error}"))
    page.on("console", lambda said: errors.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("requestfailed", lambda request: errors.append(f"request failed: {request.url}"))
    page.goto(f"{server.origin}/site/")
    return page


def wait_until_kept(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-offline", "ready", timeout=WAIT_MS)


def wait_for(page: Page, promised: str) -> None:
    """Until an asynchronous function gives true; Playwright's own waiting takes a promise for true."""
    while not page.evaluate(promised):
        page.wait_for_timeout(POLL_MS)


def play(page: Page) -> None:
    """The first scene plays, cleaned."""
    page.locator("button[data-source]").first.click()
    page.wait_for_function(f"() => Number(document.body.dataset.frames ?? 0) >= {FRAMES}")


def test_the_page_works_without_a_network(visitor: Any, site: Path) -> None:
    errors: list[str] = []
    with WatchedServer({"site": site}) as server:
        page = visit(visitor, server, errors)
        wait_until_kept(page)
        kept = page.evaluate(KEPT)
        assert_everything_is_kept(kept, site, page.url)
        server.folders.clear()
        server.asked.clear()
        page.reload()
        play(page)
        page.evaluate("import(new URL('file.js', document.baseURI))")
        assert page.evaluate("fetch('file.worker.js').then((answer) => answer.ok)")
        assert page.locator("link[rel=manifest]").count() == 1
        assert set(server.asked) <= {"/site/service-worker.js"}, "only whether there is a new build"
    assert not [error for error in errors if "service-worker.js" not in error]


def assert_everything_is_kept(kept: dict[str, list[str]], site: Path, address: str) -> None:
    assert list(kept) == ["sordino"]
    files = [file for file in site.rglob("*") if file.is_file() and file.suffix not in (".md", ".txt")]
    wanted = {str(file.relative_to(site)) for file in files}
    paths = {url.removeprefix(address).partition("?")[0] for url in kept["sordino"]}
    assert paths == wanted - {"service-worker.js"}


def test_a_new_build_replaces_the_old_one(visitor: Any, site: Path) -> None:
    errors: list[str] = []
    with WatchedServer({"site": site}) as server:
        page = visit(visitor, server, errors)
        wait_until_kept(page)
        old = page.evaluate(KEPT)["sordino"]
        main, service = site / "main.js", site / "service-worker.js"
        before = hashlib.sha256(main.read_bytes()).hexdigest()
        main.write_text(f"{main.read_text()}\ndocument.body.dataset.build = 'new';\n")
        after = hashlib.sha256(main.read_bytes()).hexdigest()
        service.write_text(service.read_text().replace(before, after))
        server.asked.clear()
        page.reload()
        assert page.evaluate("document.body.dataset.build") is None, "the old build until its last page is closed"
        wait_for(page, UPDATED)
        assert {path for path in server.asked if not path.endswith("service-worker.js")} == {"/site/main.js"}
        page.close()
        page = visit(visitor, server, errors)
        wait_until_kept(page)
        expect(page.locator("body")).to_have_attribute("data-build", "new")
        wait_for(page, f"async () => !(await ({KEPT})()).sordino.some((url) => url.includes('{before}'))")
        new = page.evaluate(KEPT)["sordino"]
        assert len(new) == len(old) and len(set(new) - set(old)) == 1
    assert not errors
