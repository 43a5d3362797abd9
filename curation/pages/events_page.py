"""What happened in a project or a run, the newest first, in sentences; the record behind each can be opened."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from curation.access import may
from curation.models import Dataset, Decision, Event, Membership, Project, Role, Run, Upload, User
from curation.models.events import Brief
from curation.pages.event_names import Names, names_of
from curation.pages.event_sentences import actor, phrase
from curation.pages.project_tabs import ProjectTabs, project_tabs
from curation.pages.run_tabs import RunTabs, run_tabs
from curation.stages.errors import InputError
from curation.stages.verdict_filter import one

LIMIT = 50
KNOWN = ("what", "who", "before")
LOOP = "loop"  # as a value of `who`
# What may be asked for, by the verbs' beginnings. Without a choice all is shown but the shards, the machine's small steps.
GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "runs": ("Runs", ("run.", "iteration.", "stage.")),
    "review": ("Review", ("review.", "comment.")),
    "data": ("Data", ("dataset.", "upload.", "project.")),
    "exports": ("Exports", ("export.", "iteration.export")),
    "people": ("People", ("team.", "invitation.")),
    "shards": ("Shards", ("shard.",)),
}
OF_PROJECTS = ("runs", "review", "data", "exports", "people")
OF_RUNS = ("runs", "review", "exports", "shards")


@dataclass(frozen=True, slots=True)
class EventFilter:
    what: str = ""
    who: str = ""
    before: int | None = None

    @property
    def query(self) -> str:
        return urlencode([(name, value) for name in KNOWN if (value := getattr(self, name))])


@dataclass(frozen=True, slots=True)
class EventLine:
    event: Event
    actor: str
    phrase: str
    run: Run | None
    href: str  # of the sample or the pair that it is about
    details: str  # the record as JSON, readable
    may_undo: bool


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class EventsPage:
    tabs: ProjectTabs | RunTabs
    title: str
    filter: EventFilter
    groups: tuple[Choice, ...]
    people: tuple[Choice, ...]
    lines: tuple[EventLine, ...]
    older: str  # the query of the next page


def project_events(project: Project, user: User, params: Mapping[str, Sequence[str]]) -> EventsPage:
    """Its runs, data sets and uploads, and the team behind it."""
    chosen = _filter(params, OF_PROJECTS)
    events = Event.objects.filter(_of_project(project), team=project.team_id)
    lines, older = _lines(events, chosen, project.team_id, user)
    people = _people(project.team_id)
    return EventsPage(project_tabs(project, "events"), f"Events of {project}", chosen, _groups(OF_PROJECTS), people, lines, older)


def run_events(run: Run, user: User, params: Mapping[str, Sequence[str]]) -> EventsPage:
    chosen = _filter(params, OF_RUNS)
    lines, older = _lines(Event.objects.filter(run_id=run.pk), chosen, run.project.team_id, user)
    people = _people(run.project.team_id)
    return EventsPage(run_tabs(run, "events"), f"Events of {run}", chosen, _groups(OF_RUNS), people, lines, older)


def _of_project(project: Project) -> Q:
    things = Q(subject_kind="project", subject_id=project.pk) | Q(subject_kind__in=("team", "invitation"))
    for kind, model in (("dataset", Dataset), ("upload", Upload)):
        things |= Q(subject_kind=kind, subject_id__in=model.objects.filter(project=project).values("pk"))
    return things | Q(run_id__in=Run.objects.filter(project=project).values("pk"))


def _filter(params: Mapping[str, Sequence[str]], groups: Sequence[str]) -> EventFilter:
    if unknown := [name for name in params if name not in KNOWN]:
        raise InputError(f"{unknown[0][:60]!r} is not known here; there are {', '.join(KNOWN)}")
    what, who, before = (one(params, name) for name in KNOWN)
    if what and what not in groups:
        raise InputError(f"what={what[:60]}: choose of {', '.join(groups)}")
    if who and who != LOOP and not _is_number(who):
        raise InputError(f"who={who[:60]}: the number of a person, or {LOOP}")
    if before and not _is_number(before):
        raise InputError("'before' must be the number of an event; begin with the first page")
    return EventFilter(what, who, int(before) if before else None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _lines(events: QuerySet[Any], chosen: EventFilter, team: int, user: User) -> tuple[tuple[EventLine, ...], str]:
    standing = Decision.objects.filter(made_by=OuterRef("pk"), undone_at=None)
    found = _chosen(events, chosen).annotate(shown_before=Brief("before"), stands=Exists(standing))
    rows = list(found.defer("before").select_related("actor").order_by("-id")[: LIMIT + 1])
    shown, names, may_review = rows[:LIMIT], names_of(rows[:LIMIT]), may(user, team, Role.REVIEWER)
    older = replace(chosen, before=shown[-1].pk).query if len(rows) > LIMIT else ""
    return tuple(_line(event, names, may_review) for event in shown), older


def _chosen(events: QuerySet[Any], chosen: EventFilter) -> QuerySet[Any]:
    if chosen.what:
        prefixes = GROUPS[chosen.what][1]
        wanted = Q()
        for prefix in prefixes:
            wanted |= Q(verb__startswith=prefix)
        events = events.filter(wanted)
    else:
        events = events.exclude(verb__startswith="shard.")
    if chosen.who:
        events = events.filter(actor=None if chosen.who == LOOP else int(chosen.who))
    return events.filter(pk__lt=chosen.before) if chosen.before is not None else events


def _line(event: Any, names: Names, may_review: bool) -> EventLine:
    record = {"verb": event.verb, "before": event.shown_before, "after": event.after}
    return EventLine(
        event=event,
        actor=actor(event),
        phrase=phrase(event, names),
        run=names.runs.get(event.run_id or 0),
        href=_href(event),
        details=json.dumps(record, indent=2, ensure_ascii=False),
        may_undo=may_review and event.stands,
    )


def _href(event: Any) -> str:
    place = (event.run_id, event.after.get("iteration"), event.after.get("sample"))
    if not all(isinstance(part, int) for part in place):
        return ""
    return reverse("pair" if event.after.get("turn") else "sample", args=place)


def _groups(names: Sequence[str]) -> tuple[Choice, ...]:
    return (Choice("", "Everything"), *(Choice(name, GROUPS[name][0]) for name in names))


def _people(team: int) -> tuple[Choice, ...]:
    members = Membership.objects.filter(team=team).select_related("user").order_by("user__name", "user__email")
    return (Choice("", "Everybody"), *(Choice(str(m.user_id), str(m.user)) for m in members), Choice(LOOP, "Nobody (the loop)"))
