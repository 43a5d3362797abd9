"""A long file is read in a process of its own, beside the one that stores it: neither waits for the other's interpreter.

The child knows no database and no Django. It gets the file as its standard input, and writes frames: a length, then a
marshalled pair of what it is and its content. It ends with its last frame, or when nobody reads them any more.
"""

from __future__ import annotations

import io
import json
import marshal
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from curation.stages.incoming import Batch, Incoming
from toolcalls.importing import RowError

LONG = 2**20  # bytes; the child takes the time of as many to start
AHEAD = 8  # frames that are read before they are asked for: the index of words takes its time now and then
ROOT = Path(__file__).resolve().parents[2]


def is_long(file: IO[bytes]) -> bool:
    """Whether it is a file on disk, as it lies there, with much left to read."""
    raw = file.raw if isinstance(file, io.BufferedReader) else file
    return isinstance(raw, io.FileIO) and raw.seekable() and os.fstat(raw.fileno()).st_size - file.tell() >= LONG


def read_beside(incoming: Incoming, file: IO[bytes], kind: str, store: Callable[[Batch], None]) -> None:
    """What `incoming.read` does, and its counts, by a child. Raises OSError when the file cannot be read."""
    options = [incoming.split, incoming.heldout_share, incoming.skip_errors, kind]
    os.lseek(file.fileno(), file.tell(), os.SEEK_SET)
    with closing(_frames(file, options)) as frames:
        for what, content in frames:
            if what == "batch":
                store(Batch(*content))
            elif what == "rows" and incoming.on_progress:
                incoming.on_progress(content)
            elif what == "unreadable":
                raise OSError(*content)
            elif what == "end":
                incoming.rows, incoming.duplicates, incoming.skipped, incoming.breaking, errors, breaches = content
                incoming.errors, incoming.breaches = ([RowError(*row) for row in rows] for rows in (errors, breaches))


def _frames(file: IO[bytes], options: list[Any]) -> Generator[tuple[str, Any], None, None]:
    """All frames up to the last. Whoever stops asking ends the child. Raises RuntimeError when it ends before its time."""
    argv = [sys.executable, "-m", "curation.stages.reading_child", json.dumps(options)]
    with subprocess.Popen(argv, stdin=file, stdout=subprocess.PIPE, cwd=ROOT, start_new_session=True) as child:
        assert child.stdout is not None
        frames: queue.Queue[bytes] = queue.Queue(AHEAD)
        ahead = threading.Thread(target=_read_ahead, args=(child.stdout, frames), name="reading", daemon=True)
        ahead.start()
        what = ""
        try:
            while what != "end" and (frame := frames.get()):
                what, content = marshal.loads(frame)
                yield what, content
        finally:
            if what != "end":
                child.kill()
            while ahead.is_alive():
                _drain(frames)
                ahead.join(0.01)
    if what != "end":
        raise RuntimeError(f"the process that read the file ended with {child.returncode}")


def _read_ahead(pipe: IO[bytes], frames: queue.Queue[bytes]) -> None:
    """Frames as they come, and an empty one when no more will come."""
    while len(head := pipe.read(4)) == 4 and len(frame := pipe.read(length := int.from_bytes(head))) == length:
        frames.put(frame)
    frames.put(b"")


def _drain(frames: queue.Queue[bytes]) -> None:
    while not frames.empty():
        frames.get()


def main() -> None:
    split, heldout_share, skip_errors, kind = json.loads(sys.argv[1])
    incoming = Incoming(split, heldout_share, skip_errors, lambda rows: _send("rows", rows))
    try:
        with open(0, "rb", 2**20, closefd=False) as file:
            incoming.read(file, kind, lambda batch: _send("batch", tuple(batch)))
        named = ([(row.line, row.message) for row in rows] for rows in (incoming.errors, incoming.breaches))
        _send("end", (incoming.rows, incoming.duplicates, incoming.skipped, incoming.breaking, *named))
    except BrokenPipeError:
        os._exit(1)  # who asked for it is gone
    except OSError as error:
        _send("unreadable", (error.errno, error.strerror))


def _send(what: str, content: Any) -> None:
    frame = marshal.dumps((what, content))
    sys.stdout.buffer.write(len(frame).to_bytes(4))
    sys.stdout.buffer.write(frame)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
