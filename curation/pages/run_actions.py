"""What a person may do to a run now: the buttons of its pages."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from curation.access import may
from curation.models import Iteration, Role, Run, Stage, User
from curation.models.runs import RunState
from curation.models.shards import StageKind, StageState


@dataclass(frozen=True, slots=True)
class Action:
    """A button; one that asks first opens the dialog `confirm-<name>` of templates/curation/runs/_confirm.html."""

    name: str  # the last part of the address
    label: str
    url: str
    style: str = ""  # classes of the button
    asks: bool = False


_LABELS = {
    "start": "Start the run",
    "start-iteration": "Start the next iteration",
    "approve": "Approve and train",
    "retry": "Try again",
    "resume": "Resume",
    "pause": "Pause",
    "stop": "Stop",
}
_OFFERED = {
    RunState.READY: ("start", "stop"),
    RunState.RUNNING: ("pause", "stop"),
    RunState.WAITING: ("start-iteration", "stop"),
    RunState.PAUSED: ("resume", "stop"),
    RunState.FAILED: ("retry", "stop"),
}
_STYLES = {"pause": "plain", "stop": "plain stop"}


def actions(run: Run, user: User) -> tuple[Action, ...]:
    """For engineers only; the stages ask again. Two queries at most."""
    offered: tuple[str, ...] = _OFFERED.get(RunState(run.state), ())
    if not offered or not may(user, run.project.team_id, Role.ENGINEER):
        return ()
    if run.state == RunState.RUNNING and _waits_for_approval(run):
        offered = ("approve", *offered)
    return tuple(
        Action(name, _LABELS[name], reverse("run_change", args=[run.pk, name]), _STYLES.get(name, ""), name == "stop")
        for name in offered
    )


def open_review(run: Run) -> Iteration | None:
    """The iteration whose review holds the run."""
    waiting = Stage.objects.filter(iteration__run=run, kind=StageKind.REVIEW, state=StageState.RUNNING)
    stage = waiting.select_related("iteration__run__project__team").first()
    return None if stage is None else stage.iteration


def _waits_for_approval(run: Run) -> bool:
    return run.settings.get("review") == "required" and open_review(run) is not None
