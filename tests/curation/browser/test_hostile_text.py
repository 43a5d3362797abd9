"""Nothing that a model, a data set or a person writes is more than text: on any page, with the site's policy and without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext

from curation.models import Base, DatasetRevision, Engine, Project, Team
from curation.stages import running
from tests.curation.browser.conftest import enter
from tests.curation.browser.planting import HOSTILE, SHORT, HostileModel, Planted, hostile_answer, hostile_samples, plant
from tests.curation.permissions.test_permissions import PAGES, Route, page_routes
from tests.curation.stages import conftest as by_hand
from toolcalls.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.django_db(transaction=True)]

queue = by_hand.queue

# What an attack that is no text leaves behind: an element of its own, a handler, an address that is a script.
LEFT_BEHIND = """() => {
  const found = [];
  for (const element of document.querySelectorAll("*")) {
    if (element.hasAttribute("data-planted")) found.push(`element ${element.outerHTML.slice(0, 120)}`);
    for (const { name, value } of element.attributes) {
      if (/^on|^(data-)?hx-on/.test(name)) found.push(`handler ${name}`);
      const leads = /^(href|src|action|formaction|xlink:href|(data-)?hx-(get|post))$/.test(name);
      if (leads && /^\\s*(javascript|data):/i.test(value)) found.push(`address ${value.slice(0, 80)}`);
    }
  }
  if (/planted49/.test(document.documentElement.innerHTML)) found.push("a template was filled in");
  return found;
}"""


class Watch:
    """A browser's context in which everything that an attack could do is written down."""

    def __init__(self, context: BrowserContext, site: str) -> None:
        self.seen: list[str] = []
        self.site = site
        context.expose_function("ran", lambda: self.seen.append("a script ran"))
        self.page = context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", lambda said: said.type in {"error", "warning"} and self._complain(said.text))
        self.page.on("pageerror", lambda error: self.seen.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.seen.append("a dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self._asked(request.url))

    def _complain(self, text: str) -> None:
        if "Failed to load resource: the server responded with a status of 4" not in text:
            self.seen.append(text)

    def _asked(self, url: str) -> None:
        if not url.startswith(f"{self.site}/"):
            self.seen.append(f"asked for {url}")

    def faults(self) -> list[str]:
        """What was written down since the last time, and what the page shows."""
        found, self.seen[:] = self.seen + self.page.evaluate(LEFT_BEHIND), []
        return found

    def open(self, address: str) -> list[str]:
        response = self.page.goto(f"{self.site}{address}", wait_until="load")
        assert response is not None
        assert response.status < 500, address
        return [f"{address[:90]}: {fault}" for fault in self.faults()]


@pytest.fixture
def watch(chromium: Browser, web: str) -> Iterator[Callable[..., Watch]]:
    """`watch(policy=False)`: a new browser, which does not heed the content security policy."""
    opened = []

    def make(*, policy: bool = True) -> Watch:
        opened.append(chromium.new_context(bypass_csp=not policy, viewport={"width": 1440, "height": 900}))
        return Watch(opened[-1], web)

    yield make
    for context in opened:
        context.close()


@pytest.fixture
def planted(storage: Path, base: Base, engine: Engine, make_dataset: Callable[..., DatasetRevision], project: Project) -> Planted:
    Team.objects.filter(pk=project.team_id).update(name=SHORT)
    Project.objects.filter(pk=project.pk).update(name=SHORT)
    project.refresh_from_db()
    revision = make_dataset(hostile_samples(), name=SHORT)
    settings = Settings(k=4, max_new_tokens=32, max_length=512, shard_samples=4, max_iterations=2, review="required")
    run = running.create_run(project, revision, base, engine, settings, name=SHORT)
    return plant(run, HostileModel(hostile_answer))


def addresses(planted: Planted) -> Iterator[str]:
    """Every page and fragment that can be read, of both iterations and all samples, and with hostile questions."""
    shown = [route for route in page_routes() if "GET" in PAGES[route.name] and route.name not in NO_PAGES]
    for route in shown:
        yield route.address(planted.names)
    sample = {route.name: route for route in shown}["sample"]
    pair = {route.name: route for route in shown}["pair"]
    for number in (1, 2):
        for one in planted.names["samples"]:
            yield from (route.address({**planted.names, "number": number, "sample": one}) for route in (sample, pair))
    yield from questions(planted, {route.name: route for route in shown})


NO_PAGES = {"health", "stream", "sign_out", "dataset_download", "export_manifest", "enter", "admin_sign_in"}


def questions(planted: Planted, routes: dict[str, Route]) -> Iterator[str]:
    asked = HOSTILE[:1500]
    for name, fields in {
        "pool": ("q", "order", "category", "decision", "after", SHORT),
        "pairs": ("q", "change", "tool"),
        "pool_facets": ("q", "language"),
        "dataset": ("q", "category", "language", "split", "revision"),
        "project_events": ("what", "who", "before", SHORT),
        "run_events": ("what", "who"),
        "run_exports": ("kind", "category", "before"),
        "upload": ("format",),
        "upload_new": ("dataset",),
        "run_new": ("like",),
        "project_new": ("team",),
        "compare": ("run",),
        "sign_in": ("next",),
    }.items():
        yield from (f"{routes[name].address(planted.names)}?{urlencode({field: asked})}" for field in fields)
    yield f"{routes['pool'].address(planted.names)}?{urlencode({'q': SHORT, 'category': SHORT})}"
    yield f"/{quote(SHORT)}/{quote(SHORT)}/"
    yield f"/join/{quote(SHORT, safe='')}/"


@pytest.mark.parametrize("policy", [True, False], ids=["with the policy", "without it"])
def test_texts_stay_texts_on_every_page(planted: Planted, web: str, watch: Callable[..., Watch], policy: bool) -> None:
    browser = watch(policy=policy)
    enter(browser.page, web, planted.owner)
    faults = [fault for address in addresses(planted) for fault in browser.open(address)]
    assert not faults, "\n".join(faults)
