"""Payload 2.0: Function URL and HTTP API.

"Request and response payloads" under "Invoking Lambda function URLs" in the AWS Lambda
Developer Guide, and "Working with AWS Lambda proxy integrations for HTTP APIs" in the
Amazon API Gateway Developer Guide.
"""

from typing import Any

from mangum.types import LambdaConfig, LambdaContext, LambdaEvent, Scope

from service.runtime.exchange import Response
from service.runtime.gateways import headers, reply, request
from service.runtime.gateways.request import Gateway


class FunctionUrl(Gateway):
    """One request in payload 2.0."""

    name = "payload 2.0 (Function URL, HTTP API)"
    limit = reply.LAMBDA_LIMIT

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:  # noqa: ARG003 - as Mangum asks
        """It has a version and says so under `http`."""
        return "version" in event and "http" in event["requestContext"]

    @property
    def scope(self) -> Scope:
        event = self.event
        http = event["requestContext"]["http"]
        return self.make_scope(
            http["method"],
            _raw_path(event),
            request.query_bytes(event.get("rawQueryString") or ""),
            _headers(event),
            request.client(http["sourceIp"]),
        )

    def __call__(self, response: Response) -> dict[str, Any]:
        single, cookies = reply.single_values(response["headers"])
        body, encoded = reply.body(response["body"], self.limit)
        made: dict[str, Any] = {
            "statusCode": response["status"],
            "headers": single,
            "body": body,
            "isBase64Encoded": encoded,
        }
        if cookies:
            made["cookies"] = cookies
        return made


def _raw_path(event: LambdaEvent) -> str:
    """A Function URL leaves the path as it was sent; an HTTP API decodes it, after its stage."""
    context = event["requestContext"]
    if ".lambda-url." in context.get("domainName", ""):
        return request.encoded_path(event["rawPath"])
    return request.http_api_path(event["rawPath"], context)


def _headers(event: LambdaEvent) -> headers.Headers:
    """The event's headers, with the cookies in the one header that a client sends."""
    sent = event.get("headers") or {}
    if cookies := event.get("cookies"):
        sent = {name: sent[name] for name in sent if name.lower() != "cookie"}
        sent["cookie"] = "; ".join(cookies)
    return headers.encoded(sent, sent.values())
