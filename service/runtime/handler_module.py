"""The handler module, imported, or one message that says why it cannot be."""

import importlib
import os
import traceback
from dataclasses import dataclass
from pathlib import Path

from service.errors import HandlerModuleError
from service.runtime.asgi import Application
from service.runtime.events import EventRouter

NAME = "service.handler"
_RUNTIME = str(Path(__file__).parent) + os.sep  # which refuses what a handler module declares


@dataclass(frozen=True)
class HandlerModule:
    """What a handler module offers to both runtimes."""

    app: Application
    events: EventRouter


def load() -> HandlerModule:
    """The application and the event handlers of `service.handler`.

    Raises:
        HandlerModuleError: the import fails; its cause is the module's own error.
    """
    try:
        module = importlib.import_module(NAME)
    except Exception as error:
        raise HandlerModuleError(_import_failure(error)) from error
    app = getattr(module, "app", None)
    events = getattr(module, "events", EventRouter())
    if not callable(app):
        raise HandlerModuleError(_not_found("app", app, "an ASGI application"))
    if not isinstance(events, EventRouter):
        raise HandlerModuleError(_not_found("events", events, "an EventRouter"))
    return HandlerModule(app, events)


def _import_failure(error: Exception) -> str:
    return (
        f"{NAME} cannot be imported: {type(error).__name__}: {error} ({_place(error)}). "
        f"Correct it and start again."
    )


def _not_found(attribute: str, value: object, expected: str) -> str:
    return f"{NAME}.{attribute} is {value!r}; expected {expected}."


def _place(error: Exception) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen ") and "importlib" not in frame.filename
    ]
    own = [frame for frame in frames if not frame.filename.startswith(_RUNTIME)]
    last = (own or frames)[-1]
    return f"{last.filename}, line {last.lineno}"
