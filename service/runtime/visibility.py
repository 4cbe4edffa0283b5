"""Messages in work stay invisible to others, however long the work takes.

"Amazon SQS visibility timeout" in the SQS Developer Guide: a message that is not deleted in
time is given to somebody else; 12 hours after the receipt it can be extended no longer.
"""

import logging
import threading
from itertools import islice

from service.errors import QueueError
from service.runtime.message import Message
from service.runtime.sqs import BATCH, Queue, level

logger = logging.getLogger("service.worker")


class Visibility:
    """Extends the visibility timeout of all held messages at every third of it.

    It does so in a thread, and from the receipt on, so a handler that blocks the event loop
    keeps its messages, and those that come meanwhile. They are received with this timeout: the
    queue's own may have been changed since it was asked for. A message that was let go is not
    extended any more, whatever is under way.
    """

    def __init__(self, queue: Queue, seconds: int) -> None:
        self.seconds = seconds
        self._queue = queue
        self._held: dict[str, None] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="visibility", daemon=True)
        self._thread.start()

    def receive(self, at_most: int, wait: int) -> list[Message]:
        """Up to `at_most` messages, which stay invisible from now on. Blocks."""
        messages = self._queue.receive(at_most, wait, self.seconds)
        self._held.update(dict.fromkeys(str(message["ReceiptHandle"]) for message in messages))
        return messages

    def delete(self, receipts: list[str]) -> list[str]:
        """The messages are gone; what SQS refuses. Blocks."""
        with self._lock:  # what is deleted cannot be extended, and must not be tried
            refused = self._queue.delete(receipts)
            self._forget(receipts)
            return refused

    def release(self, delays: list[tuple[str, int]]) -> list[str]:
        """The messages are visible again after so many seconds; what SQS refuses. Blocks."""
        with self._lock:
            self._forget([receipt for receipt, _ in delays])
            return self._queue.hide(dict(delays))

    def end(self) -> None:
        """Nothing is extended any more."""
        self._ended.set()

    def _forget(self, receipts: list[str]) -> None:
        for receipt in receipts:
            self._held.pop(receipt, None)

    def _run(self) -> None:
        while not self._ended.wait(self.seconds / 3):
            held = iter(list(self._held))
            while batch := list(islice(held, BATCH)):
                self._extend(batch)

    def _extend(self, batch: list[str]) -> None:
        with self._lock:
            still = {receipt: self.seconds for receipt in batch if receipt in self._held}
            try:
                refused = self._queue.hide(still) if still else []
            except QueueError as error:
                logger.log(level(error), "%s; others may get messages that are in work here", error)
                return
            except Exception:  # no other thread extends them, so this one goes on
                logger.exception("Others may get messages that are in work here")
                return
        for reason in refused:
            logger.warning("A message in work is no longer ours alone: %s", reason)
