"""Application load balancer, with and without multi-value headers.

"Use Lambda functions as targets of an Application Load Balancer" in the User Guide for
Application Load Balancers.
"""

from http import HTTPStatus
from typing import Any

from mangum.types import LambdaConfig, LambdaContext, LambdaEvent, Scope

from service.runtime.exchange import Response
from service.runtime.gateways import headers, reply, request
from service.runtime.gateways.request import Address, Gateway

_PHRASES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class LoadBalancer(Gateway):
    """One request of a load balancer, which leaves path and query as they were sent."""

    name = "a load balancer"
    limit = reply.LOAD_BALANCER_LIMIT

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:  # noqa: ARG003 - as Mangum asks
        """It names the target group."""
        return "elb" in event["requestContext"]

    @property
    def scope(self) -> Scope:
        event = self.event
        asked = headers.of(event)
        names, values = asked
        return self.make_scope(
            event["httpMethod"],
            request.encoded_path(event["path"]),
            request.joined_query(request.query(event)),
            asked,
            _client(values[names.forwarded_for]),
        )

    def __call__(self, response: Response) -> dict[str, Any]:
        status = response["status"]
        body, encoded = reply.body(response["body"], self.limit)
        made: dict[str, Any] = {
            "statusCode": status,
            "statusDescription": _PHRASES.get(status) or str(status),
            "body": body,
            "isBase64Encoded": encoded,
        }
        if "multiValueHeaders" in self.event:  # then the reply's `headers` are ignored, else these
            made["multiValueHeaders"] = reply.multi_value(response["headers"])
        else:
            single, cookies = reply.single_values(response["headers"])
            for number, value in enumerate(cookies):  # by names that differ in case
                single[_in_case("set-cookie", number)] = value
            made["headers"] = single
        return made


def _client(forwarded: bytes) -> Address | None:
    """The client that asked the load balancer: the last of X-Forwarded-For, which it appends.

    The port is there when the load balancer is set to preserve it
    (`routing.http.xff_client_port.enabled`: "HTTP headers and Application Load Balancers").
    """
    host, port = request.host_and_port(forwarded.decode("latin-1").rpartition(",")[2].strip())
    return (host, port or 0) if host else None


def _in_case(name: str, number: int) -> str:
    """`name`, with the letters in upper case that `number` has as binary digits."""
    letters = iter(range(len(name)))
    return "".join(
        letter.upper() if letter.isalpha() and number >> next(letters) & 1 else letter
        for letter in name
    )
