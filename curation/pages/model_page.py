"""The model that an iteration trained, as adapter and as merged model: what is in it, its card, and how to take it home."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from curation.access import may
from curation.models import Iteration, Role, User
from curation.models.checkpoints import CheckpointKind
from curation.pages.run_tabs import RunTabs, run_tabs
from curation.stages.errors import InputError
from curation.stages.model_files import Model, trained

LABELS = {CheckpointKind.ADAPTER: "Adapter", CheckpointKind.MERGED: "Merged model"}


@dataclass(frozen=True, slots=True)
class ModelOffer:
    kind: str
    label: str
    model: Model
    curl: str
    command: str


@dataclass(frozen=True, slots=True)
class ModelPage:
    iteration: Iteration
    tabs: RunTabs
    offers: tuple[ModelOffer, ...]
    problem: str  # why there is none of a kind
    kept: bool  # by a person: no sweep takes it
    may_keep: bool  # that the reader may change this


def model_page(iteration: Iteration, user: User | None = None) -> ModelPage:
    tabs, offers, problem = run_tabs(iteration.run, "exports", iteration), [], ""
    made = set(iteration.checkpoints.values_list("kind", flat=True)) or CheckpointKind.values
    for kind in (kind for kind in CheckpointKind.values if kind in made):
        try:
            offers.append(_offer(iteration, kind))
        except InputError as error:
            problem = str(error)
    kept = any(offer.model.checkpoint.kept for offer in offers)
    may_keep = bool(offers) and user is not None and may(user, iteration.run.project.team_id, Role.ENGINEER)
    return ModelPage(iteration, tabs, tuple(offers), problem, kept, may_keep)


def _offer(iteration: Iteration, kind: str) -> ModelOffer:
    address = f"{settings.SITE_URL}/api/v1/runs/{iteration.run_id}/iterations/{iteration.number}/model/file?kind={kind}"
    return ModelOffer(
        kind,
        LABELS[CheckpointKind(kind)],
        trained(iteration, kind),
        f'curl -OJ -H "Authorization: Bearer $WHETSTONE_TOKEN" "{address}"',
        f"python manage.py export_model {iteration.run_id} --iteration {iteration.number} --kind {kind} --to DIR",
    )
