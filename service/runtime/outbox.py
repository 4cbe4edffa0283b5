"""What SQS is to be told, ten messages in a request: natural batches, without a timer."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextvars import Context
from typing import Generic, TypeVar

from service.errors import QueueError
from service.runtime.sqs import BATCH, level
from service.runtime.threads import in_thread

T = TypeVar("T")
MOST = 200  # items that wait while more messages are received
_LONGEST = 30.0

logger = logging.getLogger("service.worker")


class Outbox(Generic[T]):
    """Sends what is put into it, in the order in which it was put.

    One request is under way at a time; what comes in meanwhile goes with the next. A
    request that fails is made again, after longer and longer pauses, also one that SQS
    refuses: all that waits behind it is for the same queue and needs the same permission. A
    single message that SQS refuses is logged and left: it shows up again by itself.
    """

    def __init__(self, send: Callable[[list[T]], list[str]]) -> None:
        self._send = send
        self._waiting: list[T] = []
        self._sender: asyncio.Task[None] | None = None

    def put(self, items: list[T]) -> None:
        """The items leave soon."""
        self._waiting += items
        if self._waiting and (self._sender is None or self._sender.done()):
            # In a context of its own: what it sends and logs is of no one message.
            self._sender = asyncio.get_running_loop().create_task(self._run(), context=Context())

    async def room(self) -> None:
        """No more waits than may: what SQS is not told of must not become ever more."""
        if self._sender is not None and len(self._waiting) > MOST:
            await asyncio.wait({self._sender})

    async def empty(self) -> None:
        """All has left."""
        if self._sender is not None:
            await self._sender

    async def _run(self) -> None:
        pauses = delays()
        while self._waiting:
            batch = self._waiting[:BATCH]
            try:
                refused = await in_thread(self._send, batch)
            except QueueError as error:
                await pause(error, next(pauses))
                continue
            pauses = delays()
            del self._waiting[: len(batch)]
            for reason in refused:
                logger.warning("SQS refused a message: %s", reason)


def delays() -> Iterator[float]:
    """Seconds between attempts: 1, 2, 4 ... 30, 30."""
    seconds = 1.0
    while True:
        yield seconds
        seconds = min(seconds * 2, _LONGEST)


async def pause(error: QueueError, seconds: float) -> None:
    """It is logged, once an attempt, and so ever more seldom; then time passes."""
    logger.log(level(error), "%s; trying again in %g s", error, seconds)
    await asyncio.sleep(seconds)
