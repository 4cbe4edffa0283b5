"""What the gateways share of an event: the parts of a request, as a server's socket has them.

Every function here raises ValueError, TypeError or AttributeError on a part that no
gateway sends; the adapter makes a MalformedEventError of it.
"""

import re
from abc import ABC, abstractmethod
from base64 import b64decode
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from mangum.types import LambdaConfig, LambdaContext, LambdaEvent, Scope

from service.runtime.exchange import Response

Headers = list[tuple[bytes, bytes]]
Address = tuple[str, int]

_token = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch  # RFC 9110, section 5.6.2
_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search  # RFC 9110, section 5.5
_method = re.compile(r"[A-Z]+(-[A-Z]+)?").fullmatch
_digits = re.compile(r"[0-9]{1,5}").fullmatch
_plain = re.compile(r"[0-9A-Za-z._~-]*").fullmatch
_hidden = re.compile(r"[^!-~]").search
_unencoded = re.compile(r"[^!-~]|[?#]").search
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
_PATH = "/:@!$&'()*+,;=~"  # RFC 3986, section 3.3
_PART = "/:@!$'()*,;?~"  # section 3.4, but for what delimits and for `+`, a space in forms
_SEVERAL = {
    "headers": "multiValueHeaders",
    "queryStringParameters": "multiValueQueryStringParameters",
}
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
        known = dict(headers)
        scheme = "http" if known.get(b"x-forwarded-proto") == b"http" else "https"
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": server(known.get(b"host", b""), known.get(b"x-forwarded-port", b""), scheme),
            "client": client,
            "scheme": scheme,
            "root_path": "",
            "headers": headers,
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
    if path and path[0] != "/":
        raise ValueError(f"the path is {path!r:.50}")
    return path or "/"


def without_prefix(path: str, prefix: str) -> str:
    """The path below `prefix`, where it is below; `/prod` is no prefix of `/production`."""
    if path == prefix:
        return "/"
    return path[len(prefix) :] if path.startswith(prefix + "/") else path


def header_list(pairs: Collection[tuple[str, str]]) -> Headers:
    """Names in lower case, in the order of the event; values in ISO-8859-1, as ASGI has them."""
    text = "".join([value for _, value in pairs])
    if not text.isprintable() and _control(text):  # the former is quicker
        raise ValueError("a header has a control character")
    if text.isascii():
        return [(_name(name), value.encode()) for name, value in pairs]
    return [(_name(name), _value(value)) for name, value in pairs]


def pairs(event: LambdaEvent, name: str) -> Collection[tuple[str, str]]:
    """Names and values of `headers` or `queryStringParameters`; all values where it has them."""
    several = event.get(_SEVERAL[name])
    return (event.get(name) or {}).items() if several is None else _each(several)


def _each(values: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    if not set(map(type, values.values())) <= {list}:
        raise TypeError("a name has no list of values")
    return [(name, value) for name, several in values.items() for value in several]


def _value(text: str) -> bytes:
    """A value with a character beyond ISO-8859-1 was UTF-8 when its gateway decoded it."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


@lru_cache(maxsize=256)
def _name(text: str) -> bytes:
    if not _token(text):
        raise ValueError(f"{text!r:.50} is no name of a header")
    return text.lower().encode("ascii")


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
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
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
