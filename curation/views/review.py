"""What people decide: on one sample or pair, on all that a filter finds, and back again. Posts only; pages show the rest."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from curation.access import iteration_of, run_of
from curation.middleware import toast
from curation.models import Event, Run, Sample
from curation.stages import commenting, correcting, review
from curation.stages.errors import InputError
from curation.stages.filtering import filter_from

DONE = {"keep": "kept", "drop": "dropped", "discuss": "under discussion", "fix": "corrected"}
NOT_FILTERS = ("csrfmiddlewaretoken", "turn", "kind", "expected", "why", "next")


@login_required
@require_POST
def decide(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    iteration = iteration_of(request.user, pk, number)
    sample = posted_sample(request, _decided(iteration.run))
    turn, kind = posted_number(request, "turn"), request.POST.get("kind", "")
    made = review.decide(iteration.run, iteration, sample, turn, kind, request.user, request.POST.get("why", ""))
    decided = {"sample": sample.pk, "turn": turn, "kind": kind}
    what = f"The pair of {sample}" if turn else str(sample)
    return done(request, iteration.run, f"{what}: {DONE[kind]}", undo=made.made_by, decided=decided)


@login_required
@require_POST
def decide_all(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    iteration = iteration_of(request.user, pk, number)
    turn, kind = posted_number(request, "turn"), request.POST.get("kind", "")
    f = filter_from({name: values for name, values in request.POST.lists() if name not in NOT_FILTERS}, turn)
    expected, why = posted_number(request, "expected"), request.POST.get("why", "")
    event = review.decide_all(iteration, f, kind, request.user, expected=expected, why=why)
    count, what = event.after["count"], "pair" if turn else "sample"
    text = f"{count:,} {what}{'s' if count != 1 else ''}: {DONE[kind]}"
    return done(request, iteration.run, text, undo=event, decided={"turn": turn, "kind": kind, "count": count})


@login_required
@require_POST
def undo(request: HttpRequest, pk: int, event: int) -> HttpResponse:
    run = run_of(request.user, pk)
    found = Event.objects.filter(pk=event, run_id=run.pk).first()
    if found is None:
        raise Http404("this run has no such operation")
    undone = review.undo_event(found, request.user)
    left = f"; {undone.left:,} were decided otherwise since and stay" if undone.left else ""
    text = f"{undone.taken_back:,} decision{'s' if undone.taken_back != 1 else ''} undone{left}"
    return done(request, run, text, undone={"event": event, **undone.event.after})


@login_required
@require_POST
def fix(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """`truth`: the calls as JSON, [{"name", "arguments"}, …]; empty, the `text` is the truth and nothing is called."""
    iteration = iteration_of(request.user, pk, number)
    sample, truth = posted_sample(request, _decided(iteration.run)), posted_json(request, "truth")
    text, why = request.POST.get("text", ""), request.POST.get("why", "")
    made = correcting.fix_truth(iteration.run, iteration, sample, truth, request.user, why, text=text)
    decided = {"sample": sample.pk, "turn": 0, "kind": made.kind}
    return done(request, iteration.run, f"{sample}: {DONE[made.kind]}", undo=made.made_by, decided=decided)


@login_required
@require_POST
def comment(request: HttpRequest, pk: int) -> HttpResponse:
    run = run_of(request.user, pk)
    sample = posted_sample(request, commenting.commented(run))
    made = commenting.comment(run, sample, request.POST.get("text", ""), request.user)
    return done(request, run, "Comment added", commented={"sample": sample.pk, "comment": made.pk})


@login_required
@require_POST
def delete_comment(request: HttpRequest, pk: int, comment: int) -> HttpResponse:
    run = run_of(request.user, pk)
    found = run.comments.select_related("run__project__team", "by").filter(pk=comment).first()
    if found is None:
        raise Http404("this run has no such comment")
    commenting.delete_comment(found, request.user)
    return done(request, run, "Comment deleted", commented={"sample": found.sample_id, "comment": found.pk})


def posted_json(request: HttpRequest, name: str) -> Any:
    """The JSON value of a field, None of an empty one. Raises InputError when it is none."""
    given = request.POST.get(name, "").strip()
    try:
        return json.loads(given) if given else None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is no JSON value: {error}") from error


def posted_number(request: HttpRequest, name: str) -> int:
    """A whole number of the form. Raises InputError for anything else."""
    given = request.POST.get(name, "")
    if not (given.isascii() and given.isdigit() and len(given) <= 18):
        raise InputError(f"{name} {given[:40]!r}: give a whole number")
    return int(given)


def posted_sample(request: HttpRequest, samples: QuerySet[Sample]) -> Sample:
    """The form's sample. Raises Http404 when it is none of `samples`."""
    sample = samples.filter(pk=posted_number(request, "sample")).first()
    if sample is None:
        raise Http404("the run has no such sample")
    return sample


def _decided(run: Run) -> QuerySet[Sample]:
    return Sample.objects.filter(dataset=run.dataset_id)


def done(request: HttpRequest, run: Run, text: str, *, undo: Event | None = None, **events: Any) -> HttpResponse:
    """For htmx a toast, which offers to undo the operation, and the events; else the page that the form came from."""
    if request.htmx:
        address = "" if undo is None else reverse("undo", args=[run.pk, undo.pk])
        return HttpResponse(status=204, headers={"HX-Trigger": toast(text, undo=address, **events)})
    messages.success(request, text)
    back = request.POST.get("next") or request.headers.get("referer", "")
    if url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        return redirect(back)
    return redirect("run", run.pk)
