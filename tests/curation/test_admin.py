"""The admin site: what operators edit, by which rules, and what they only look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from curation.admin.record import ReadOnly
from curation.models import Base, Engine, Event, Iteration, Membership, Role, Run, SignInLink, Team, User
from curation.stages import invitations, registering, tokens

pytestmark = [pytest.mark.db, pytest.mark.django_db]
PASSWORD = "correct horse battery"
EDITABLE = {"user", "team", "base", "engine"}


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("root@example.org", PASSWORD, name="Root")


@pytest.fixture
def site(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def address(model: str, page: str, *args: Any) -> str:
    return reverse(f"admin:curation_{model}_{page}", args=args)


def members(*rows: dict[str, Any], old: int = 0) -> dict[str, Any]:
    """The inline form of memberships, as a browser sends it."""
    form: dict[str, Any] = {"memberships-TOTAL_FORMS": len(rows), "memberships-INITIAL_FORMS": old}
    for number, row in enumerate(rows):
        form |= {f"memberships-{number}-{name}": value for name, value in row.items()}
    return form


def test_staff_without_more_find_nothing_to_edit(client: Client, viewer: User) -> None:
    User.objects.filter(pk=viewer.pk).update(is_staff=True)
    client.force_login(viewer)
    assert client.get(address("user", "changelist")).status_code == 403
    assert client.post(address("team", "add"), {"name": "Mine", **members()}).status_code == 403


def test_record_is_read_only(site: Client, make_run: Callable[..., Run], operator: User, team: Team) -> None:
    make_run(by=operator)
    tokens.create(operator, "laptop", "read")
    invitations.invite(team, "viewer", operator)
    for model, site_admin in admin.site._registry.items():
        name = model._meta.model_name
        if name in EDITABLE:
            continue
        assert isinstance(site_admin, ReadOnly), name
        assert site.get(address(name, "changelist")).status_code == 200
        assert site.get(address(name, "add")).status_code == 403
        if row := model.objects.first():
            page = site.get(address(name, "change", row.pk))
            assert page.status_code == 200 and 'name="_save"' not in page.content.decode()
            assert site.post(address(name, "change", row.pk), {}).status_code == 403
            assert site.post(address(name, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_no_hash_of_a_secret_is_shown(site: Client, operator: User, team: Team) -> None:
    token = tokens.create(operator, "laptop", "read").token
    invitation = invitations.invite(team, "viewer", operator).invitation
    for name, row in (("apitoken", token), ("invitation", invitation)):
        assert row.token_sha256 not in site.get(address(name, "change", row.pk)).content.decode()


def test_account_is_made_with_a_password_or_for_links_only(site: Client, operator: User) -> None:
    form = {"email": "ada@example.org", "name": "Ada", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert site.post(address("user", "add"), {**form, "password1": "123", "password2": "123", **members()}).status_code == 200
    assert site.post(address("user", "add"), {**form, **members()}).status_code == 302
    assert User.objects.get(email="ada@example.org").check_password(PASSWORD)
    twice = site.post(address("user", "add"), {**form, "email": "ADA@example.org", **members()})
    assert twice.status_code == 200 and User.objects.count() == 2
    form = {"email": "bob@example.org", "name": "Bob", "usable_password": "false"}
    assert site.post(address("user", "add"), {**form, **members()}).status_code == 302
    assert not User.objects.get(email="bob@example.org").has_usable_password()
    assert set(Event.objects.filter(verb="user.create").values_list("actor", flat=True)) == {operator.pk}


def test_account_is_ended_by_making_it_inactive(site: Client, viewer: User) -> None:
    membership = Membership.objects.get(user=viewer)
    row = {"id": membership.pk, "user": viewer.pk, "team": membership.team_id, "role": "viewer"}
    form = {"email": viewer.email, "name": "Vera", **members(row, old=1)}
    assert site.post(address("user", "change", viewer.pk), form).status_code == 302
    viewer.refresh_from_db()
    assert (viewer.name, viewer.is_active) == ("Vera", False)
    assert Event.objects.get(verb="user.change").after == {"changed": ["is_active", "name"]}
    assert site.post(address("user", "delete", viewer.pk), {"post": "yes"}).status_code == 403


def test_password_is_set_by_its_form(site: Client, viewer: User) -> None:
    page = f"{address('user', 'change', viewer.pk)}".replace("change/", "password/")
    form = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true", "set-password": "1"}
    assert site.post(page, form).status_code == 302
    viewer.refresh_from_db()
    assert viewer.check_password(PASSWORD)
    assert site.post(page, {"usable_password": "false", "unset-password": "1"}).status_code == 302
    viewer.refresh_from_db()
    assert not viewer.has_usable_password()
    assert Event.objects.filter(verb="user.set_password").count() == 2


def test_operator_makes_a_link_that_signs_somebody_in(site: Client, viewer: User, operator: User) -> None:
    form = {"action": "make_link", "_selected_action": [viewer.pk]}
    page = site.post(address("user", "changelist"), form, follow=True).content.decode()
    assert "http://testserver/enter/" in page
    assert SignInLink.objects.get().user == viewer
    assert Event.objects.get(verb="user.link").actor == operator
    form["_selected_action"] = [viewer.pk, operator.pk]
    assert "Select one account" in site.post(address("user", "changelist"), form, follow=True).content.decode()


def test_staff_that_may_see_accounts_makes_no_link_into_one(client: Client, operator: User) -> None:
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_user"))
    client.force_login(clerk)
    form = {"action": "make_link", "_selected_action": [operator.pk]}
    assert client.post(address("user", "changelist"), form).status_code == 403
    assert not SignInLink.objects.exists()


def test_team_gets_members_and_keeps_an_owner(site: Client, owner: User, viewer: User, team: Team, outsider: User) -> None:
    first, second = Membership.objects.get(user=owner), Membership.objects.get(user=viewer)
    kept = {"id": first.pk, "team": team.pk, "user": owner.pk, "role": "owner"}
    raised = {"id": second.pk, "team": team.pk, "user": viewer.pk, "role": "engineer"}
    new = {"team": team.pk, "user": outsider.pk, "role": "viewer"}
    change = address("team", "change", team.pk)
    assert site.post(change, {"name": "Tools 2", **members(kept, raised, new, old=2)}).status_code == 302
    assert dict(Membership.objects.values_list("user", "role")) == {
        owner.pk: "owner",
        viewer.pk: "engineer",
        outsider.pk: "viewer",
    }
    refused = site.post(change, {"name": "Tools 3", **members({**kept, "DELETE": "on"}, raised, old=2)})
    assert refused.status_code == 409 and "last owner" in refused.content.decode()
    team.refresh_from_db()
    assert (team.name, team.slug) == ("Tools 2", "tools")  # nothing of the refused form was kept
    verbs = Event.objects.exclude(actor=None).values_list("verb", flat=True)
    assert sorted(verbs) == ["team.add_member", "team.change_role", "team.rename"]


def test_team_is_made_for_others(site: Client, viewer: User) -> None:
    row = {"user": viewer.pk, "role": "owner"}
    assert site.post(address("team", "add"), {"name": "New Team", **members(row)}).status_code == 302
    assert Membership.objects.get(team__slug="new-team").role == Role.OWNER
    assert site.post(address("team", "add"), {"name": "new team", **members()}).status_code == 422


def test_membership_moves_to_another_team_as_one_added_and_one_removed(site: Client, viewer: User, team: Team) -> None:
    other = Team.objects.create(name="Others", slug="others")
    membership = Membership.objects.get(user=viewer)
    row = {"id": membership.pk, "user": viewer.pk, "team": other.pk, "role": "reviewer"}
    form = {"email": viewer.email, "is_active": "on", **members(row, old=1)}
    assert site.post(address("user", "change", viewer.pk), form).status_code == 302
    assert list(Membership.objects.filter(user=viewer).values_list("team", "role")) == [(other.pk, "reviewer")]


def test_base_is_registered_with_the_checks_and_its_folder_may_move(
    site: Client, make_model_folder: Callable[..., Path], tmp_path: Path
) -> None:
    assert site.post(address("base", "add"), {"name": "tiny", "path": "/etc"}).status_code == 422
    assert not Base.objects.exists()
    folder = make_model_folder("tiny")
    assert site.post(address("base", "add"), {"name": "tiny", "path": "tiny"}).status_code == 302
    base = Base.objects.get()
    folder.rename(folder.with_name("moved"))
    assert site.post(address("base", "change", base.pk), {"path": "moved"}).status_code == 302
    base.refresh_from_db()
    assert base.path == "moved"
    weights = make_model_folder("other") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    refused = site.post(address("base", "change", base.pk), {"path": "other"})
    assert refused.status_code == 422 and "other weights" in refused.content.decode()
    assert site.post(address("base", "delete", base.pk), {"post": "yes"}).status_code == 403


def test_engine_is_registered_and_changed_within_its_options(site: Client) -> None:
    new = {"name": "gpu", "kind": "vllm", "options": "{}"}
    assert site.post(address("engine", "add"), new).status_code == 302
    engine = Engine.objects.get()
    change = address("engine", "change", engine.pk)
    assert site.post(change, {"options": '{"rows": 8}', "kind": "scripted"}).status_code == 302
    engine.refresh_from_db()
    assert (engine.kind, engine.options) == ("vllm", {"rows": 8})
    assert site.post(change, {"options": '{"device": "cuda"}'}).status_code == 422
    assert site.post(change, {"options": "[1]"}).status_code == 422
    assert Event.objects.get(verb="engine.change").before == {"options": {}}


def test_only_an_operator_changes_what_is_registered(engine: Engine, base: Base, owner: User) -> None:
    with pytest.raises(registering.NotPermitted):
        registering.change_engine(engine.name, {}, owner)
    with pytest.raises(registering.NotPermitted):
        registering.move_base(base.name, base.path, owner)
    for unknown in (registering.change_engine, registering.move_base):
        with pytest.raises(registering.InputError):
            unknown("unknown", {} if unknown is registering.change_engine else base.path)


def test_runs_move_through_the_stages_and_a_refusal_keeps_no_other_back(
    site: Client, make_run: Callable[..., Run], operator: User
) -> None:
    run, other = make_run(), make_run()

    def act(action: str) -> str:
        form = {"action": action, "_selected_action": [run.pk, other.pk]}
        return str(site.post(address("run", "changelist"), form, follow=True).content.decode())

    for action, state in (("start", "running"), ("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        act(action)
        assert {*Run.objects.values_list("state", flat=True)} == {state}
    assert "is stopped already" in act("stop")
    Run.objects.filter(pk=other.pk).update(state="ready")
    page = act("start")
    assert f"run {run.pk} is stopped" in page and f"Done: {other}" in page
    assert Event.objects.filter(verb="run.pause", actor=operator).count() == 2


def test_approving_what_waits_for_nobody_says_why(site: Client, make_run: Callable[..., Run]) -> None:
    iteration = Iteration.objects.create(run=make_run(), number=0)
    form = {"action": "approve", "_selected_action": [iteration.pk]}
    page = site.post(address("iteration", "changelist"), form, follow=True).content.decode()
    assert "has no review" in page
