"""Events as AWS delivers them, cut down to what a function reads."""

from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]


@dataclass(frozen=True)
class Context:
    """What the adapter reads of Lambda's context object."""

    aws_request_id: str = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"
    remaining_ms: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


def function_url(
    path: str = "/", method: str = "GET", query: str = "", body: str | None = None, **headers: str
) -> Event:
    """Function URL, and HTTP API in payload 2.0."""
    event: Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "accept": "*/*",
            "host": "abcdefghijklmnop.lambda-url.eu-central-1.on.aws",
            "user-agent": "curl/8.5.0",
            "x-amzn-trace-id": "Root=1-65f2d1a0-1c2d3e4f5a6b7c8d9e0f1a2b",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abcdefghijklmnop",
            "domainName": "abcdefghijklmnop.lambda-url.eu-central-1.on.aws",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "curl/8.5.0",
            },
            "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": 1710412192000,
        },
        "isBase64Encoded": False,
    }
    return event if body is None else event | {"body": body}


_BROWSER = {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "accept-encoding": "gzip, deflate, br, zstd",
    "accept-language": "en-GB,en;q=0.9",
    "cache-control": "max-age=0",
    "priority": "u=0, i",
    "sec-ch-ua": '"Chromium";v="142", "Not_A Brand";v="99"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "none",
    "sec-fetch-user": "?1",
    "upgrade-insecure-requests": "1",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36",
}


def browsed(event: Event) -> Event:
    """The event, with the headers of a browser that opens a page."""
    known = event.get("headers") or event["multiValueHeaders"]
    added = {name.title() if "Host" in known else name: value for name, value in _BROWSER.items()}
    made = dict(event)
    if "headers" in event:
        made["headers"] = event["headers"] | added
    if "multiValueHeaders" in event:
        several = {name: [value] for name, value in added.items()}
        made["multiValueHeaders"] = event["multiValueHeaders"] | several
    return made


def rest_api(path: str = "/", method: str = "GET", body: str | None = None) -> Event:
    """REST API, payload 1.0."""
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {
            "Accept": "*/*",
            "Host": "abcdef1234.execute-api.eu-central-1.amazonaws.com",
            "X-Forwarded-For": "203.0.113.7",
            "X-Forwarded-Port": "443",
            "X-Forwarded-Proto": "https",
        },
        "multiValueHeaders": {
            "Accept": ["*/*"],
            "Host": ["abcdef1234.execute-api.eu-central-1.amazonaws.com"],
            "X-Forwarded-For": ["203.0.113.7"],
            "X-Forwarded-Port": ["443"],
            "X-Forwarded-Proto": ["https"],
        },
        "queryStringParameters": {"color": "red"},
        "multiValueQueryStringParameters": {"color": ["blue", "red"]},
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef1234",
            "httpMethod": method,
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "curl/8.5.0"},
            "path": f"/prod{path}",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "resourcePath": "/{proxy+}",
            "stage": "prod",
        },
        "body": body,
        "isBase64Encoded": False,
    }


def http_api_1(path: str = "/", method: str = "GET") -> Event:
    """HTTP API set to payload 1.0."""
    return {"version": "1.0", **rest_api(path, method)}


def load_balancer(path: str = "/", method: str = "GET", body: str = "") -> Event:
    """Application load balancer, single values."""
    return {
        **_target(),
        "httpMethod": method,
        "path": path,
        "queryStringParameters": {"color": "red"},
        "headers": {
            "accept": "*/*",
            "host": "hello-1234567890.eu-central-1.elb.amazonaws.com",
            "x-amzn-trace-id": "Root=1-65f2d1a0-1c2d3e4f5a6b7c8d9e0f1a2b",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "80",
            "x-forwarded-proto": "http",
        },
        "body": body,
        "isBase64Encoded": False,
    }


def load_balancer_multi(path: str = "/", method: str = "GET", body: str = "") -> Event:
    """Application load balancer whose target group has multi-value headers on."""
    event = load_balancer(path, method, body)
    del event["headers"], event["queryStringParameters"]
    return event | {
        "multiValueQueryStringParameters": {"color": ["blue", "red"]},
        "multiValueHeaders": {
            "accept": ["*/*"],
            "host": ["hello-1234567890.eu-central-1.elb.amazonaws.com"],
            "x-forwarded-for": ["203.0.113.7"],
            "x-forwarded-port": ["80"],
            "x-forwarded-proto": ["http"],
        },
    }


def web_socket() -> Event:
    """API Gateway's WebSocket API."""
    return {
        "requestContext": {
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "connectionId": "L0SM9cOFvHcCIhw=",
            "stage": "production",
        },
        "isBase64Encoded": False,
    }


def sqs(*bodies: str) -> Event:
    return {
        "Records": [
            {
                "messageId": f"059f36b4-87a3-44ab-83d2-66197578{number:04d}",
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:orders",
                "awsRegion": "eu-central-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


def s3(key: str = "incoming/a.csv") -> Event:
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": "orders"}, "object": {"key": key, "size": 1024}},
            }
        ]
    }


def sns(message: str = "hello") -> Event:
    return {
        "Records": [
            {
                "EventVersion": "1.0",
                "EventSource": "aws:sns",
                "EventSubscriptionArn": "arn:aws:sns:eu-central-1:123456789012:orders:2bcf",
                "Sns": {"Type": "Notification", "Message": message},
            }
        ]
    }


def dynamodb() -> Event:
    return {
        "Records": [
            {
                "eventID": "c4ca4238a0b923820dcc509a6f75849b",
                "eventName": "INSERT",
                "eventSource": "aws:dynamodb",
                "dynamodb": {"Keys": {"Id": {"N": "101"}}, "StreamViewType": "KEYS_ONLY"},
            }
        ]
    }


def kinesis() -> Event:
    return {
        "Records": [
            {
                "kinesis": {"partitionKey": "1", "data": "SGVsbG8="},
                "eventSource": "aws:kinesis",
                "eventName": "aws:kinesis:record",
            }
        ]
    }


def schedule() -> Event:
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:events:eu-central-1:123456789012:rule/nightly"],
        "detail": {},
    }


def event_bridge(source: str = "shop.orders", detail_type: str = "OrderPlaced") -> Event:
    return {**schedule(), "source": source, "detail-type": detail_type, "detail": {"order": 7}}


def _target() -> Event:
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/hello/49e9d65c"
    return {"requestContext": {"elb": {"targetGroupArn": arn}}}
