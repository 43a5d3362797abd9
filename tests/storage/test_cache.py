"""A host's cache: each thing made once by all its processes, bounded, and nothing taken from who uses it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.storage.cache import Cache
from curation.storage.store import Store

PROJECT = Path(__file__).resolve().parents[2]


def of(size: int) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(b"x" * size) and None


def take(cache: Cache, key: str, size: int) -> None:
    with cache.held(key, of(size), bytes_needed=size) as path:
        assert path.stat().st_size == size


def keys(cache: Cache) -> set[str]:
    return {kept.key for kept in cache.kept()}


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 100)
    for number, name in enumerate("abc"):
        take(cache, f"files/{name}", 30)
        os.utime(tmp_path / "locks" / f"files-{name}", (number, number))
    take(cache, "files/a", 30)
    take(cache, "files/d", 40)
    assert keys(cache) == {"files/a", "files/c", "files/d"}


def test_nothing_is_taken_from_who_uses_it_even_over_the_limit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = Cache(tmp_path, 100)
    with cache.held("files/a", of(80), bytes_needed=80) as used:
        take(cache, "files/b", 90)
        assert used.exists()
        assert not cache.drop("files/a")
        assert "over its limit" in caplog.text
    take(cache, "files/c", 90)
    assert keys(cache) == {"files/c"}


def test_what_is_made_of_unknown_size_makes_room_afterwards(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 100)
    take(cache, "files/a", 60)
    (tmp_path / "made" / "deep").mkdir(parents=True)
    (tmp_path / "made" / "deep" / "weights").write_bytes(b"x" * 70)
    cache.add("merged/b", tmp_path / "made")
    assert keys(cache) == {"merged/b"}
    assert not (tmp_path / "made").exists()
    assert (cache.path("merged/b") / "deep" / "weights").stat().st_size == 70


def test_what_failed_halfway_is_not_there_but_can_be_gone_on_with(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 100)

    def breaks(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("the line broke")

    with pytest.raises(OSError, match="broke"), cache.held("files/a", breaks):
        pass
    assert not cache.path("files/a").exists()
    with cache.held("files/a", lambda path: path.write_bytes(path.read_bytes() + b" and half") and None) as path:
        assert path.read_bytes() == b"half and half"


def test_whoever_waits_for_a_lock_may_be_stopped(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 100)

    def check() -> None:
        raise InterruptedError

    def asks_again(path: Path) -> None:
        with pytest.raises(InterruptedError), cache.held("files/a", of(1), check=check):
            pass
        path.write_bytes(b"x")

    with cache.held("files/a", asks_again) as path:
        assert path.exists()


def test_whoever_came_too_late_to_make_a_thing_does_not_wait_for_its_user(tmp_path: Path) -> None:
    cache, late = Cache(tmp_path, 100), Cache(tmp_path, 100)
    lock = tmp_path / "locks" / "files-a"
    lock.parent.mkdir(parents=True)
    got = threading.Event()

    def make() -> None:
        cache.path("files/a").write_bytes(b"x")

    def use() -> None:
        with late.held("files/a", lambda path: pytest.fail("made twice"), check=make):
            got.set()

    with lock.open("w") as user:  # another process, which has made the thing by the time of the first look again
        fcntl.flock(user, fcntl.LOCK_SH)
        (tmp_path / "files").mkdir()
        waiting = threading.Thread(target=use, daemon=True)
        waiting.start()
        assert got.wait(10)
        waiting.join()
        late.add("files/a", tmp_path / "nothing")


SCRIPT = """
    import sys, time
    from pathlib import Path
    from curation.storage.cache import Cache
    from curation.storage.store import Store, Stored
    cache, store = Cache(Path(sys.argv[1]), 10**9), Store(sys.argv[2], block=1000)
    stored = Stored(sys.argv[3], int(sys.argv[4]))
    print("ready", flush=True)
    sys.stdin.readline()
    def make(path):
        time.sleep(float(sys.argv[5]))
        store.fetch(stored, path)
    with cache.held("files/a", make) as path:
        print(path.stat().st_size, flush=True)
        sys.stdin.readline()
"""


def process(*words: object) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    made = subprocess.Popen([sys.executable, "-c", textwrap.dedent(SCRIPT), *map(str, words)], text=True, cwd=PROJECT, **pipes)
    assert made.stdout is not None
    assert made.stdout.readline() == "ready\n"
    return made


def tell(each: subprocess.Popen[str]) -> None:
    assert each.stdin is not None
    each.stdin.write("\n")
    each.stdin.flush()


def heard(each: subprocess.Popen[str]) -> str:
    assert each.stdout is not None
    return each.stdout.readline().strip()


def end(*processes: subprocess.Popen[str]) -> None:
    for each in processes:
        each.kill()
        each.communicate()


@pytest.mark.process
def test_two_processes_that_ask_at_once_download_once(s3_store: Store, line: Any, file: Any, tmp_path: Path) -> None:
    stored = s3_store.put(file("weights", 4000))
    words = (tmp_path / "cache", s3_store.root, stored.sha256, stored.bytes, 0.3)
    both = [process(*words), process(*words)]
    line.asked.clear()
    for each in both:
        tell(each)
    assert [heard(each) for each in both] == ["4000", "4000"]
    assert len([part for _, part in line.asked if part]) == 4
    cache = Cache(tmp_path / "cache", 1)
    cache.make_room()
    assert keys(cache) == {"files/a"}  # both still use it
    end(*both)
    cache.make_room()
    assert keys(cache) == set()


@pytest.mark.process
def test_a_killed_process_leaves_no_lock_and_its_part_is_gone_on_with(
    s3_store: Store, line: Any, file: Any, tmp_path: Path
) -> None:
    stored = s3_store.put(file("weights", 4000))
    folder = tmp_path / "cache"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "a.partial").write_bytes(file("weights", 4000).read_bytes()[:3000])
    slow = process(folder, s3_store.root, stored.sha256, stored.bytes, 60)
    tell(slow)
    time.sleep(0.3)
    slow.send_signal(signal.SIGKILL)
    end(slow)
    line.asked.clear()
    quick = process(folder, s3_store.root, stored.sha256, stored.bytes, 0)
    tell(quick)
    assert heard(quick) == "4000"
    end(quick)
    assert [part for _, part in line.asked if part] == ["3000-3999"]
