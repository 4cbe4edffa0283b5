"""What SQS and Lambda take of a queue, and what a queue is given when nothing is said. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deploy.template.queue import RUNTIMES, Queue

DAY = 24 * 60 * 60
DEAD_LETTER_DAYS = 14
"""The longest that SQS keeps a message (Amazon SQS API Reference, "SetQueueAttributes")."""

DEFAULT_BATCH = 10
_INSTANCE_VISIBILITY = 60
# Two of the worker's heartbeats and a slow answer of SQS must fit in.
_SHORTEST_INSTANCE_VISIBILITY = 10
_LONGEST_VISIBILITY = 12 * 60 * 60
_LONGEST_NAME = 80
_LARGEST_BATCH = {"queue": 10_000, "FIFO queue": 10}
_UNWINDOWED_BATCH = 10
_BATCH_WINDOW = 1
_TIMEOUTS_HIDDEN = 6


def batch_window(queue: Queue) -> int:
    """For how many seconds Lambda gathers messages.

    AWS Lambda API Reference, "CreateEventSourceMapping": a batch of more than 10 needs at
    least 1.
    """
    is_gathered = _is_whole(queue.batch_size, _UNWINDOWED_BATCH + 1, _LARGEST_BATCH["queue"])
    return _BATCH_WINDOW if is_gathered else 0


def visibility(queue: Queue, timeout: int) -> int:
    """For how many seconds a message is hidden that somebody took.

    For Lambda six times the function's timeout, so that it can try again when the function
    is throttled, and the batching window (AWS Lambda Developer Guide, "Creating and
    configuring an Amazon SQS event source mapping").
    """
    if queue.visibility_seconds is not None:
        return queue.visibility_seconds
    if queue.runtime == "instance":
        return _INSTANCE_VISIBILITY
    return _TIMEOUTS_HIDDEN * timeout + batch_window(queue)


def problems(queue: Queue, stack: str, timeout: int) -> Iterator[str]:
    """A line for each thing that would be refused; `timeout` is the function's, in seconds."""
    yield from _name_problems(queue, stack)
    yield from _batch_problems(queue)
    # Lambda refuses to work longer on a message than it is hidden.
    shortest = timeout if queue.runtime == "lambda" else _SHORTEST_INSTANCE_VISIBILITY
    hidden = visibility(queue, timeout)
    kept = queue.retention_days if _is_whole(queue.retention_days, 1, DEAD_LETTER_DAYS - 1) else 1
    for argument, value, least, most in (
        ("max_receives", queue.max_receives, 1, 1_000),
        ("visibility_seconds", hidden, shortest, _LONGEST_VISIBILITY),
        ("retention_days", queue.retention_days, 1, DEAD_LETTER_DAYS - 1),
        ("oldest_minutes", queue.oldest_minutes, 1, kept * DAY // 60),
    ):
        if not _is_whole(value, least, most):
            yield (
                f"{argument} of queue {queue.name!r} is {value!r}; expected a whole number from "
                f"{least} to {most}."
            )


def _name_problems(queue: Queue, stack: str) -> Iterator[str]:
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", queue.name):
        yield f"A queue's name is {queue.name!r}; expected a form like 'orders' or 'big-orders'."
    if queue.name.endswith("-dead-letters"):
        yield (
            f"A queue's name is {queue.name!r}; names that end in '-dead-letters' are those of "
            "dead-letter queues. Give it another name."
        )
    if queue.runtime not in RUNTIMES:
        yield (
            f"runtime of queue {queue.name!r} is {queue.runtime!r}; expected 'lambda' or "
            "'instance'."
        )
    longest = queue.dead_letters_name(stack)
    if len(longest) > _LONGEST_NAME:
        yield (
            f"Queue {queue.name!r} needs the name {longest!r}, which has {len(longest)} "
            f"characters; SQS takes {_LONGEST_NAME}. Give it a shorter name."
        )


def _batch_problems(queue: Queue) -> Iterator[str]:
    kind = "FIFO queue" if queue.is_fifo else "queue"
    if queue.batch_size is None:
        return
    if queue.runtime == "instance":
        yield (
            f"batch_size of queue {queue.name!r} is for Lambda, but the instances' worker takes "
            "its messages. Leave batch_size out."
        )
    elif not _is_whole(queue.batch_size, 1, _LARGEST_BATCH[kind]):
        yield (
            f"batch_size of queue {queue.name!r} is {queue.batch_size!r}; Lambda takes 1 to "
            f"{_LARGEST_BATCH[kind]} messages of a {kind} at once."
        )


def _is_whole(value: object, least: int, most: int) -> bool:
    """A topology is not always checked for types before it is composed."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
