"""Who sends a request: the owner of an API token, or the person signed in, whose writes need a CSRF token as well."""

from __future__ import annotations

from typing import Any, cast

from ninja.errors import AuthenticationError, AuthorizationError
from ninja.security import HttpBearer
from ninja.security.apikey import APIKeyCookie
from ninja.utils import check_csrf

from django.conf import settings
from django.http import HttpRequest

from curation.models import User
from curation.stages import tokens


class Token(HttpBearer):
    """`Authorization: Bearer wst_…`. A header that does not hold is an error, never passed over for a session."""

    def __call__(self, request: HttpRequest) -> User | None:
        if "Authorization" not in request.headers:
            return None
        user = cast("User | None", super().__call__(request))
        if user is None:
            raise AuthenticationError(message="the token is unknown, revoked or past its time: Authorization: Bearer wst_…")
        return user

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        user = tokens.authenticate(token.strip())
        if user is not None:
            request.user = user
        return user


class Session(APIKeyCookie):
    """The cookie of a person who has signed in."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> User | None:
        if not request.user.is_authenticated:
            return None
        if check_csrf(request) is not None:
            raise AuthorizationError(message="the CSRF token is missing or wrong; send the cookie's value as X-CSRFToken")
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> User:
        return cast(User, request.user)


class SessionOnly(Session):
    """For what no token may do: a token that leaks must not make others, nor change a password."""

    def __call__(self, request: HttpRequest) -> User | None:
        if Token()(request) is not None:
            raise AuthorizationError(message="no API token may do this: sign in and use the session's cookie")
        return super().__call__(request)


def me(request: Any) -> User:
    """The user of a request that one of the above let in."""
    return cast(User, request.auth)
