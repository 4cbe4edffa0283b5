"""What an attacker, a broken client or a careless test sends instead of what is expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

FORGED = '{"level":"CRITICAL","message":"forged","logger":"service.request"}'

TEXTS = (
    "",
    " ",
    "\t",
    "\r",
    "\n",
    "\0",
    "\x1b[31m",
    "\x7f",
    "\x85",
    "\u2028",
    "\ufeff",
    "é",
    "☃",
    "\U0001f600",
    "\ud800",
    "\udfff\ud800",
    "\udcff",
    "a\r\nInjected: yes",
    "a\nInjected: yes",
    "a\rInjected: yes",
    "\r\n\r\n<html>",
    f"\n{FORGED}\n",
    f'"}}\n{FORGED}',
    "%",
    "%zz",
    "%00",
    "%0d%0aInjected:%20yes",
    "%ff%fe",
    "%ed%a0%80",
    "%25%32%66",
    "..%2f..%2f",
    "../../../../etc/passwd",
    "..\\..\\windows",
    "/../..//./",
    "//evil.example/",
    "http://evil.example/",
    "?",
    "#",
    "*",
    ":",
    "1:2:3",
    "[::1]",
    "[::1]:443",
    "[::1",
    "host:port",
    "host:-1",
    "host:99999999999999999999",
    "unknown",
    "203.0.113.7, 198.51.100.1",
    "a b",
    "a=b; c=d",
    "true",
    "null",
    "nan",
    "-1",
    "٣",
    "1e400",
    "2.0",
    "1.0",
    "gzip",
    "chunked",
    "aws:sqs",
    "aws.events",
    "Scheduled Event",
)

NAMES = (
    "",
    " ",
    "a b",
    "a:b",
    ":method",
    "x\r\nInjected",
    "x\nInjected: yes\r\n\r\n",
    "x\0",
    "é",
    "☃",
    "\ud800",
    "Host",
    "HOST",
    "Cookie",
    "Set-Cookie",
    "Content-Length",
    "Content-Type",
    "Transfer-Encoding",
    "Connection",
    "X-Request-Id",
    "X-Amzn-Trace-Id",
    "X-Forwarded-For",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
)

NUMBERS = (
    0,
    -1,
    1,
    80,
    65_536,
    2**31,
    2**63,
    10**400,
    -(10**400),
    0.5,
    -0.0,
    1e308,
    float("inf"),
    float("-inf"),
    float("nan"),
)

BASE64 = ("a", "a=", "=", "====", "ab=c", "Zm9v!", "Zm 9v", "Zm9v\n", "\xff", "☃", "Zg", "_-_-")

LONG = 70_000
HUGE = 7_000_000
"""More than Lambda takes: "Lambda quotas" in the AWS Lambda Developer Guide, 6 MB."""


def nested(depth: int, wrap: Callable[[Any], Any]) -> Any:
    """A value inside `depth` others; Python's JSON reads up to a little under 1,000."""
    value: Any = "deep"
    for _ in range(depth):
        value = wrap(value)
    return value


def wrong_types() -> tuple[Any, ...]:
    """A value of each JSON type, made anew, as a mutation may change it further."""
    return (None, True, False, 0, -1.5, "", "text", [], [None], [1, "a"], {}, {"a": {}}, [[]])
