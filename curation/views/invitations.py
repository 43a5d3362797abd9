"""Inviting into a team, and following an invitation."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from curation.access import team_of
from curation.models import Invitation
from curation.pages.join_page import join_page
from curation.pages.team_page import InvitationsPart, invitations_part, team_page
from curation.stages import invitations
from curation.stages.errors import InputError
from curation.views.signing_in import sign_in


@login_required
@never_cache
@require_POST
def new(request: HttpRequest, team: str) -> HttpResponse:
    """Answers with the link itself, as the page or its part: it is shown this once."""
    into = team_of(request.user, team)
    try:
        made, token = invitations.invite(into, request.POST.get("role", ""), request.user, request.POST.get("note", ""))
    except InputError as error:
        return _part(request, replace(invitations_part(into), problem=str(error)), status=422)
    link = request.build_absolute_uri(reverse("join", args=[token]))
    return _part(request, replace(invitations_part(into), link=link, made=made))


def _part(request: HttpRequest, part: InvitationsPart, status: int = 200) -> HttpResponse:
    if request.htmx:
        return render(request, "curation/teams/_invitations.html", {"part": part}, status=status)
    page = team_page(part.team, request.user, part)
    return render(request, "curation/teams/page.html", {"page": page}, status=status)


@login_required
@require_POST
def revoke(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation.objects.select_related("team"), team=team_of(request.user, team), pk=pk)
    invitations.revoke(invitation, request.user)
    messages.success(request, "The invitation is revoked: its link lets nobody in any more.")
    return redirect("team", team)


@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Who invites into which team; whoever is signed in joins, anybody else makes an account with it."""
    page = join_page(token, request.user)
    if page is None:
        return render(request, "curation/invitations/gone.html", status=410)
    if request.method == "GET":
        return render(request, "curation/invitations/page.html", {"page": page})
    if request.user.is_authenticated:
        invitations.accept(token, request.user)
        return redirect("team", page.invitation.team.slug)
    email, name = request.POST.get("email", ""), request.POST.get("name", "")
    try:
        user = invitations.register(token, email, name, request.POST.get("password", ""))
    except InputError as error:
        context = {"page": page, "problem": str(error), "email": email, "name": name}
        return render(request, "curation/invitations/page.html", context, status=422)
    sign_in(request, user)
    return redirect("team", page.invitation.team.slug)
