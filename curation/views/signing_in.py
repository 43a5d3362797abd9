"""Signing in by e-mail and password, or by a link that works once."""

from __future__ import annotations

from django.contrib.auth import login
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from curation.stages import people


class SignIn(LoginView):
    template_name = "curation/signing_in/page.html"
    redirect_authenticated_user = True


class SignOut(LogoutView):
    pass


@never_cache
@require_http_methods(["GET", "POST"])
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Opening the link shows a button; pressing it uses the link up, so a preview of the link does not."""
    if request.method == "GET":
        return render(request, "curation/signing_in/enter.html", {"token": token})
    user = people.redeem(token)
    if user is None:
        return render(request, "curation/signing_in/enter.html", {"token": token, "spent": True}, status=410)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("home")
