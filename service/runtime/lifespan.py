"""An application's start-up and shutdown (ASGI specification, Lifespan Protocol)."""

import asyncio
import logging
from typing import Any

from service.errors import ServiceError
from service.runtime.asgi import Application, Message

_PATIENCE = 0.5  # seconds for an application to end after its last answer

logger = logging.getLogger("service.lifespan")


class LifespanError(ServiceError):
    """The application said that it cannot start, and raised nothing that says why."""


class Lifespan:
    """One run of an application's lifespan, on the loop that serves its requests.

    As under uvicorn: `state` is what start-up left for the requests, and an
    application that does not know the protocol is served all the same.
    """

    def __init__(self, app: Application) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._questions: asyncio.Queue[Message] = asyncio.Queue()
        self._answer: asyncio.Future[Message]
        self._task: asyncio.Task[None]

    async def startup(self) -> None:
        """The application has started.

        Raises:
            Exception: the application's own, when its start-up failed.
        """
        self._task = asyncio.get_running_loop().create_task(self._run())
        answer = await self._ask("lifespan.startup")
        if answer is None:
            logger.info("The application has no lifespan: %r", self._error())
        elif answer["type"] == "lifespan.startup.failed":
            raise await self._raised() or LifespanError(
                f"The application failed to start: {answer.get('message') or 'it gives no reason'}"
            )

    async def shutdown(self) -> None:
        """The application has shut down; a failure to do so is logged."""
        if self._task.done():
            return
        answer = await self._ask("lifespan.shutdown")
        raised = await self._raised()
        if answer is None or answer["type"] != "lifespan.shutdown.complete":
            logger.error("The application failed to shut down", exc_info=raised)

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        await self._app(scope, self._questions.get, self._send)

    async def _send(self, message: Message) -> None:
        if not self._answer.done():
            self._answer.set_result(message)

    async def _raised(self) -> BaseException | None:
        """What the application raised after its last answer; one that stays is cancelled.

        Starlette raises, Quart waits for an event that never comes.
        """
        _, staying = await asyncio.wait([self._task], timeout=_PATIENCE)
        if staying:
            self._task.cancel()
            await asyncio.wait(staying)
        return self._error()

    def _error(self) -> BaseException | None:
        return None if self._task.cancelled() else self._task.exception()

    async def _ask(self, question: str) -> Message | None:
        """The application's answer, or None when it ended without one."""
        self._answer = asyncio.get_running_loop().create_future()
        self._questions.put_nowait({"type": question})
        either: list[asyncio.Future[Any]] = [self._answer, self._task]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return self._answer.result() if self._answer.done() else None
