"""Every error of the API is application/problem+json."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from curation.environment import Rate
from curation.models import Run, User

PROBLEM = "application/problem+json"


def problem(response: Any, status: int) -> dict[str, Any]:
    assert (response.status_code, response["Content-Type"]) == (status, PROBLEM), response.content
    body: dict[str, Any] = json.loads(response.content)
    assert body["status"] == status and body["title"] and body["detail"] and body["type"] == "about:blank"
    return body


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/nothing", "/runs/x", "/runs/1/nothing/else"])
def test_address_that_is_none_is_a_problem(client: Any, address: str) -> None:
    problem(client.get(f"/api/v1{address}"), 404)


def test_request_without_token_or_session_is_401(client: Any, db: None) -> None:
    response = client.get("/api/v1/projects")
    problem(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer wst_unknown", "Bearer", "Basic abc", ""])
def test_session_does_not_help_a_token_that_does_not_hold(by_session: Callable[..., Any], owner: User, header: str) -> None:
    problem(by_session(owner).get("/projects", Authorization=header), 401)


def test_method_that_is_not_taken_is_405(by_token: Callable[..., Any], viewer: User) -> None:
    response = by_token(viewer).put("/projects")
    problem(response, 405)
    assert response["Allow"] == "GET"


def test_schema_takes_no_post(client: Any, db: None) -> None:
    problem(client.post("/api/v1/openapi.json"), 405)


def test_run_of_others_is_404(by_token: Callable[..., Any], outsider: User, make_run: Callable[..., Run]) -> None:
    problem(by_token(outsider).get(f"/runs/{make_run().pk}"), 404)


def test_role_that_does_not_suffice_is_403(by_token: Callable[..., Any], viewer: User, make_run: Callable[..., Run]) -> None:
    body = problem(by_token(viewer).post(f"/runs/{make_run().pk}/changes", {"change": "start"}), 403)
    assert "engineer" in body["detail"]


def test_scope_that_does_not_suffice_is_403(by_token: Callable[..., Any], owner: User, make_run: Callable[..., Run]) -> None:
    body = problem(by_token(owner, "review").post(f"/runs/{make_run().pk}/changes", {"change": "start"}), 403)
    assert "token" in body["detail"]


def test_wrong_state_is_409(by_token: Callable[..., Any], engineer: User, make_run: Callable[..., Run]) -> None:
    body = problem(by_token(engineer).post(f"/runs/{make_run().pk}/changes", {"change": "resume"}), 409)
    assert "ready" in body["detail"]


@pytest.mark.parametrize(
    ("body", "name"),
    [({}, "change"), ({"change": "explode"}, "change"), ({"change": "start", "force": True}, "force"), ([], "body")],
)
def test_body_that_does_not_validate_is_422_and_says_where(
    by_token: Callable[..., Any], engineer: User, make_run: Callable[..., Run], body: Any, name: str
) -> None:
    run = make_run()
    errors = problem(by_token(engineer).post(f"/runs/{run.pk}/changes", body), 422)["errors"]
    assert [(one["in"], one["name"]) for one in errors] == [("body", name)] and errors[0]["problem"]
    run.refresh_from_db()
    assert run.state == "ready"


@pytest.mark.parametrize(
    "text", ["{", '{"name": NaN}', '{"name": 1e999}', '{"name": "\\u0000"}', '{"name": "\\ud800"}', "[" * 100_000]
)
def test_body_that_is_no_json_is_400(by_token: Callable[..., Any], engineer: User, team: Any, text: str) -> None:
    api = by_token(engineer)
    address = f"/api/v1/teams/{team.slug}/projects"
    problem(api.client.post(address, text, content_type="application/json", headers=api.headers), 400)


def test_body_that_is_too_large_is_413(by_token: Callable[..., Any], engineer: User, team: Any, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    problem(by_token(engineer).post(f"/teams/{team.slug}/projects", {"name": "x" * 2000}), 413)


@pytest.mark.parametrize(
    "query", ["a__b__c=1", "limit=0", "limit=x", "limit=5&limit=6", "after=-1", "after=99999999999999999999", "limit=%00"]
)
def test_query_that_cannot_be_used_is_422(by_token: Callable[..., Any], viewer: User, query: str) -> None:
    errors = problem(by_token(viewer).get(f"/projects?{query}"), 422)["errors"]
    assert [(one["in"], one["name"]) for one in errors] == [("query", query.partition("=")[0])]


def test_query_is_refused_where_none_is_known(by_token: Callable[..., Any], viewer: User, make_run: Callable[..., Run]) -> None:
    problem(by_token(viewer).get(f"/runs/{make_run().pk}?x=1"), 422)


def test_failure_of_ours_is_500_and_only_the_log_says_why(
    by_token: Callable[..., Any], viewer: User, make_run: Callable[..., Run], caplog: pytest.LogCaptureFixture
) -> None:
    run = make_run()
    Run.objects.filter(pk=run.pk).update(settings=["no settings at all"])  # what no stage writes
    body = problem(by_token(viewer).get(f"/runs/{run.pk}"), 500)
    assert "settings" not in body["detail"] and "settings" in caplog.text


def test_rate_is_a_person_s_and_429_says_when_to_come_back(
    by_token: Callable[..., Any], by_session: Callable[..., Any], viewer: User, owner: User, settings: Any
) -> None:
    settings.API_RATE = Rate(3, 3600)
    first, second = by_token(viewer), by_token(viewer)
    assert [api.get("/projects").status_code for api in (first, second, by_session(viewer))] == [200] * 3
    for api in (first, second, by_session(viewer)):
        response = api.get("/projects")
        problem(response, 429)
        assert 0 < int(response["Retry-After"]) <= 1200
    assert by_token(owner).get("/projects").status_code == 200


@pytest.mark.parametrize(("method", "address"), [("post", "/runs/1/changes"), ("delete", "/runs/1/comments/1")])
def test_write_by_session_needs_the_csrf_token(by_session: Callable[..., Any], owner: User, method: str, address: str) -> None:
    body = problem(getattr(by_session(owner), method)(address), 403)
    assert "CSRF" in body["detail"]


def test_write_by_session_with_its_csrf_token_is_done(
    by_session: Callable[..., Any], engineer: User, make_run: Callable[..., Run]
) -> None:
    run, api = make_run(mode="step"), by_session(engineer)
    api.client.cookies["csrftoken"] = "a" * 32
    done = api.post(f"/runs/{run.pk}/changes", {"change": "stop", "why": "a mistake"}, **{"X-CSRFToken": "a" * 32})
    assert (done.status_code, done.json()["state"], done.json()["why"]) == (200, "stopped", "a mistake")
