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
    """An event handler took longer than the timeout that it declares."""


class EventHandlerError(ServiceError):
    """An event handler raised what Lambda's runtime client cannot tell of; it is chained."""


class BatchReplyError(ServiceError):
    """An event handler's result reports failed records in a way that nobody understands."""


class QueueError(ServiceError):
    """SQS cannot be reached, refuses, or is not to be had without boto3."""


class InProgressError(ServiceError):
    """Work that must be done once is being done elsewhere, right now."""
