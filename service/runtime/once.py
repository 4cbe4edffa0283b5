"""Work that is done once, although a message may come twice.

Queues, streams and retries deliver at least once. A table of DynamoDB remembers what was
done, by a key of the work. EDGE: calls DynamoDB through boto3, which Lambda's runtimes have and
an artifact has when it names it.

Not Powertools' idempotency utility: that wraps `def` functions only, and importing it loads
boto3, which costs each cold start more than all the rest of the service.
"""

import contextlib
import functools
import inspect
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast
from uuid import uuid4

from service.errors import InProgressError
from service.runtime.threads import in_thread

F = TypeVar("F", bound=Callable[[Any], Any])


@dataclass(frozen=True)
class Once:
    """A table that remembers which keys were worked on.

    The table has the partition key `id` (text), and `expires` as its time-to-live
    attribute ("Using time to live (TTL) in DynamoDB"). A key is remembered for `seconds`
    after the work has succeeded. While it is being worked on, for `lease` seconds at most,
    nobody else begins: take the longest time that the work may take. A worker that is
    killed leaves its lease behind. Its message waits for the end of that on the instance;
    on Lambda it comes after each visibility timeout, as often as maxReceiveCount allows.
    """

    table: str
    seconds: int = 86_400
    lease: int = 60

    def by(self, key: Callable[[Any], str]) -> Callable[[F], F]:
        """Makes the decorated handler do its work once for each key of what it gets.

        What was done already is passed over, with None as the result; a failure is
        forgotten, so the work is tried again. Put it below `@events.each(...)`:

            once = Once("hello-dev-once")

            @events.each("aws:sqs", queue="orders")
            @once.by(lambda record: json.loads(record["body"])["order"])
            async def orders(record): ...

        Raises, when the handler is called:
            InProgressError: somebody is at it; the record fails, and comes back later.
        """

        def once(function: F) -> F:
            awaited = inspect.iscoroutinefunction(function)
            return cast("F", (self._awaiting if awaited else self._calling)(function, key))

        return once

    def _awaiting(self, function: Callable[[Any], Any], key: Callable[[Any], str]) -> Any:
        @functools.wraps(function)
        async def once(argument: Any) -> Any:
            name, claim = key(argument), uuid4().hex
            if not await in_thread(self._begin, name, claim):
                return None
            try:
                result = await function(argument)
            except BaseException:
                await in_thread(self._forget, name, claim)
                raise
            await in_thread(self._finish, name, claim)
            return result

        return once

    def _calling(self, function: Callable[[Any], Any], key: Callable[[Any], str]) -> Any:
        @functools.wraps(function)
        def once(argument: Any) -> Any:
            name, claim = key(argument), uuid4().hex
            if not self._begin(name, claim):
                return None
            try:
                result = function(argument)
            except BaseException:
                self._forget(name, claim)
                raise
            self._finish(name, claim)
            return result

        return once

    def _begin(self, name: str, claim: str) -> bool:
        """Whether the work is ours; not if it is done."""
        now = time.time()
        try:
            self._client.put_item(
                TableName=self.table,
                Item={**_key(name), "claim": {"S": claim}, "expires": _number(now + self.lease)},
                ConditionExpression="attribute_not_exists(id) OR expires < :now",
                ExpressionAttributeValues={":now": _number(now)},
            )
        except self._refused as error:
            item = self._item(name)
            if item and "claim" not in item:
                return False
            seconds = max(1, math.ceil(_free(item) - time.time()))
            raise InProgressError(_busy(name, seconds), seconds) from error
        return True

    def _item(self, name: str) -> dict[str, Any]:
        """What is remembered of the key; nothing when it was forgotten just now."""
        answer = self._client.get_item(TableName=self.table, Key=_key(name), ConsistentRead=True)
        return cast("dict[str, Any]", answer.get("Item", {}))

    def _finish(self, name: str, claim: str) -> None:
        """The key is remembered, unless the lease ran out and somebody else began."""
        with contextlib.suppress(self._refused):
            self._client.update_item(
                TableName=self.table,
                Key=_key(name),
                UpdateExpression="SET expires = :until REMOVE claim",
                ConditionExpression="claim = :claim",
                ExpressionAttributeValues={
                    ":claim": {"S": claim},
                    ":until": _number(time.time() + self.seconds),
                },
            )

    def _forget(self, name: str, claim: str) -> None:
        """Somebody may begin at once, unless somebody has."""
        with contextlib.suppress(self._refused):
            self._client.delete_item(
                TableName=self.table,
                Key=_key(name),
                ConditionExpression="claim = :claim",
                ExpressionAttributeValues={":claim": {"S": claim}},
            )

    @property
    def _refused(self) -> type[Exception]:
        return cast("type[Exception]", self._client.exceptions.ConditionalCheckFailedException)

    @cached_property
    def _client(self) -> Any:
        import boto3

        return boto3.session.Session().client("dynamodb")


def _key(name: str) -> dict[str, dict[str, str]]:
    return {"id": {"S": name}}


def _free(item: dict[str, Any]) -> float:
    """When somebody else may begin: in the second after `expires`."""
    return int(item["expires"]["N"]) + 1 if item else 0.0


def _busy(name: str, seconds: int) -> str:
    return (
        f"{name!r} is being worked on elsewhere, or was until its process ended; "
        f"it is free after {seconds} s at the latest. The record is tried again later."
    )


def _number(seconds: float) -> dict[str, str]:
    return {"N": str(int(seconds))}
