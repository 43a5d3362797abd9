"""A bucket on moto's S3 server, and a line to it that can be cut."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import suppress

import pytest


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of moto's S3 server, a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(words, stdout=file, stderr=file)
    try:
        for _ in range(600):
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/data.json", timeout=5):
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield port
    finally:
        process.kill()
        process.wait()


class Line:
    """A TCP line to the server. `cut_after(n)`: answers longer than n bytes break off there, until `mend`."""

    def __init__(self, port: int) -> None:
        self._to, self._most = port, None
        self.asked: list[tuple[str, str]] = []  # method and range of each request
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, most: int) -> None:
        self._most: int | None = most

    def mend(self) -> None:
        self._most = None

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                threading.Thread(target=self._ask, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(2**16):
                if found := re.match(rb"([A-Z]+) \S+ HTTP/1.1\r\n", data):
                    part = re.search(rb"(?im)^range: bytes=(\S+)\r$", data)
                    self.asked.append((found[1].decode(), part[1].decode() if part else ""))
                server.sendall(data)
        _shut(client, server)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        given = 0
        with suppress(OSError):
            while data := server.recv(512):
                if self._most is not None and given + len(data) > self._most:
                    client.sendall(data[: self._most - given])
                    break
                client.sendall(data)
                given += len(data)
        _shut(client, server)


def _shut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@pytest.fixture
def line(s3_server: int) -> Iterator[Line]:
    made = Line(s3_server)
    yield made
    made.close()


@pytest.fixture
def bucket(line: Line, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket, reached by the line, its keys in the environment as on a host."""
    import s3fs

    environ = {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "DEFAULT_REGION": "us-east-1"}
    for name, value in {**environ, "ENDPOINT_URL": f"http://127.0.0.1:{line.port}"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 2)  # the store tries again by itself
    s3fs.S3FileSystem.clear_instance_cache()
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    s3fs.S3FileSystem(use_listings_cache=False).mkdir(name)
    yield f"s3://{name}/whetstone"
    s3fs.S3FileSystem.clear_instance_cache()
