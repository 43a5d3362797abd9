"""A team's page, its members, and a new team."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.access import team_of
from curation.models import Membership, User
from curation.pages.team_page import team_page
from curation.stages import people
from curation.stages.errors import InputError, NotPermitted


@login_required
@require_GET
def team(request: HttpRequest, team: str) -> HttpResponse:
    shown = team_of(request.user, team)
    return render(request, "curation/teams/page.html", {"page": team_page(shown, request.user)})


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    if not people.may_create_team(request.user):
        raise NotPermitted("teams are made by the operators of this site; ask one of them")
    if request.method == "GET":
        return render(request, "curation/teams/new.html")
    name = request.POST.get("name", "")
    try:
        made = people.create_team(name, request.user)
    except InputError as error:
        return render(request, "curation/teams/new.html", {"problem": str(error), "name": name}, status=422)
    return redirect("team", made.slug)


@login_required
@require_POST
def rename(request: HttpRequest, team: str) -> HttpResponse:
    people.rename_team(team_of(request.user, team), request.POST.get("name", ""), request.user)
    messages.success(request, "The team has another name. Its address stays.")
    return redirect("team", team)


@login_required
@require_POST
def member_change(request: HttpRequest, team: str, member: int) -> HttpResponse:
    membership = _member(request.user, team, member)
    people.change_role(membership, request.POST.get("role", ""), request.user)
    messages.success(request, f"{membership.user} is {membership.role} now.")
    return redirect("team", team)


@login_required
@require_POST
def member_remove(request: HttpRequest, team: str, member: int) -> HttpResponse:
    membership = _member(request.user, team, member)
    people.remove_member(membership, request.user)
    if membership.user_id == request.user.pk:
        messages.success(request, f"You have left {membership.team}.")
        return redirect("home")
    messages.success(request, f"{membership.user} is no member of {membership.team} any more.")
    return redirect("team", team)


def _member(user: User, team: str, member: int) -> Membership:
    """The membership of the user `member` in a team of `user`'s."""
    members = Membership.objects.filter(team=team_of(user, team)).select_related("user", "team")
    return get_object_or_404(members, user=member)
