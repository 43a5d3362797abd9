"""A signed-in browser without the browser: one connection, one request after another, all as htmx or as a page asks."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Request:
    """With `form` a POST. `htmx` is the id of the element that the fragment goes into; empty: a whole page."""

    path: str
    form: Mapping[str, object] | None = None
    htmx: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`seconds` from the first byte sent to the last one read; `cpu` seconds that the server and Postgres computed meanwhile."""

    seconds: float
    cpu: float
    body: bytes
    trigger: str

    @property
    def undo(self) -> str:
        """The address that its toast offers."""
        return str(json.loads(self.trigger)["toast"]["undo"])


@dataclass
class Browser:
    """`cpu` reads the clock of the processes that serve it."""

    port: int
    cpu: Callable[[], float]
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=900)

    def sign_in(self, email: str, password: str) -> None:
        self.ask(Request("/sign-in/"))
        self.ask(Request("/sign-in/", form={"username": email, "password": password}))
        if "sessionid" not in self.cookies:
            raise SystemExit("signing in failed")

    def ask(self, request: Request) -> Answer:
        """Ends the program when the answer is an error."""
        headers = self._headers(request)
        method, body = ("GET", None) if request.form is None else ("POST", urlencode(request.form, doseq=True))
        cpu, start = self.cpu(), time.perf_counter()
        self._connection.request(method, request.path, body, headers)
        response = self._connection.getresponse()
        content = response.read()
        seconds, cpu = time.perf_counter() - start, self.cpu() - cpu
        if response.status >= 400:
            raise SystemExit(f"{method} {request.path}: {response.status} {content[:500]!r}")
        for line in response.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return Answer(seconds, cpu, content, response.headers.get("HX-Trigger", ""))

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if request.htmx:
            headers |= {"HX-Request": "true", "HX-Target": request.htmx}
        if request.form is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": self.cookies["csrftoken"]}
        return headers
