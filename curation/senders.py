"""Whether a request comes from somebody we know, asked before its body is taken."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from asgiref.sync import sync_to_async

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.core.handlers.asgi import ASGIRequest
from django.db import connection

from curation.stages import tokens


async def is_known(scope: Any) -> bool:
    """Of an ASGI scope: a session's cookie or an API token that holds. The body is not read."""
    return await sync_to_async(_is_known, thread_sensitive=False)(scope)


def _is_known(scope: Any) -> bool:
    request = ASGIRequest(scope, BytesIO())
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    try:
        if kind.lower() == "bearer":
            return tokens.authenticate(secret.strip()) is not None
        request.session = SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        return bool(get_user(request).is_authenticated)
    finally:
        connection.close()  # this thread is no request's: nobody else gives its connection back
