"""The differences between the runtimes that a front end forces, as data."""

from __future__ import annotations

from dataclasses import dataclass

PAYLOAD_2 = frozenset({"function-url", "http-api-2.0"})
HTTP_API = frozenset({"http-api-2.0", "http-api-1.0"})
REST_API = frozenset({"rest-api"})
BALANCER = frozenset({"load-balancer", "load-balancer-multi"})
SINGLE = frozenset({"load-balancer"})
LISTED = frozenset({"http-api-1.0", "rest-api", "load-balancer-multi"})
ALL = PAYLOAD_2 | HTTP_API | REST_API | BALANCER


@dataclass(frozen=True)
class Known:
    """One difference: what differs, behind which front ends, why, and what helps."""

    what: str
    front_ends: frozenset[str]
    reason: str
    remedy: str


CLIENT_PORT = Known(
    "the client's port in the scope is another",
    ALL,
    "No front end tells the function from which port the client came.",
    "Identify clients by address.",
)
SERVER = Known(
    "the server in the scope is the name and port that the client asked",
    ALL,
    "A function has no socket of its own.",
    "Build URLs from the Host header.",
)
REQUEST_HEADERS_JOINED = Known(
    "repeated request headers arrive as one, joined by commas",
    PAYLOAD_2,
    "Payload format 2.0 holds one value for each name.",
    "Read a header as a comma-separated list, or use a REST API or a load balancer with "
    "multi-value headers.",
)
REQUEST_HEADERS_LAST = Known(
    "of repeated request headers only the last arrives",
    SINGLE,
    "Without multi-value headers the load balancer sends the last value of each name.",
    "Set lambda.multi_value_headers.enabled on the target group.",
)
REQUEST_HEADERS_GROUPED = Known(
    "repeated request headers stand together, at the place of the first",
    LISTED,
    "The event lists the values of each name.",
    "Depend on the order of values of one name only (RFC 9110, section 5.3).",
)
COOKIES = Known(
    "cookies arrive in one Cookie header, after the other headers",
    PAYLOAD_2,
    "Payload format 2.0 lists the cookies apart from the headers.",
    "Parse the Cookie header; its spaces mean nothing (RFC 6265, section 4.2.1).",
)
REQUEST_HEADERS_DROPPED = Known(
    "some request headers do not arrive: Content-Length, Expect, Max-Forwards, TE and the like",
    REST_API,
    "The REST API drops them before the integration.",
    "Depend on none of them, or use another front end.",
)
PATH_DECODED = Known(
    "the path arrives decoded, %2F as a slash; it ends at a %3F, and %25 may be refused",
    HTTP_API,
    "An HTTP API decodes the path before it makes the event.",
    "Carry such characters in the query, or use a Function URL, a REST API or a load balancer.",
)
QUERY_LISTED = Known(
    "the query is rebuilt: parameters of one name stand together, `flag` is `flag=`",
    LISTED | SINGLE,
    "The event holds no raw query, only parameters by name.",
    "Read parameters by name, or use a Function URL or payload format 2.0.",
)
QUERY_DECODED = Known(
    "the query is encoded anew: what needs no encoding loses it, a plus becomes %20",
    frozenset({"http-api-1.0", "rest-api"}),
    "The event holds the parameters decoded.",
    "Sign and compare parameters decoded, or use a Function URL or payload format 2.0.",
)
QUERY_LAST = Known(
    "of parameters of one name only the last arrives",
    SINGLE,
    "Without multi-value headers the load balancer sends the last value of each name.",
    "Set lambda.multi_value_headers.enabled on the target group.",
)
DEFAULT_TYPE = Known(
    "a response without a content type gets application/json, or application/octet-stream "
    "from a load balancer",
    ALL,
    "The front end adds it.",
    "Name a content type in every response.",
)
RESPONSE_HEADERS_JOINED = Known(
    "repeated response headers arrive as one, joined by commas",
    PAYLOAD_2 | SINGLE,
    "The reply holds one value for each name; Set-Cookie has a list of its own in payload 2.0.",
    "Send lists in one header, or use a REST API or a load balancer with multi-value headers.",
)
RESPONSE_HEADERS_GROUPED = Known(
    "repeated response headers stand together, cookies after the others",
    ALL,
    "The reply lists the values of each name.",
    "Depend on the order of values of one name only (RFC 9110, section 5.3).",
)
RESPONSE_HEADERS_REMAPPED = Known(
    "some response headers get the prefix x-amzn-Remapped-, some are dropped",
    REST_API,
    "The REST API keeps these names for itself.",
    "Use another front end where clients need WWW-Authenticate and the like.",
)
HOP_BY_HOP = Known(
    "hop-by-hop response headers are dropped",
    ALL,
    "They speak of one connection, which ends at the front end (RFC 9110, section 7.6.1).",
    "Send no such headers.",
)
CUT_OFF = Known(
    "a response that fails after it has begun is a whole error, not one cut off",
    ALL,
    "The function's reply is made once the application is done, so nothing was sent yet.",
    "Nothing needs to be done: the client learns of the failure from both.",
)
EMPTY_LENGTH = Known(
    "the content length of a response without a body is another",
    ALL,
    "The front end computes it; what it says to HEAD, and with 204 and 304, is not documented.",
    "Ask with GET where the length matters.",
)
TOO_LARGE = Known(
    "a response over the limit is a 507, a request over it a 413",
    ALL,
    "A function takes and gives 6 MB of JSON, behind a load balancer 1 MB.",
    "Send large bodies to the instance, or by way of S3.",
)
TIMEOUT = Known(
    "a request that takes longer than the function may run is a 504",
    ALL,
    "Lambda ends the process after timeout_seconds; the adapter answers just before.",
    "Raise timeout_seconds, do less at once, or ask the instance.",
)
REQUEST_ID = Known(
    "the request ID that a caller sends comes back from the instance only",
    ALL,
    "Lambda names each invocation itself, and its logs are found by that name.",
    "Leave it out with --ignore-header x-request-id.",
)
MODE = Known(
    "the mode that /healthz tells",
    ALL,
    "It says which runtime answers.",
    "Nothing needs to be done.",
)
OWN_HOST = Known(
    "URLs in the answer name the host that was asked",
    ALL,
    "Each side is asked at an address of its own, and the application makes URLs of it.",
    "Nothing needs to be done: behind one domain name both say the same.",
)
UPGRADE = Known(
    "an upgrade, as to a web socket, happens on the instance only",
    ALL,
    "A front end hands over one request, not a connection.",
    "Open web sockets to the instance.",
)

KNOWN = (
    CLIENT_PORT,
    SERVER,
    REQUEST_HEADERS_JOINED,
    REQUEST_HEADERS_LAST,
    REQUEST_HEADERS_GROUPED,
    COOKIES,
    REQUEST_HEADERS_DROPPED,
    PATH_DECODED,
    QUERY_LISTED,
    QUERY_DECODED,
    QUERY_LAST,
    DEFAULT_TYPE,
    RESPONSE_HEADERS_JOINED,
    RESPONSE_HEADERS_GROUPED,
    RESPONSE_HEADERS_REMAPPED,
    HOP_BY_HOP,
    CUT_OFF,
    EMPTY_LENGTH,
    TOO_LARGE,
    TIMEOUT,
    REQUEST_ID,
    MODE,
    OWN_HOST,
    UPGRADE,
)
