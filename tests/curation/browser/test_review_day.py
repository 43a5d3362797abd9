"""A day of work on the web server that a site runs: a run from the form to the export, with a worker driven by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from curation.models import Base, Decision, Engine, Project, Run, TrainingRow, User, Verdict
from curation.models import Sample as SampleRow
from curation.stages import tokens
from tests.curation.stages import conftest as by_hand
from tests.curation.stages.conftest import Hand, truth_of
from toolcalls.records import Sample

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.django_db(transaction=True)]

queue = by_hand.queue


def learning(iteration: int, sample: Sample, turn: int, attempt: int) -> str:
    """In the first iteration the model can do four samples in one of two attempts, later all of them."""
    number = int(sample.id.removeprefix("sample-"))
    return truth_of(sample) if attempt == 1 and (number < 4 or iteration > 1) else '[other_tool(x="1")]'


@pytest.fixture
def weather(make_dataset: Callable[..., Any], make_samples: Callable[..., list[Sample]], base: Base, engine: Engine) -> Project:
    """A project whose data set has twelve samples to train on, every third of them of the category "odd"."""
    samples = [replace(each, category="odd" if n % 3 == 1 else "simple") for n, each in enumerate(make_samples(12, 4))]
    project: Project = make_dataset(samples).dataset.project
    return project


def test_from_the_form_to_the_export(
    storage: Any,
    web: str,
    browser_of: Callable[[User], Page],
    weather: Project,
    engineer: User,
    reviewer: User,
    complaints: list[str],
) -> None:
    hand, at_work = Hand(learning), browser_of(engineer)
    run = begin(at_work, weather)
    watch(at_work, hand)
    review = browser_of(reviewer)
    decided = decide_by_keyboard(review, run)
    dropped = {decided["drop"], *drop_the_odd_ones(review, run)}
    fixed = next(f"sample-{n}" for n in (0, 2, 3, 5) if f"sample-{n}" not in decided.values())
    fix_the_truth(review, run, fixed)
    drop_the_pair(review, run, decided["keep"])
    approve(at_work, hand)
    approve(at_work, hand)
    expect(at_work.locator(".state.completed").first).to_be_visible()
    assert at_work.evaluate("window.neverLoadedAnew") == "indeed"

    first, second = trained(run, 1), trained(run, 2)
    assert [kind for key, kind in first if key == decided["keep"]] == ["direct"]
    assert dropped.isdisjoint(key for key, _ in second)
    assert decided["discuss"] not in {key for key, _ in second}
    assert fixed not in {key for key, _ in first}
    assert {(key, kind) for key in (decided["keep"], fixed) for kind in ("direct", "refine")} <= set(second)

    secret = tokens.create(reviewer, "script", "read").secret
    export = f"{web}/api/v1/runs/{run.pk}/iterations"
    rows = exported(f"{export}/2/export/training-set", secret)
    assert sorted((row["sample_id"], row["kind"]) for row in rows) == sorted(second)
    assert [row["kind"] for row in rows if "Nowhere" in row["target"]] in (["direct", "refine"], ["refine", "direct"])
    for place in (
        "1/{}pool?decision=drop",
        "1/{}pool?category=simple&hits=1",
        "2/{}pool?category=simple",
        "2/{}pairs?change=large",
    ):
        shown = shown_keys(review, f"/runs/{run.pk}/iterations/{place.format('').replace('?', '/?')}")
        assert shown == [row["id"] for row in exported(f"{export}/{place.format('export/')}", secret)], place
        assert shown, place
    assert complaints == []


def begin(page: Page, project: Project) -> Run:
    """Start a run from the form; the page is the run's then."""
    page.get_by_role("link", name=project.name, exact=True).first.click()
    page.get_by_role("link", name="Runs", exact=True).first.click()
    page.get_by_role("link", name="New run").click()
    page.get_by_label("Name", exact=True).fill("The day's run")
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    page.locator("#k").fill("2")
    page.locator("#max_iterations").fill("2")
    page.locator("#review").select_option("required")
    page.get_by_role("button", name="Create the run").click()
    expect(page.get_by_role("heading", name="The day's run", level=1)).to_be_visible()
    return Run.objects.get()


def watch(page: Page, hand: Hand) -> None:
    """What the worker does shows on the page, which is never loaded anew."""
    page.evaluate("window.neverLoadedAnew = 'indeed'")
    expect(page.locator("html[data-stream=open]")).to_be_attached()
    assert page.get_by_role("button", name="Approve and train").count() == 0
    hand.work_off()
    expect(page.get_by_role("button", name="Approve and train")).to_be_visible()
    expect(page.locator(".iterations").get_by_role("row", name="1 12 4 4 8")).to_be_visible()


