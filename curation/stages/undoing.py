"""Undoing: an operation of the review taken back, exactly."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from curation.models import Decision, Event, Role, User
from curation.stages import events, standing
from curation.stages.errors import InputError, WrongState
from curation.stages.people import require
from curation.stages.standing import Place

UNDOABLE = ("review.decide", "review.decide_all", "review.fix")  # verbs of events


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo came to. `left` counts the decisions that the operation had made and others have changed since."""

    taken_back: int
    restored: int
    left: int
    event: Event


@transaction.atomic
def undo_event(event: Event, by: User) -> Undone:
    """End the decisions that an operation made and that still stand, and let those stand again that it replaced.

    What was decided otherwise since stays. Raises InputError for an event that decided nothing, WrongState when none of its
    decisions stands any more or it is too late to matter.
    """
    if event.verb not in UNDOABLE:
        raise InputError(f"{event.verb} cannot be undone; only decisions can")
    first = Decision.objects.filter(made_by=event).select_related("run__project__team", "iteration").order_by("pk").first()
    if first is None:
        raise InputError(f"event {event.pk} made no decision; there is nothing to undo")
    require(by, first.run.project.team, Role.REVIEWER)
    standing.hold(first.run_id, alone=event.verb == "review.decide_all")
    standing.check_open(first.iteration, first.turn)
    return _undo(event, first, by)


def _undo(event: Event, first: Decision, by: User) -> Undone:
    taken, made = standing.made_standing(event), Decision.objects.filter(made_by=event).count()
    if not taken:
        raise WrongState("this was undone or decided otherwise since: none of it stands any more")
    samples, left = [each.sample for each in taken], made - len(taken)
    counts = {"taken_back": len(taken), "restored": standing.replaced(event, samples), "left": left}
    before = {"event": event.pk, "verb": event.verb, "by": event.actor_id, "samples": samples}
    after = {"turn": first.turn, "iteration": first.iteration.number, **counts}
    if made == 1:
        back = Decision.objects.filter(undone_by=event).first()
        after |= {"sample": first.sample_id, "kind": back.kind if back is not None else ""}
    undo = events.record("review.undo", event, run_id=first.run_id, actor=by, before=before, after=after)
    standing.take_back(Place(first.run_id, first.iteration_id, first.turn), taken, event, undo)
    return Undone(**counts, event=undo)
