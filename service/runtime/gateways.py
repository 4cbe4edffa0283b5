"""What turns each kind of HTTP event into an ASGI scope, and a response into its reply.

Mangum's handlers do it. A class here is where a difference between Mangum and the
HTTP server on the same request is closed.
"""

from functools import cached_property
from typing import Any

from mangum.handlers import ALB, APIGateway, HTTPGateway
from mangum.types import LambdaHandler, Scope


class FunctionUrl(HTTPGateway):
    """Function URL and HTTP API; payload 2.0, and 1.0 where an HTTP API is set to it."""

    @cached_property
    def scope(self) -> Scope:
        return super().scope  # once: Mangum reads it again for the reply


class LoadBalancer(ALB):
    """Application load balancer, with and without multi-value headers."""

    @cached_property
    def scope(self) -> Scope:
        return super().scope  # once: Mangum reads it again for the reply


# Asked in this order; the first that knows an event takes it. APIGateway is the REST API's.
GATEWAYS: tuple[type[LambdaHandler], ...] = (FunctionUrl, APIGateway, LoadBalancer)


def is_http(event: Any) -> bool:
    """Whether `event` is a request, of whichever gateway."""
    match event:
        case {"version": _, "requestContext": {"http": _}}:  # payload 2.0
            return True
        case {"httpMethod": _, "resource": _, "requestContext": {}}:  # payload 1.0
            return True
        case {"httpMethod": _, "requestContext": {"elb": _}}:
            return True
    return False
