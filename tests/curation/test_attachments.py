"""Files sent as they are made: an asynchronous server reads all of it, and one that stops reading ends the making."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

from curation.attachments import Attachment


def blocks(ended: list[str]) -> Generator[bytes, None, None]:
    try:
        yield b"one\n"
        yield b"two\n"
        ended.append("whole")
    finally:
        ended.append("closed")


def read(attachment: Attachment, most: int) -> list[bytes]:
    """In a thread of its own: the tests' may have a running loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _read(attachment, most)).result()


async def _read(attachment: Attachment, most: int) -> list[bytes]:
    found: list[bytes] = []
    reading = aiter(attachment)
    async for block in reading:
        found.append(block)
        if len(found) == most:
            break
    await reading.aclose()
    return found


def test_an_asynchronous_server_reads_every_block() -> None:
    ended: list[str] = []
    attachment = Attachment(blocks(ended), "a.jsonl", headers={"Whetstone-Export": "7"})
    assert attachment["Content-Disposition"] == 'attachment; filename="a.jsonl"'
    assert attachment["Whetstone-Export"] == "7"
    assert read(attachment, 9) == [b"one\n", b"two\n"]
    assert ended == ["whole", "closed"]


def test_a_reader_that_goes_away_ends_the_making() -> None:
    ended: list[str] = []
    assert read(Attachment(blocks(ended), "a.jsonl"), 1) == [b"one\n"]
    assert ended == ["closed"]
