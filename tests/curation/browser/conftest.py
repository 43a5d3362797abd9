"""A real Chromium: Debian's, found on PATH or named by CHROMIUM."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from curation.models import User
from curation.stages import people

FLAGS = [
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium(require_tier: Callable[[str, str], None]) -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        require_tier("chromium", "no Chromium on PATH; install it or set CHROMIUM")
    # Playwright's synchronous interface runs an event loop in this thread; Django's own calls are made from it all the same.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said as an error or a warning: a violated content security policy is one."""
    return []


@pytest.fixture
def page(chromium: Browser, complaints: list[str]) -> Iterator[Page]:
    context: BrowserContext = chromium.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(10_000)

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    opened.on("console", listen)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()


@pytest.fixture
def storage(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where files lie, for this process and for the web server's, if that is begun after it."""
    for name in ("artifacts", "uploads"):
        setting = f"{name.upper()}_ROOT"
        setattr(settings, setting, tmp_path / name)
        monkeypatch.setenv(setting, str(tmp_path / name))
    monkeypatch.setenv("MODEL_ROOTS", str(tmp_path / "models"))  # as model_root has it
    return tmp_path


def enter(page: Page, site: str, user: User) -> Page:
    """Sign in by a one-time link."""
    page.goto(f"{site}/enter/{people.sign_in_link(user)}/")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    return page


@pytest.fixture
def browser_of(chromium: Browser, web: str, complaints: list[str]) -> Iterator[Callable[[User], Page]]:
    """`browser_of(reviewer)`: a browser of that person's own, signed in."""
    contexts = []

    def make(user: User) -> Page:
        contexts.append(chromium.new_context(viewport={"width": 1440, "height": 900}, base_url=web))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda said: said.type in {"error", "warning"} and complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return enter(page, web, user)

    yield make
    for context in contexts:
        context.close()