def decide_by_keyboard(page: Page, run: Run) -> dict[str, str]:
    """Keep the first sample, pass over the second, drop the third, discuss the fourth: their keys by what was decided."""
    page.goto(f"/runs/{run.pk}/iterations/1/pool/")
    expect(page.locator("#count")).to_have_text("12 samples")
    first, second, third, fourth = (int(row.get_attribute("data-sample") or 0) for row in page.locator(".verdict").all()[:4])
    for key, then in (("j", first), ("k", second), ("ArrowDown", third), ("d", fourth)):
        page.keyboard.press(key)
        settled(page, then)
    page.keyboard.press("c")
    expect(page.locator("#comment")).to_be_focused()
    page.keyboard.type("Is it k degrees, or d?")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator(".talk li")).to_contain_text("Is it k degrees, or d?")
    standing = dict(Decision.objects.standing().values_list("kind", "sample__key"))
    assert standing == {"keep": key_of(first), "drop": key_of(third), "discuss": key_of(fourth)}
    return standing


def drop_the_odd_ones(page: Page, run: Run) -> set[str]:
    """Drop all of a category, take it back from the toast, drop them again."""
    page.goto(f"/runs/{run.pk}/iterations/1/pool/")
    page.locator("#facets").get_by_role("link", name="odd").click()
    expect(page.locator("#count")).to_have_text("4 samples")
    expect(page.get_by_role("heading", name="All 4 found")).to_be_visible()
    odd = Verdict.objects.filter(iteration__run=run, iteration__number=1, turn=0, category="odd")
    for after in ("drop", ""):
        page.get_by_role("button", name="Drop…").click()
        page.get_by_role("dialog", name="Drop 4 samples?").get_by_role("button", name="Drop 4").click()
        expect(page.locator("#rows .chip.decision.bad")).to_have_count(4)
        if after:
            page.locator(".toast").get_by_role("button", name="Undo").click()
            expect(page.locator("#rows .chip.decision.bad")).to_have_count(0)
            assert set(odd.values_list("decision", flat=True)) == {""}
    assert set(odd.values_list("decision", flat=True)) == {"drop"}
    return set(odd.values_list("version__sample__key", flat=True))


def fix_the_truth(page: Page, run: Run, key: str) -> None:
    sample = SampleRow.objects.get(key=key)
    page.goto(f"/runs/{run.pk}/iterations/1/pool/{sample.pk}/")
    page.keyboard.press("e")
    page.locator("#fix").get_by_label("city*").fill("Nowhere")
    page.get_by_role("button", name="Save the truth").click()
    expect(page.locator(".corrected")).to_contain_text("Nowhere")


def drop_the_pair(page: Page, run: Run, key: str) -> None:
    sample = SampleRow.objects.get(key=key).pk
    page.goto(f"/runs/{run.pk}/iterations/1/pairs/#s{sample}")
    settled(page, sample)
    expect(page.get_by_role("heading", name="The pair")).to_be_visible()
    page.keyboard.press("d")
    expect(page.locator(f'.verdict[data-sample="{sample}"] .chip.decision')).to_have_text("Dropped")


def approve(page: Page, hand: Hand) -> None:
    """Approve on the page that is watched, and let the worker go on."""
    page.get_by_role("button", name="Approve and train").click()
    expect(page.get_by_role("button", name="Approve and train")).to_have_count(0)
    hand.work_off()


def settled(page: Page, sample: int) -> None:
    expect(page.locator(f'#panel:not([aria-busy]) article[data-sample="{sample}"]')).to_be_visible()


def key_of(sample: int) -> str:
    return SampleRow.objects.get(pk=sample).key


def trained(run: Run, number: int) -> list[tuple[str, str]]:
    """(key, kind) of each row of an iteration's training set."""
    rows = TrainingRow.objects.filter(training_set__iteration__run=run, training_set__iteration__number=number)
    return list(rows.values_list("version__sample__key", "kind"))


def exported(address: str, secret: str) -> list[dict[str, Any]]:
    answer = httpx.get(address, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def shown_keys(page: Page, address: str) -> list[str]:
    page.goto(address)
    return [key_of(int(row.get_attribute("data-sample") or 0)) for row in page.locator("#rows > .verdict").all()]
