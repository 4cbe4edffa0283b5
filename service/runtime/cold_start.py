"""From a fresh Lambda process to an adapter that takes events."""

import logging

from service.errors import HandlerModuleError
from service.runtime import handler_module, logs
from service.runtime.adapter import LambdaAdapter
from service.runtime.termination import on_termination
from service.settings import current

logger = logging.getLogger("service.cold_start")


def adapter() -> LambdaAdapter:
    """The adapter of the handler module; its application shuts down on SIGTERM.

    Raises:
        Exception: the application's own error, so that it is what Lambda reports of the
            failed start. Lambda keeps no place of an ImportError: the log line does.
    """
    logs.configure(current())
    try:
        module = handler_module.load()
    except HandlerModuleError as error:
        logger.critical("%s", error, exc_info=error.__cause__)
        raise (error.__cause__ or error) from None
    made = LambdaAdapter(module.app, module.events)
    on_termination(made.close)
    return made
