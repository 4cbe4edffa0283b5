"""What can go wrong in a way that its reader can put right."""


class ServiceError(Exception):
    """The message says what, with which value, and what to do next."""

    exit_code = 1


class SettingsError(ServiceError):
    """Variables of the environment are malformed; one line for each of them."""

    exit_code = 2


class HandlerModuleError(ServiceError):
    """`service.handler` cannot be imported, or holds no application; the cause is chained."""


class ListenError(ServiceError):
    """The HTTP server cannot listen where it was told to."""


class MalformedEventError(ServiceError):
    """An event looks like an HTTP request, but lacks what every request has."""


class UnhandledEventError(ServiceError):
    """An event arrived for which the handler module has no handler."""


class HandlerTimeoutError(ServiceError):
    """An event handler took longer than its timeout, or than the function may run."""


class EventHandlerError(ServiceError):
    """An event handler tried to end the process, or raised what Lambda's client cannot tell of."""


class BatchReplyError(ServiceError):
    """An event handler's result reports failed records in a way that nobody understands."""


class QueueError(ServiceError):
    """SQS cannot be reached, fails, or is not to be had without boto3."""


class QueueRefusedError(QueueError):
    """SQS refuses, and will until somebody changes a permission or a queue."""


class InProgressError(ServiceError):
    """Work that must be done once is being done elsewhere, for `seconds` more at most."""

    def __init__(self, message: str, seconds: int = 1) -> None:  # a default, to be unpickled
        super().__init__(message)
        self.seconds = seconds
