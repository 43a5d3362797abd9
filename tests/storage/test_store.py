"""The store: files by their content, published whole, fetched whole, whatever the line does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.storage import folders
from curation.storage import store as stores
from curation.storage.errors import DamagedFile, MissingFile, StoreError
from curation.storage.store import Store, Stored, sha256_of

pytestmark = pytest.mark.process
Files = Callable[..., Path]


def test_a_file_is_found_by_its_content_and_once(store: Store, file: Files, tmp_path: Path) -> None:
    first, same = file("a"), tmp_path / "b"
    same.write_bytes(first.read_bytes())
    stored = store.put(first)
    assert (store.put(same), store.size(stored.sha256)) == (stored, 3500)
    assert [(found.sha256, found.bytes) for found in store.listed()] == [(stored.sha256, 3500)]
    assert b"".join(store.blocks(stored)) == first.read_bytes()
    store.fetch(stored, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == first.read_bytes()
    store.delete(stored.sha256)
    store.delete(stored.sha256)
    assert (store.size(stored.sha256), list(store.listed())) == (None, [])
    with pytest.raises(MissingFile, match=stored.sha256):
        store.fetch(stored, tmp_path / "gone")


def test_a_folder_takes_what_is_settled_without_a_copy_and_anything_else_with_one(tmp_path: Path, file: Files) -> None:
    store = Store(str(tmp_path / "store"))
    for path, settled in ((file("a"), True), (file("b"), False)):
        stored = store.put(path, settled=settled)
        assert Path(store._place(stored.sha256)).samefile(path) is settled
        store.fetch(stored, tmp_path / f"{path.name}.back")
        assert (tmp_path / f"{path.name}.back").samefile(store._place(stored.sha256))


def test_a_large_file_arrives_in_parts(s3_store: Store, file: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from s3fs import S3FileSystem

    monkeypatch.setattr(S3FileSystem, "default_block_size", 5 * 2**20)
    large = file("large", 12 * 2**20)
    stored = Store(s3_store.root).put(large)
    Store(s3_store.root).fetch(stored, tmp_path / "back")
    assert sha256_of(tmp_path / "back") == stored.sha256


def test_an_old_file_is_written_anew_for_the_sweep(store: Store, file: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = store.put(file("a"))
    [before] = store.listed()
    time.sleep(1.1)  # a bucket counts in seconds
    store.put(file("a"))
    assert next(store.listed()).written == before.written
    monkeypatch.setattr(stores, "FRESH", 0.5)
    store.put(file("a"))
    [after] = store.listed()
    assert after.written > before.written
    assert after.sha256 == stored.sha256


def test_a_cut_line_is_gone_on_with_where_it_broke(s3_store: Store, line: Any, file: Files, tmp_path: Path) -> None:
    stored, target = s3_store.put(file("weights", 5500)), tmp_path / "weights.partial"
    s3_store.fetch(Stored(stored.sha256, stored.bytes), target)
    target.write_bytes(target.read_bytes()[:2500])
    line.cut_after(900)
    with pytest.raises(StoreError, match="could not read"):
        s3_store.fetch(stored, target)
    assert target.stat().st_size == 2500
    line.mend()
    line.asked.clear()
    s3_store.fetch(stored, target)
    assert sha256_of(target) == stored.sha256
    assert [part for _, part in line.asked if part] == ["2500-3499", "3500-4499", "4500-5499"]


def test_a_line_that_is_mended_meanwhile_is_not_noticed(s3_store: Store, line: Any, file: Files, tmp_path: Path) -> None:
    stored, tries = s3_store.put(file("weights", 2500)), []

    def mend_after_two() -> None:
        tries.append(None)
        line.cut_after(600) if len(tries) < 2 else line.mend()

    line.cut_after(600)
    stop = _every(0.3, mend_after_two)
    s3_store.fetch(stored, tmp_path / "back")
    stop()
    assert sha256_of(tmp_path / "back") == stored.sha256


def _every(seconds: float, do: Callable[[], None]) -> Callable[[], None]:
    import threading

    ended = threading.Event()

    def run() -> None:
        while not ended.wait(seconds):
            do()

    thread = threading.Thread(target=run)
    thread.start()
    return lambda: (ended.set(), thread.join())[1]


def test_wrong_bytes_are_refused_and_thrown_away(store: Store, file: Files, tmp_path: Path) -> None:
    stored, other = store.put(file("a")), file("b")
    store._fs.rm_file(store._place(stored.sha256))
    store._fs.put_file(str(other), store._place(stored.sha256))
    with pytest.raises(DamagedFile, match="other bytes"):
        store.fetch(stored, tmp_path / "back")
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("left", [b"nothing of it", b"x" * 9000])
def test_a_wrong_beginning_does_not_stay(s3_store: Store, file: Files, tmp_path: Path, left: bytes) -> None:
    stored, target = s3_store.put(file("a")), tmp_path / "a.partial"
    target.write_bytes(left)
    with pytest.raises(DamagedFile):
        s3_store.fetch(stored, target)
    s3_store.fetch(stored, target)
    assert sha256_of(target) == stored.sha256


def test_whoever_must_stop_stops_between_blocks(s3_store: Store, file: Files, tmp_path: Path) -> None:
    stored, asked = s3_store.put(file("a", 9000)), []

    def check() -> None:
        asked.append(None)
        if len(asked) == 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        s3_store.fetch(stored, tmp_path / "a.partial", check)
    assert (tmp_path / "a.partial").stat().st_size == 3 * 1000


def test_a_store_that_is_away_or_refuses_says_so(s3_store: Store, line: Any, file: Files, tmp_path: Path) -> None:
    stored = s3_store.put(file("a"))
    with pytest.raises(StoreError, match=r"s3://no-such-bucket/x could not store"):
        Store("s3://no-such-bucket/x", pause=0.01).put(file("a"))
    line.cut_after(0)
    for ask in (lambda: s3_store.size(stored.sha256), lambda: s3_store.put(file("b")), lambda: list(s3_store.listed())):
        with pytest.raises(StoreError, match="see docs/operations"):
            ask()


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path, file: Files) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(StoreError, match="could not store a"):
        Store(str(tmp_path / "store")).put(file("a"))


def test_a_half_written_file_is_none(tmp_path: Path, file: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(str(tmp_path / "store"))
    monkeypatch.setattr(os, "utime", _refuse)
    with pytest.raises(StoreError):
        store.put(file("a"))
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]


def _refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_folder_has_one_address_and_comes_back(store: Store, file: Files, tmp_path: Path) -> None:
    for name in ("adapter/weights", "adapter/config/a.json", "copy/weights", "copy/config/a.json"):
        file(name).write_bytes(name.partition("/")[2].encode() * 500)
    names = ["weights", "config/a.json"]
    first, second = (folders.put_folder(store, tmp_path / each, names, tmp_path / "scratch") for each in ("adapter", "copy"))
    assert first == second
    entries = folders.read_folder(store, first)
    assert [entry.name for entry in entries] == sorted(names)
    folders.fetch_folder(store, entries, tmp_path / "back")
    assert [(tmp_path / "back" / name).read_bytes() for name in names] == [
        (tmp_path / "copy" / name).read_bytes() for name in names
    ]
    (tmp_path / "back" / "weights").unlink()
    (tmp_path / "back" / "weights").write_bytes(b"?")
    with pytest.raises(DamagedFile):
        folders.fetch_folder(store, entries, tmp_path / "back")
    with pytest.raises(MissingFile):
        folders.read_folder(store, "0" * 64)


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"files": 1}', b'{"files":[{"bytes":1,"name":"../../etc/x","sha256":"00"}]}', b'{"files": []}']
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    store = Store(str(tmp_path / "store"))
    (tmp_path / "manifest").write_bytes(content)
    with pytest.raises(DamagedFile):
        folders.read_folder(store, store.put(tmp_path / "manifest").sha256)
