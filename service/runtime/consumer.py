"""Messages of one queue: received, given to their handler, then deleted or given back."""

import asyncio
import logging
from copy import deepcopy

from service.errors import QueueError
from service.runtime.batch import Record
from service.runtime.event_handler import Runtime
from service.runtime.event_kind import SQS
from service.runtime.events import EventRouter
from service.runtime.invocation import invoke
from service.runtime.message import Message, delay, lanes, receipts, record
from service.runtime.outbox import Outbox, delays, pause
from service.runtime.slots import Slots
from service.runtime.sqs import WAIT_SECONDS, Queue, QueueFacts, level
from service.runtime.threads import in_thread
from service.runtime.visibility import Visibility

_LAST_RECEIVE = WAIT_SECONDS + 2.0
_LAST_WORDS = 5.0  # seconds for cancelled handlers to clean up, and again to tell SQS

logger = logging.getLogger("service.worker")


class Consumer:
    """Works on one queue until it is cancelled, and then `drain`ed.

    A message is deleted after its handler has succeeded, and not before: whatever ends this
    process, the message is handled again. A failed one comes back after a pause; after how
    many times it is dead says the queue's redrive policy.
    """

    def __init__(
        self,
        queue: Queue,
        facts: QueueFacts,
        events: EventRouter,
        runtime: Runtime,
        slots: Slots,
    ) -> None:
        self._arn = facts.arn
        self._events = events
        self._runtime = runtime
        self._slots = slots
        self._by_record = events.handler(sample(facts.arn), runtime).by_record
        self._visibility = Visibility(queue, facts.visibility)
        self._done: Outbox[str] = Outbox(self._visibility.delete)
        self._back: Outbox[tuple[str, int]] = Outbox(self._visibility.release)
        self._lanes: set[asyncio.Task[None]] = set()
        self._receipt: asyncio.Task[list[Message]] | None = None

    async def run(self) -> None:
        """Messages go to their handlers, until this is cancelled; handlers then go on."""
        busy = True
        while True:
            await self._done.room()
            await self._back.room()
            slots = await self._slots.take(busy)
            records = await self._receive(slots)
            self._slots.give(slots - len(records))
            busy = bool(records)
            for lane in lanes(records, self._by_record):
                task = asyncio.create_task(self._work(lane))
                self._lanes.add(task)
                task.add_done_callback(self._lanes.discard)

    async def drain(self, grace: float) -> int:
        """SQS was told of everything; how many handlers were cancelled after the grace time.

        While a receive is under way they go on, for some seconds more. Their messages, and
        those that came too late to be begun, are visible again at once.
        """
        late = asyncio.create_task(self._return_late())
        await asyncio.wait({*self._lanes, late}, timeout=grace)
        # First, or the receive under way would take what is given back.
        await asyncio.wait({late}, timeout=_LAST_RECEIVE)
        unfinished = set(self._lanes)
        for task in (late, *unfinished):
            task.cancel()
        if unfinished:
            await asyncio.wait(unfinished, timeout=_LAST_WORDS)
        told = asyncio.gather(self._done.empty(), self._back.empty())
        await asyncio.wait({told}, timeout=_LAST_WORDS)
        self._visibility.end()
        return len(unfinished)

    async def _receive(self, at_most: int) -> list[Record]:
        for seconds in delays():
            self._receipt = asyncio.create_task(
                in_thread(self._visibility.receive, at_most, self._slots.wait)
            )
            try:
                messages = await asyncio.shield(self._receipt)
            except QueueError as error:
                await pause(error, seconds)
            else:
                break
        self._receipt = None
        return [record(message, self._arn) for message in messages]

    async def _return_late(self) -> None:
        """What a receive brings that was under way when this was told to stop."""
        if self._receipt is None:
            return
        try:
            messages = await self._receipt
        except QueueError as error:
            logger.log(level(error), "%s", error)
            return
        self._back.put([(str(message["ReceiptHandle"]), 0) for message in messages])

    async def _work(self, lane: list[list[Record]]) -> None:
        """The batches of a lane, one after the other; after a failure the rest is not tried."""
        waiting = [one for records in lane for one in records]
        try:
            for records in lane:
                failed, error = await self._failed(records)
                self._done.put(receipts([one for one in records if one not in failed]))
                waiting = waiting[len(records) :]
                self._slots.give(len(records))
                if failed:
                    seconds = delay(failed[0], error, self._visibility.seconds)
                    self._give_back(failed + waiting, seconds)
                    return
        except asyncio.CancelledError:
            self._give_back(waiting, 0)
            raise
        finally:
            self._slots.give(len(waiting))

    async def _failed(self, records: list[Record]) -> tuple[list[Record], Exception | None]:
        """Those of the records that their handler did not take, and what it raised of the first.

        When a handler of a whole batch raises, that is all of them.
        """
        event = {"Records": deepcopy(records)}  # a handler may change what it gets
        try:
            outcome = await invoke(self._events, event, records[0]["messageId"], self._runtime)
        except Exception as error:
            return records, error
        failed = [one for one in records if one["messageId"] in outcome.failed]
        return failed, outcome.failed[failed[0]["messageId"]] if failed else None

    def _give_back(self, records: list[Record], seconds: int) -> None:
        self._back.put([(receipt, seconds) for receipt in receipts(records)])


def sample(arn: str) -> dict[str, list[Record]]:
    """An event that says no more than which queue it came from."""
    return {"Records": [{"eventSource": SQS, "eventSourceARN": arn}]}
