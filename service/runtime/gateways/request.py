"""What the gateways share of an event: the parts of a request, as a server's socket has them.

Every function here raises ValueError, TypeError or AttributeError on a part that no
gateway sends; the adapter makes a MalformedEventError of it.
"""

import re
from abc import ABC, abstractmethod
from base64 import b64decode
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from mangum.types import LambdaConfig, LambdaContext, LambdaEvent, Scope

from service.runtime.exchange import Response
from service.runtime.gateways.headers import Headers

Address = tuple[str, int]

_method = re.compile(r"[A-Z]+(-[A-Z]+)?").fullmatch
_digits = re.compile(r"[0-9]{1,5}").fullmatch
_plain = re.compile(r"[0-9A-Za-z._~-]*").fullmatch
_hidden = re.compile(r"[^!-~]").search
_unencoded = re.compile(r"[^!-~]|[?#]").search
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
_PATH = "/:@!$&'()*+,;=~"  # RFC 3986, section 3.3
_PART = "/:@!$'()*,;?~"  # section 3.4, but for what delimits and for `+`, a space in forms
_PORTS = {"http": 80, "https": 443}


class Gateway(ABC):
    """One request of one kind of front end; called with the response, it gives the reply."""

    name: str
    limit: int  # of a reply, in bytes of JSON

    def __init__(self, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> None:
        self.event = event
        self.context = context
        self.config = config

    @classmethod
    @abstractmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:
        """Whether an event that is a request is of this kind."""

    @property
    @abstractmethod
    def scope(self) -> Scope:
        """The request, but for its body."""

    @abstractmethod
    def __call__(self, response: Response) -> dict[str, Any]:
        """The reply, in the form that the front end takes."""

    @property
    def body(self) -> bytes:
        """The request's body, as it was sent."""
        body, encoded = self.event.get("body"), self.event.get("isBase64Encoded")
        if encoded not in (True, False, None):
            raise ValueError(f"isBase64Encoded is {encoded!r:.50}")
        if body is None:
            return b""
        if not isinstance(body, str):
            raise TypeError(f"body is {body!r:.50}")
        return b64decode(body, validate=True) if encoded else body.encode()

    def make_scope(
        self,
        method: str,
        raw_path: str,
        query: bytes,
        headers: Headers,
        client: Address | None,
    ) -> Scope:
        """The scope as the HTTP server makes it: `raw_path` is encoded, `path` is not."""
        base = self.config["api_gateway_base_path"]
        if base != "/":
            raw_path = without_prefix(raw_path, base)
        names, values = headers
        scheme = "http" if values[names.forwarded_proto] == b"http" else "https"
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": server(values[names.host], values[names.forwarded_port], scheme),
            "client": client,
            "scheme": scheme,
            "root_path": "",
            "headers": list(zip(names.keys, values)),  # noqa: B905 - but for the last value
            "method": checked_method(method),
            "path": unquote(raw_path) if "%" in raw_path else raw_path,
            "raw_path": raw_path.encode("ascii"),
            "query_string": query,
            "aws.event": self.event,
            "aws.context": self.context,
        }


@lru_cache(maxsize=64)
def checked_method(method: str) -> str:
    """The method, if HTTP has such a one."""
    if not _method(method):
        raise ValueError(f"the method is {method!r:.50}")
    return method


def encoded_path(path: str) -> str:
    """A path that is encoded already, absolute and in ASCII."""
    if path[:1] == "/" and not _unencoded(path):
        return path
    return _absolute(quote(path, safe=_VISIBLE.translate({ord("?"): None, ord("#"): None})))


def reencoded_path(path: str) -> str:
    """A path that its gateway has decoded, encoded again; an encoded slash is lost."""
    return _absolute(quote(path, safe=_PATH))


def http_api_path(path: str, context: LambdaEvent) -> str:
    """The path of an HTTP API below its stage, encoded again."""
    stage = context.get("stage", "$default")
    if stage != "$default":
        path = without_prefix(path, f"/{stage}")
    return reencoded_path(path)


def _absolute(path: str) -> str:
    if path and path[0] != "/" and path != "*":  # which OPTIONS asks (RFC 9110, section 9.3.7)
        raise ValueError(f"the path is {path!r:.50}")
    return path or "/"


def without_prefix(path: str, prefix: str) -> str:
    """The path below `prefix`, where it is below; `/prod` is no prefix of `/production`."""
    if path == prefix:
        return "/"
    return path[len(prefix) :] if path.startswith(prefix + "/") else path


def query(event: LambdaEvent) -> Collection[tuple[str, str]]:
    """Names and values in payload 1.0 or of a load balancer; all values where it has them."""
    several = event.get("multiValueQueryStringParameters")
    if several is None:
        return (event.get("queryStringParameters") or {}).items()
    each = list.__iter__  # and of nothing else, say text
    return [(name, value) for name, values in several.items() for value in each(values)]


def query_bytes(text: str) -> bytes:
    """A query string as it was sent."""
    return (quote(text, safe=_VISIBLE) if _hidden(text) else text).encode("ascii")


def joined_query(pairs: Iterable[tuple[str, str]]) -> bytes:
    """A query string of parts that are encoded already."""
    return query_bytes("&".join([name + "=" + value for name, value in pairs]))


def encoded_query(pairs: Iterable[tuple[str, str]]) -> bytes:
    """A query string of parts that their gateway has decoded, encoded as RFC 3986 has it."""
    return "&".join([f"{_part(name)}={_part(value)}" for name, value in pairs]).encode("ascii")


def _part(text: str) -> str:
    return text if _plain(text) else quote(text, safe=_PART)


def host_and_port(text: str) -> tuple[str, int | None]:
    """The parts of `host`, `host:port`, `[IPv6]:port` or a bare IPv6 address."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = text.partition(":")
        if ":" in port:
            host, port = text, ""
    return host, int(port) if _digits(port) else None


@lru_cache(maxsize=64)
def server(asked: bytes, forwarded_port: bytes, scheme: str) -> Address | None:
    """What the client asked, by its Host header; None where it sent none (HTTP/1.0)."""
    host, port = host_and_port(asked.decode("latin-1"))
    if not host:
        return None
    if port is None and forwarded_port.isdigit():
        port = int(forwarded_port[:5])
    return host, _PORTS[scheme] if port is None else port


def client(source: str | None) -> Address | None:
    """The client's address; the gateways tell no port, so it is 0."""
    if source is None:
        return None
    if not isinstance(source, str):
        raise TypeError(f"sourceIp is {source!r:.50}")
    return source, 0
