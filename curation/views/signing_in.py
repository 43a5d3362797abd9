"""Signing in by e-mail and password, or by a link that works once."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from curation import throttle
from curation.models import User
from curation.stages import people

BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignInForm(AuthenticationForm):
    """Says the same whether the address or the password is wrong, and of an account that is not active."""

    error_messages = {"invalid_login": "This e-mail address and this password do not belong together."}


@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), "dispatch")
class SignIn(LoginView):
    template_name = "curation/signing_in/page.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.attempt = throttle.begin(request.POST.get("username", ""), request)
        if self.attempt is None:
            return too_many(request, self.template_name, {"next": self.get_redirect_url()})
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: SignInForm) -> HttpResponse:
        assert self.attempt is not None
        throttle.succeeded(self.attempt)
        people.signed_in(form.get_user(), "password")
        return super().form_valid(form)


class SignOut(LogoutView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        answer = super().post(request, *args, **kwargs)
        if user.is_authenticated:
            people.signed_out(user)
        return answer


def too_many(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """The page of the form, without having looked at what was sent."""
    answer = render(request, template, {**context, "refused": throttle.REFUSAL}, status=429)
    answer["Retry-After"] = str(throttle.WINDOW)
    return answer


@require_safe
def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """The admin site has no door of its own: the one with the throttle leads there too."""
    if request.user.is_authenticated:
        raise PermissionDenied("The admin site is for the operators of this installation.")
    target = request.GET.get("next", reverse("admin:index"))
    return redirect(f"{reverse('sign_in')}?{urlencode({'next': target})}")


@never_cache
@require_http_methods(["GET", "POST"])
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Opening the link shows a button; pressing it uses the link up, so a preview of the link does not."""
    if request.method == "GET":
        return render(request, "curation/signing_in/enter.html", {"token": token})
    user = people.redeem(token)
    if user is None:
        return render(request, "curation/signing_in/enter.html", {"token": token, "spent": True}, status=410)
    sign_in(request, user)
    return redirect("home")


def sign_in(request: HttpRequest, user: User) -> None:
    """Begin a session for somebody who has shown something other than a password."""
    login(request, user, backend=BACKEND)
