"""make screenshots: every main page of a site that holds a finished demonstration, as PNGs in docs/screenshots/.

The run is the one of var/'s database; where there is none, the demonstration is run first. The pages are the owner's.
"""

from __future__ import annotations

# ruff: noqa: E402 (Django wants its settings before anything of ours is imported)
import io
import os
import shutil
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

import django
from django.core.management import call_command
from django.urls import reverse

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curation.settings")
os.environ.setdefault("DEMO_EXIT", "1")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # playwright's event loop runs in this thread
django.setup()

from curation.demo import cast, choosing
from curation.models import Evaluation, Export, Iteration, Rejudging, Run, Trial, Upload, Verdict
from curation.models.exports import ExportKind
from curation.models.rejudging import RejudgingState
from curation.models.runs import RunPurpose
from curation.models.trials import TrialState
from curation.stages import evaluating, exporting, rejudging, running, trial_models, trial_questions, trying, uploading
from curation.supervising import Site, ended_by_signals, log_into, wanted_port

OUT = PROJECT / "docs" / "screenshots"
COLOURS = 96  # of a picture's palette: flat pages need no more, and small letters keep their edges
# What would make two pictures of one page differ.
STILL = """*, *::before, *::after { animation: none !important; transition: none !important; caret-color: transparent !important }
.toasts { display: none !important }"""


@dataclass(frozen=True, slots=True)
class View:
    """A screen, in CSS pixels; its name ends the pictures' names."""

    name: str
    width: int
    height: int
    dark: bool = False

    @property
    def is_phone(self) -> bool:
        return self.width < 640


VIEWS = (View("light", 1440, 900), View("dark", 1440, 900, dark=True), View("phone", 390, 844))


@dataclass(frozen=True, slots=True)
class Shot:
    """A page, and what is done on it before its picture is taken."""

    name: str
    path: str
    height: int = 0  # of the picture where one screen is too little
    act: Callable[[Page, View], None] | None = None


def open_first(page: Page, view: View) -> None:
    """Open the first row of a list beside it; a phone has the list alone."""
    if not view.is_phone:
        page.locator(".verdict a.open").first.click()
        page.locator("#panel article.sample").wait_for()


def shots(run: Run, upload: Upload, trial: Trial, ten: Evaluation) -> tuple[Shot, ...]:
    last = last_trained(run)
    project, within = [run.project.team.slug, run.project.slug], [run.pk, last.number]
    base, final = (Evaluation.objects.own().get(iteration__run=run, iteration__number=number) for number in (0, last.number))
    return (
        Shot("home", reverse("home")),
        Shot("project", reverse("project", args=project)),
        Shot("run", reverse("run", args=[run.pk]), height=1400),
        Shot("iteration", reverse("iteration", args=within), height=1400),
        Shot("pool", reverse("pool", args=within) + "?hits=2&hits=3&hits=4", act=open_first),
        Shot("sample", reverse("sample", args=[*within, unsure(last).sample_id])),
        Shot("pair", reverse("pairs", args=within) + "?change=small", act=open_first),
        Shot("evaluation", reverse("evaluation", args=[ten.pk]), height=1700),
        Shot("items", reverse("evaluation_items", args=[ten.pk]) + "?change=fixed", act=open_first),
        Shot("evaluations", f"{reverse('evaluation_compare')}?evaluation={base.pk}&evaluation={final.pk}", height=1400),
        Shot("what-if", reverse("what_if", args=within) + "?k=2&tolerance=0"),
        Shot("rejudging", reverse("rejudging", args=[*within, judged_again(last).pk])),
        Shot("try", reverse("trials", args=project) + f"?version={trial.version_id}&model=iteration:{run.pk}/{last.number}"),
        Shot("trial", reverse("trial", args=[*project, trial.pk])),
        Shot("dataset", reverse("dataset", args=[run.dataset_id])),
        Shot("upload", reverse("upload", args=[*project, upload.pk])),
        Shot("exports", reverse("run_exports", args=[run.pk])),
        Shot("events", reverse("run_events", args=[run.pk])),
        Shot("team", reverse("team", args=project[:1])),
        Shot("account", reverse("account")),
        Shot("api", reverse("api_docs")),
    )


def last_trained(run: Run) -> Iteration:
    return Iteration.objects.filter(run=run, training_set__isnull=False).order_by("-number")[0]


def unsure(iteration: Iteration) -> Verdict:
    """A sample that the model answers now rightly, now wrongly: its page has the most to show."""
    return Verdict.objects.filter(iteration=iteration, turn=0, exact_hits__range=(2, 5), other_count__gt=1).order_by("pk")[0]


def judged_again(iteration: Iteration) -> Rejudging:
    """The iteration without the paper's tolerance: what only exact answers would select."""
    found = Rejudging.objects.filter(iteration=iteration, state=RejudgingState.DONE).first()
    if found is None:
        found = rejudging.begin(iteration, {"tolerance": 0}, None, here=True)
        rejudging.run(found)
    return found


