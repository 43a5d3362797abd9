"""Where things lie: short socket paths, one answer per var folder, clear words where a folder cannot be used."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from curation.services.errors import ServiceError
from curation.services.paths import Paths


def test_socket_path_is_short_when_var_is_deep(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a folder with a long name"] * 20)
    for socket in (Paths(deep).postgres_socket, Paths(deep).valkey_socket):
        assert len(os.fsencode(socket)) < 100
    assert str(deep) not in Paths(deep).postgres_url


def test_sockets_differ_between_var_folders_and_agree_for_one(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "one")
    assert Paths(tmp_path / "one").sockets == Paths(tmp_path / "link").sockets
    assert Paths(tmp_path / "one").sockets != Paths(tmp_path / "two").sockets


def test_socket_folder_is_closed_to_others_when_it_stood_open_before(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "var")
    paths.sockets.mkdir(mode=0o777)
    try:
        paths.prepare()
        assert stat.S_IMODE(paths.sockets.stat().st_mode) == 0o700
    finally:
        paths.sockets.rmdir()


def test_socket_folder_is_refused_when_it_is_a_link(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "var")
    paths.sockets.symlink_to(tmp_path)
    try:
        with pytest.raises(ServiceError, match="belongs to somebody else"):
            paths.prepare()
    finally:
        paths.sockets.unlink()


def test_var_below_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServiceError, match=r"cannot write .*file.*set WHETSTONE_VAR"):
        Paths(tmp_path / "file" / "var").prepare()
