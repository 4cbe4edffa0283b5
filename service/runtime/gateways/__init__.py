"""What turns each kind of HTTP event into an ASGI scope, and a response into its reply.

function_url     payload 2.0: Function URL, HTTP API
rest_api         payload 1.0: REST API, and an HTTP API that is set to it
load_balancer    application load balancer, with and without multi-value headers
request          what they share of an event: bytes where HTTP has bytes
headers          of these, the headers
reply            what they share of a reply: text or base64, and its size

Mangum knows which handler takes an event; the handlers are ours, as an application must
see what the HTTP server (uvicorn, as service/http_server.py sets it) would show it.
"""

from typing import Any

from service.runtime.gateways.function_url import FunctionUrl
from service.runtime.gateways.load_balancer import LoadBalancer
from service.runtime.gateways.request import Gateway
from service.runtime.gateways.rest_api import RestApi

__all__ = ["GATEWAYS", "Gateway", "is_http"]

# Asked in this order; the first that knows an event takes it. A load balancer's has nothing
# that others lack but `elb`, so it is asked before the REST API.
# Mangum gives its handlers less of a response than these take.
GATEWAYS: list[Any] = [FunctionUrl, LoadBalancer, RestApi]


def is_http(event: Any) -> bool:
    """Whether `event` is a request, of whichever gateway.

    What API Gateway asks an authorizer looks like the request that it is about.
    """
    if not isinstance(event, dict) or "methodArn" in event or "routeArn" in event:
        return False
    context = event.get("requestContext")
    if not isinstance(context, dict):
        return False
    if "httpMethod" in event:  # payload 1.0
        return "resource" in event or "elb" in context
    return "version" in event and "http" in context  # payload 2.0