def ten_turns(site: Site, run: Run, people: cast.Cast, seconds: float = 600) -> Evaluation:
    """The last model on the held-out split with at most ten refine turns, as in Figure 3: asked by the site's worker, once."""
    name = "Ten refine turns"
    made = Run.objects.filter(project=run.project, purpose=RunPurpose.EVALUATION, name=name).first()
    if made is None:
        model = trial_models.of_iteration(last_trained(run), None)
        made = evaluating.create_evaluation(run.project, run.revision, model, {"refine_turns": 10}, name=name, by=people.owner)
        running.start_run(made, people.owner)
    for _ in range(int(seconds)):
        if (found := Evaluation.objects.filter(iteration__run=made).first()) is not None:
            return found
        site.tick()
        time.sleep(1)
    raise SystemExit("the worker does not evaluate; var/log/worker.log says why")


def tried(site: Site, run: Run, people: cast.Cast, seconds: float = 180) -> Trial:
    """The last model, asked by the site's worker what it does not always answer rightly."""
    last = last_trained(run)
    mine = Trial.objects.filter(project=run.project, version=unsure(last).version)
    if not mine.filter(state=TrialState.DONE).exists():
        version = unsure(last).version
        model = trial_models.of_iteration(last, None)
        trying.ask(run.project, model, trial_questions.asked_by(version), people.owner, version=version)
    for _ in range(int(seconds)):
        if (found := mine.filter(state=TrialState.DONE).first()) is not None:
            return found
        site.tick()
        time.sleep(1)
    raise SystemExit("the worker does not answer a trial; var/log/worker.log says why")


def finished_run(people: cast.Cast) -> Run | None:
    """The demonstration's last run, if it is finished."""
    found = Run.objects.filter(project=people.project, name=choosing.NAME, state__in=choosing.FINISHED)
    return found.select_related("project__team").order_by("-pk").first()


def export_once(run: Run, people: cast.Cast) -> None:
    """The page of exports lists past ones."""
    if not Export.objects.filter(iteration__run=run).exists():
        for kind in (ExportKind.TRAINING_SET, ExportKind.POOL):
            for _ in exporting.stream(exporting.begin(last_trained(run), kind, by=people.owner)):
                pass


@contextmanager
def uploaded(people: cast.Cast) -> Iterator[Upload]:
    """A file that waits for its import, and is discarded afterwards: a few rows of the demonstration's and one that is broken."""
    drawn = next(Path(os.environ.get("WHETSTONE_VAR", PROJECT / "var")).glob("demo/train-*.jsonl"))
    rows = drawn.read_bytes().splitlines(keepends=True)[:40]
    upload = uploading.receive(people.project, "more-calls", "more-calls.jsonl", [*rows, b'{"messages": "none"}\n'], people.owner)
    try:
        yield upload
    finally:
        uploading.discard(upload, people.owner)


@contextmanager
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--disable-gpu", "--font-render-hinting=none"])
        yield browser
        browser.close()


def take(page: Page, site: str, shot: Shot, view: View) -> bytes:
    page.set_viewport_size({"width": view.width, "height": view.height if view.is_phone or not shot.height else shot.height})
    page.goto(site + shot.path, wait_until="load")
    page.add_style_tag(content=STILL)
    if shot.act:
        shot.act(page, view)
    page.wait_for_timeout(600)  # fragments that load after the page, and charts
    return page.screenshot()


def quantised(png: bytes) -> bytes:
    """The same picture with a palette: a third of the size."""
    out = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def await_answer(site: Site, seconds: float = 60) -> None:
    """Return once the web server is there."""
    for _ in range(int(seconds / 0.2)):
        site.tick()
        try:
            urllib.request.urlopen(f"{site.url}/health/", timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the web server does not answer; var/log/web.log says why")


def take_all(site: Site, people: cast.Cast, run: Run) -> None:
    export_once(run, people)
    await_answer(site)
    OUT.mkdir(exist_ok=True)
    trial, ten = tried(site, run, people), ten_turns(site, run, people)
    with uploaded(people) as upload, chromium() as browser:
        for view in VIEWS:
            scheme = "dark" if view.dark else "light"
            context = browser.new_context(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
            page = context.new_page()
            page.goto(cast.link(people.owner, site.url))
            page.get_by_role("button", name="Sign in").click()
            for shot in shots(run, upload, trial, ten):
                site.tick()
                (OUT / f"{shot.name}-{view.name}.png").write_bytes(quantised(take(page, site.url, shot, view)))
            context.close()


def main() -> None:
    """Once more after the demonstration, if there was nothing to show before."""
    log_into("screenshots")
    for ready in (False, True):
        with ended_by_signals(), Site(workers=1, port=wanted_port(), say=print) as site:
            people = cast.assemble()
            run = finished_run(people)
            if run is not None:
                return take_all(site, people, run)
        if not ready:
            call_command("demo")
    raise SystemExit("the demonstration did not come to its end; var/log says why")


if __name__ == "__main__":
    main()
