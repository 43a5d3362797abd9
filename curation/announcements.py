"""What the database announces (migration 0004), heard on one connection per web process and told to all of its streams."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import psycopg

from curation.direct_address import direct_address

log = logging.getLogger(__name__)

CHANNEL = "whetstone"
APPLICATION = "whetstone stream"  # the listener's name in pg_stat_activity
LINGER = 30.0  # seconds that the connection is kept without a subscriber, and between two proofs that it lives
MOST_WAITING = 1000  # announcements that a stream may lag behind


@dataclass(frozen=True, slots=True)
class Announcement:
    """A change of something of a team's run, or, with `member`, of what that user may see."""

    verb: str
    team: int | None = None
    run: int | None = None
    event: int | None = None  # id of its Event; None for what has none, such as a training step
    member: int | None = None


@dataclass(slots=True, eq=False)
class Subscriber:
    """One stream's queue. None in it means: nothing more comes, connect anew."""

    waiting: asyncio.Queue[Announcement | None] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))

    def tell(self, said: Announcement) -> None:
        """A stream that lags too far behind is ended; its reader connects anew and is told what it missed."""
        if self.waiting.full():
            self.end()
        else:
            self.waiting.put_nowait(said)

    def end(self) -> None:
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(None)


class Hub:
    """Everything heard goes to every subscriber. Not in charge of who may know it: the stream drops what is not its user's.

    Its one connection is opened for the first subscriber and closed a while after the last. When it is lost all
    subscribers are ended, for nobody knows what they missed.
    """

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._listening: asyncio.Task[None] | None = None
        self._heard: asyncio.Future[None] | None = None  # done once LISTEN stands

    @asynccontextmanager
    async def subscribed(self) -> AsyncIterator[Subscriber]:
        """Whatever is committed after this is entered will be told. Raises psycopg.Error: no database."""
        subscriber = Subscriber()
        self._subscribers.add(subscriber)
        try:
            if self._listening is None or self._listening.done():
                self._heard = asyncio.get_running_loop().create_future()
                self._listening = asyncio.create_task(self._listen(self._heard))
            assert self._heard is not None
            await asyncio.shield(self._heard)
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)

    async def _listen(self, heard: asyncio.Future[None]) -> None:
        try:
            address = direct_address(APPLICATION)
            async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                heard.set_result(None)
                while self._subscribers:
                    await connection.execute("SELECT 1")
                    async for notice in connection.notifies(timeout=LINGER):
                        self._tell(Announcement(**json.loads(notice.payload)))
        except psycopg.Error as error:
            log.warning("the listener lost the database; streams end and connect anew: %s", str(error).strip())
            if not heard.done():
                heard.set_exception(error)
                heard.exception()  # whoever waits for it raises it; nobody may
        finally:
            for subscriber in self._subscribers:
                subscriber.end()

    def _tell(self, said: Announcement) -> None:
        for subscriber in self._subscribers:
            subscriber.tell(said)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The process's hub: one per event loop, and a web process has one loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
