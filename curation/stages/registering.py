"""Registering: the operator names the bases and engines that runs may use. Nobody else gives a path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction

from curation.models import Base, Engine, User
from curation.models.registry import ENGINE_OPTIONS, EngineKind
from curation.stages import events
from curation.stages.artifacts import base_dir, within
from curation.stages.errors import InputError, NotPermitted
from curation.stages.model_folder import check_model_folder, weights_sha256
from curation.stages.served_models import check_served_model


def register_base(name: str, path: str | Path, by: User | None = None) -> Base:
    """Register the model folder `path`, absolute or relative to one of MODEL_ROOTS or the working folder.

    Registering the same again changes nothing. Raises InputError when the path leads out of MODEL_ROOTS, is no model with
    safetensors weights, or the name stands for another model.
    """
    _operator_only(by)
    _check_name(name, "base")
    base = _measured(name, path)
    with transaction.atomic():
        known = Base.objects.select_for_update().filter(name=name).first()
        if known is None:
            base.save()
            events.record("base.register", base, actor=by, after={"name": name, "path": base.path, "sha256": base.sha256})
            return base
    if (known.path, known.sha256) != (base.path, base.sha256):
        what = "holds other weights by now" if known.path == base.path else f"is registered at {known.path}"
        raise InputError(f"base {name!r} {what}; runs may refer to it, so register this model under another name")
    return known


def move_base(name: str, path: str | Path, by: User | None = None) -> Base:
    """Say where a base lies by now. Raises InputError when other weights lie there, and as register_base does."""
    _operator_only(by)
    found = _measured(name, path)
    with transaction.atomic():
        known = Base.objects.select_for_update().filter(name=name).first()
        if known is None or known.sha256 != found.sha256:
            what = "holds other weights" if known else "cannot move: there is no such base"
            raise InputError(f"base {name!r} {what}; register the model at {found.path} under a name of its own")
        events.record("base.move", known, actor=by, before={"path": known.path}, after={"path": found.path})
        known.path = found.path
        known.save(update_fields=["path"])
    return known


def _measured(name: str, path: str | Path) -> Base:
    """The base that the folder would be, with the sha256 of its weights; not saved."""
    folder = _found(Path(path))
    root = _root_of(folder)
    check_model_folder(folder, settings.MODEL_ROOTS)
    base = Base(name=name, path=folder.relative_to(root).as_posix(), sha256=weights_sha256(folder))
    if base_dir(base) != folder:
        raise InputError(f"{base.path} lies under {root} and, first, under another of MODEL_ROOTS; rename one of the folders")
    return base


@transaction.atomic
def register_engine(name: str, kind: str, options: Mapping[str, Any] | None = None, by: User | None = None) -> Engine:
    """Register a way to generate. Registering the same again changes nothing.

    Raises InputError for an unknown kind or option, options that are no JSON, or a name that stands for another engine.
    """
    _operator_only(by)
    _check_name(name, "engine")
    if kind not in EngineKind.values:
        raise InputError(f"engine kind {kind!r} is unknown; choose one of {', '.join(EngineKind.values)}")
    plain = _checked_options(name, kind, options)
    known = Engine.objects.select_for_update().filter(name=name).first()
    if known is None:
        engine = Engine.objects.create(name=name, kind=kind, options=plain)
        events.record("engine.register", engine, actor=by, after={"name": name, "kind": kind, "options": plain})
        return engine
    if (known.kind, known.options) != (kind, plain):
        raise InputError(f"engine {name!r} is registered as {known.kind} with options {known.options}; choose another name")
    return known


@transaction.atomic
def change_engine(name: str, options: Mapping[str, Any] | None, by: User | None = None) -> Engine:
    """Other options for an engine, from its next start on. Raises InputError for an unknown engine or option."""
    _operator_only(by)
    known = Engine.objects.select_for_update().filter(name=name).first()
    if known is None:
        raise InputError(f"there is no engine {name!r}; register it first")
    plain = _checked_options(name, known.kind, options)
    events.record("engine.change", known, actor=by, before={"options": known.options}, after={"options": plain})
    known.options = plain
    known.save(update_fields=["options"])
    return known


def _checked_options(name: str, kind: str, options: Mapping[str, Any] | None) -> dict[str, Any]:
    try:
        plain = json.loads(json.dumps(dict(options or {}), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InputError(f"engine {name!r}: its options must be plain JSON ({error})") from error
    if unknown := sorted(set(plain) - ENGINE_OPTIONS[EngineKind(kind)]):
        allowed = ", ".join(sorted(ENGINE_OPTIONS[EngineKind(kind)]))
        raise InputError(f"engine {name!r}: a {kind} engine has no option {', '.join(unknown)}; its options are {allowed}")
    if kind == EngineKind.OPENAI:
        check_served_model(name, plain)
    return dict(plain)


def _found(path: Path) -> Path:
    """The real folder, when it lies in one of MODEL_ROOTS: compared part by part, so /models-old is not in /models."""
    places = [path] if path.is_absolute() else [*(Path(root, path) for root in settings.MODEL_ROOTS), path.absolute()]
    there = next((place for place in places if place.exists()), None)
    if there is None:
        roots = ", ".join(str(root) for root in settings.MODEL_ROOTS)
        raise InputError(
            f"{path} does not exist, nor under MODEL_ROOTS ({roots}); check the path, or add its folder to MODEL_ROOTS"
        )
    return within(settings.MODEL_ROOTS, there, "model folder")


def _root_of(folder: Path) -> Path:
    roots = [Path(root).resolve() for root in settings.MODEL_ROOTS]
    return next(root for root in roots if folder == root or root in folder.parents)


def _check_name(name: str, what: str) -> None:
    try:
        validate_slug(name)
    except ValidationError as error:
        raise InputError(f"{what} name {name!r}: use letters, digits, - and _ only") from error
    if len(name) > 80:
        raise InputError(f"{what} name {name!r}: use at most 80 characters")


def _operator_only(by: User | None) -> None:
    if by is not None and not by.is_superuser:
        raise NotPermitted(f"{by} is no operator of this installation; bases and engines are registered by one")
