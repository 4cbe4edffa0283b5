"""Lambda's event source mappings of the laptop: what is in the queues becomes invocations.

The embedded AWS runs mappings itself, but with its own Lambda, which is not the function
that is played here. So each mapping of the function is disabled there once it is seen, and
its queue is polled from here instead.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from deploy.aws import Aws
from deploy.aws.running import QueueMapping
from deploy.errors import AwsError
from deploy.local.front import Invoke
from deploy.local.sqs_event import Message, done, event

T = TypeVar("T")

_LOOK_SECONDS = 1.0
# Short, since a question on its way is waited for when everything is taken down.
_WAIT_SECONDS = 1
# ReceiveMessage gives no more at once. Lambda gathers larger batches from several answers.
_LARGEST_ANSWER = 10


class QueuePoller:
    """Polls the queues of a function's mappings, one batch of each queue at a time.

    On AWS a standard queue has several batches in work at once; here the next one waits.
    """

    def __init__(self, aws: Aws, function: str, invoke: Invoke) -> None:
        self._aws = aws
        self._function = function
        self._invoke = invoke
        self._mappings: dict[str, QueueMapping] = {}
        self._polling: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Looks for mappings, new and changed ones as well, until it is cancelled."""
        try:
            while True:
                await self._follow()
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            for polling in self._polling.values():
                polling.cancel()
            await asyncio.gather(*self._polling.values(), return_exceptions=True)

    async def _follow(self) -> None:
        try:
            found = {each.id: each for each in await _asked(self._aws.mappings, self._function)}
            for mapping in found.values():
                if mapping.is_enabled:
                    await _asked(self._aws.disable_mapping, mapping.id)
        except AwsError:  # it is being taken down, or whoever shows its end says so
            return
        self._mappings = found
        for mapping in found.values():
            self._begin(mapping)

    def _begin(self, mapping: QueueMapping) -> None:
        """Again after a mistake of this program, which asyncio reports: the queue is not left."""
        polling = self._polling.get(mapping.id)
        if polling is None or polling.done():
            self._polling[mapping.id] = asyncio.create_task(self._poll(mapping))

    async def _poll(self, first: QueueMapping) -> None:
        """Until the mapping is gone; what is in work then comes to its end, as with Lambda."""
        url = ""
        while mapping := self._mappings.get(first.id):
            try:
                url = url or await _asked(self._aws.queue_url, mapping.queue)
                await self._take(url, mapping)
            except AwsError:
                await asyncio.sleep(_LOOK_SECONDS)

    async def _take(self, url: str, mapping: QueueMapping) -> None:
        """What failed is left alone: it shows up again once it is hidden no more."""
        count = min(mapping.batch_size, _LARGEST_ANSWER)
        messages = await _asked(self._aws.received, url, count, _WAIT_SECONDS)
        if not messages:
            return
        over = await self._invoked(messages, mapping)
        if over:
            handles = [message["ReceiptHandle"] for message in over]
            await _asked(self._aws.delete_messages, url, handles)

    async def _invoked(self, messages: tuple[Message, ...], mapping: QueueMapping) -> list[Message]:
        payload = json.dumps(event(messages, mapping), ensure_ascii=False).encode()
        answer = (await self._invoke(payload, "")).answer
        return [] if answer.error_type else done(answer.payload, messages, mapping)


async def _asked(question: Callable[..., T], *arguments: object) -> T:
    """AWS's answer; the loop goes on meanwhile."""
    return await asyncio.to_thread(partial(question, *arguments))
