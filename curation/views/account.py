"""One's own account: name, password, API tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from curation import throttle
from curation.models import User
from curation.pages.account_page import TokensPart, account_page, tokens_part
from curation.stages import people, tokens
from curation.stages.errors import InputError
from curation.views.signing_in import too_many

PAGE = "curation/account/page.html"


@login_required
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    return render(request, PAGE, {"page": account_page(request.user, _password_form(request.user))})


@login_required
@require_POST
def rename(request: HttpRequest) -> HttpResponse:
    people.rename(request.user, request.POST.get("name", ""))
    messages.success(request, f"You are shown as {request.user}.")
    return redirect("account")


@sensitive_post_parameters()
@login_required
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """Change the password, or give one to an account that only links have let in. Other sessions end; this one goes on."""
    attempt = throttle.begin(request.user.email, request)
    if attempt is None:
        return too_many(request, PAGE, {"page": account_page(request.user, _password_form(request.user))})
    form = _password_form(request.user, request.POST)
    if not form.is_valid():
        return render(request, PAGE, {"page": account_page(request.user, form)}, status=422)
    throttle.succeeded(attempt)
    people.set_password(request.user, form.cleaned_data["new_password1"], request.user)
    update_session_auth_hash(request, request.user)
    messages.success(request, "The password is changed. Wherever else you were signed in, you are signed out.")
    return redirect("account")


def _password_form(user: User, data: Any = None) -> SetPasswordForm:
    """One that asks for the old password, where there is one."""
    return PasswordChangeForm(user, data) if user.has_usable_password() else SetPasswordForm(user, data)


@login_required
@never_cache
@require_POST
def token_new(request: HttpRequest) -> HttpResponse:
    """Answers with the secret itself, as the page or its part: it is shown this once."""
    name, days = request.POST.get("name", ""), request.POST.get("days", "")
    try:
        made, secret = tokens.create(request.user, name, request.POST.get("scope", ""), _number(days))
    except InputError as error:
        return _part(request, tokens_part(request.user, problem=str(error), name=name), status=422)
    curl = f'curl -H "Authorization: Bearer {secret}" {request.build_absolute_uri("/api/v1/projects")}'
    return _part(request, tokens_part(request.user, secret=secret, made=made, curl=curl))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise InputError(f"days {text[:20]!r}: a whole number from 1 to {tokens.MOST_DAYS}")
    return int(text)


def _part(request: HttpRequest, part: TokensPart, status: int = 200) -> HttpResponse:
    if request.htmx:
        return render(request, "curation/account/_tokens.html", {"part": part}, status=status)
    page = account_page(request.user, _password_form(request.user), part)
    return render(request, PAGE, {"page": page}, status=status)


@login_required
@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(tokens.standing(request.user), pk=pk)
    tokens.revoke(token, request.user)
    messages.success(request, f"The token {token.name} is revoked.")
    return redirect("account")
