"""How many messages are in work at once, shared by the queues of a worker."""

import asyncio

from service.runtime.sqs import BATCH, WAIT_SECONDS

# Messages that take no time end one after the other; to ask for each of them alone would cost
# a request a message.
_LINGER = 0.002


class Slots:
    """One slot a message, in work or asked for; whoever waits longest gets the next.

    A queue that had nothing keeps one slot while it waits for more, unless it is the only
    one. Where queues outnumber slots they take turns, and wait for a second only.
    """

    def __init__(self, limit: int, queues: int) -> None:
        self.wait = WAIT_SECONDS if queues <= limit else 1
        self._alone = queues == 1
        self._limit = limit
        self._free = asyncio.Semaphore(limit)

    async def take(self, busy: bool) -> int:
        """Slots to fill, at least one: all that are free, 10 at most, for a busy queue."""
        await self._free.acquire()
        most = min(BATCH, self._limit) if busy or self._alone else 1
        taken = await self._more(1, most)
        if taken < most:
            await asyncio.sleep(_LINGER)
            taken = await self._more(taken, most)
        return taken

    async def _more(self, taken: int, most: int) -> int:
        while taken < most and not self._free.locked():  # nor does another queue wait
            await self._free.acquire()
            taken += 1
        return taken

    def give(self, count: int) -> None:
        """So many slots are free again."""
        for _ in range(count):
            self._free.release()
