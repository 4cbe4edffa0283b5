"""Payload 1.0: REST API, and an HTTP API that is set to it.

"Lambda proxy integrations in API Gateway" and "Working with AWS Lambda proxy integrations
for HTTP APIs" in the Amazon API Gateway Developer Guide.
"""

from typing import Any

from mangum.types import LambdaConfig, LambdaContext, LambdaEvent, Scope

from service.runtime.exchange import Response
from service.runtime.gateways import headers, reply, request
from service.runtime.gateways.request import Gateway


class RestApi(Gateway):
    """One request in payload 1.0.

    A REST API leaves the stage out of the path, unless the request came by a custom domain
    name whose mapping names no stage; the base path of such a mapping stays in it.
    """

    name = "payload 1.0 (REST API, HTTP API)"
    limit = reply.LAMBDA_LIMIT

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:  # noqa: ARG003 - as Mangum asks
        """It names the API's resource."""
        return "resource" in event and "httpMethod" in event

    @property
    def scope(self) -> Scope:
        event = self.event
        context = event["requestContext"]
        return self.make_scope(
            event["httpMethod"],
            # only an HTTP API tells the version of the payload
            request.http_api_path(event["path"], context)
            if "version" in event
            else request.encoded_path(event["path"]),
            request.encoded_query(request.query(event)),
            headers.of(event),
            request.client((context.get("identity") or {}).get("sourceIp")),
        )

    def __call__(self, response: Response) -> dict[str, Any]:
        body, encoded = reply.body(response["body"], self.limit)
        return {
            "statusCode": response["status"],
            "multiValueHeaders": reply.multi_value(response["headers"]),
            "body": body,
            "isBase64Encoded": encoded,
        }
