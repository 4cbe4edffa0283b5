"""A task may call sys.exit, be it a handler's or the application's own; the process goes on."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

logger = logging.getLogger("service.event")


def outlast(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    """The coroutine's result, although tasks beside it exit meanwhile.

    asyncio raises a task's SystemExit out of the running loop, which can go on all the same.
    Whoever awaits the task gets it, too.
    """
    task = loop.create_task(coroutine)
    while not task.done():
        try:
            loop.run_until_complete(task)
        except SystemExit:
            logger.exception("A task tried to end the process")
    return task.result()
