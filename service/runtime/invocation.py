"""One event, handled and told of in the log, in the same words in both runtimes."""

import logging
import time
from typing import Any

from service.runtime.batch import Outcome
from service.runtime.event_handler import Runtime
from service.runtime.event_kind import kind_of
from service.runtime.events import EventRouter
from service.runtime.logs import REQUEST_ID

logger = logging.getLogger("service.event")


async def invoke(events: EventRouter, event: Any, request_id: str, runtime: Runtime) -> Outcome:
    """What the event came to; a failure is logged with its request ID, and goes on."""
    REQUEST_ID.set(request_id)
    kind = kind_of(event)
    started = time.perf_counter()
    try:
        outcome = await events.dispatch(event, runtime)
    except Exception:
        logger.exception("%s failed", kind)
        raise
    milliseconds = round((time.perf_counter() - started) * 1000, 3)
    if outcome.failed:
        logger.warning("%s: %d failed", kind, len(outcome.failed), extra={"ms": milliseconds})
    else:
        logger.info("%s handled", kind, extra={"ms": milliseconds})
    return outcome
