"""People with tokens, and a client that speaks JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django.test import Client

from curation.api.interface import throttle
from curation.models import Run, Sample, User
from curation.stages import running, tokens
from tests.curation.stages import conftest as by_hand

hand, queue = by_hand.hand, by_hand.queue  # the worker of the stages' tests


class Api:
    """`api.get("/runs/1")`: below /api/v1, by token or session; JSON in and out."""

    def __init__(self, client: Client, **headers: str) -> None:
        self.client, self.headers = client, headers

    def get(self, address: str, query: Any = None, **options: Any) -> Any:
        return self.client.get(f"/api/v1{address}", query or {}, headers={**self.headers, **options})

    def post(self, address: str, body: Any = None, **options: Any) -> Any:
        return self._send("post", address, body, options)

    def patch(self, address: str, body: Any = None, **options: Any) -> Any:
        return self._send("patch", address, body, options)

    def put(self, address: str, body: Any = None, **options: Any) -> Any:
        return self._send("put", address, body, options)

    def delete(self, address: str, body: Any = None, **options: Any) -> Any:
        return self._send("delete", address, body, options)

    def _send(self, method: str, address: str, body: Any, headers: dict[str, str]) -> Any:
        data = {} if body is None else body
        send = getattr(self.client, method)
        return send(f"/api/v1{address}", data, content_type="application/json", headers={**self.headers, **headers})


@pytest.fixture(autouse=True)
def fresh_buckets() -> None:
    """No test uses up another's requests."""
    throttle.forget()


@pytest.fixture
def by_token() -> Callable[..., Api]:
    """`by_token(engineer)`, `by_token(owner, "read")`: a client with a token of that scope."""

    def make(user: User, scope: str = "admin") -> Api:
        return Api(Client(), Authorization=f"Bearer {tokens.create(user, 'test', scope, 1).secret}")

    return make


@pytest.fixture
def by_session() -> Callable[..., Api]:
    """`by_session(owner)`: a client that is signed in and checks CSRF tokens as a browser's would be."""

    def make(user: User) -> Api:
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        return Api(client)

    return make


@pytest.fixture
def run(make_run: Callable[..., Run], hand: Any) -> Run:
    """A run whose iteration 1 waits for review: selected direct sample-0 and -1, pairs of sample-0 to -2."""
    made: Run = make_run(max_iterations=2, review="required")
    running.start_run(made)
    hand.work_off()
    return made


@pytest.fixture
def samples(run: Run) -> dict[int, int]:
    """The id of sample-0, sample-1, …"""
    rows = Sample.objects.filter(dataset=run.dataset).values_list("key", "pk")
    return {int(key.removeprefix("sample-")): pk for key, pk in rows}
