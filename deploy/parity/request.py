"""A request as it goes out, but for the side's own host."""

from __future__ import annotations

import re
from dataclasses import dataclass

Headers = tuple[tuple[str, str], ...]
# Of a name no more than that it is one: its letters are the resolver's affair (RFC 3986, 3.2.2).
_HOST = re.compile(r"(\[[0-9A-Za-z:.%]+\]|[^\x00-\x20\x7f\[\]:]+)(:[0-9]*)?")
_BRIEF = 60
_SIDES_OWN = ("host", "content-length")


@dataclass(frozen=True)
class Request:
    """Text is latin-1, a character a byte; `target` is path and query, percent-encoded as written.

    `headers` are in order, with repeats, without Host and Content-Length: both are made when
    it is sent. `where` says where it was read, as 'FILE:LINE'; `host` which host it named
    there, if any.
    """

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""
    where: str = ""
    host: str = ""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def label(self) -> str:
        """How a person recognises it."""
        return f"{self.method} {shown(self.target)}"


def shown(text: str) -> str:
    """For a person: the bytes read as UTF-8, what is not UTF-8 or cannot be printed escaped."""
    decoded = text.encode("latin-1", "replace").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in decoded)


def brief(text: str) -> str:
    """As `shown`; of a long text the beginning."""
    whole = shown(text[: _BRIEF + 1])
    return whole if len(text) <= _BRIEF else f"{whole[:_BRIEF]}…"


def without_own(headers: Headers) -> Headers:
    """Without what is made for each side when the request is sent."""
    return tuple((name, value) for name, value in headers if name.lower() not in _SIDES_OWN)


def target_of(url: str) -> str:
    """Path and query of a URL; the host is whichever side is asked.

    Raises:
        ValueError: not http or https, or no host where one has to be.
    """
    url = url.partition("#")[0]
    scheme, rest = _scheme_and_rest(url)
    if scheme.lower() not in ("", "http", "https"):
        raise ValueError(f"the URL {brief(url)!r} is neither http nor https")
    if scheme or not rest.startswith("/"):
        _refuse_odd_host(url)
    target = rest if rest.startswith("/") and not scheme else re.sub(r"^[^/?]*", "", rest)
    return target if target.startswith("/") else f"/{target}"


def _refuse_odd_host(url: str) -> None:
    host = _scheme_and_authority(url)[1].rpartition("@")[2]
    if not _HOST.fullmatch(host):
        wrong = f"names the host {brief(host)!r}, which is none" if host else "names no host"
        raise ValueError(
            f"the URL {brief(url)!r} {wrong}; "
            "expected one like /healthz or http://localhost:9999/healthz"
        )


def host_of(url: str) -> str:
    """The host that a URL names, in lower case, with its port unless that is the scheme's own."""
    scheme, authority = _scheme_and_authority(url)
    own = {"http": ":80", "https": ":443"}.get(scheme.lower(), ":80")
    return authority.rpartition("@")[2].lower().removesuffix(own)


def user_of(url: str) -> str:
    """'NAME:PASSWORD' that stands in a URL before the host, still percent-encoded."""
    return _scheme_and_authority(url)[1].rpartition("@")[0]


def _scheme_and_authority(url: str) -> tuple[str, str]:
    scheme, rest = _scheme_and_rest(url)
    return scheme, re.split(r"[/?#]", rest, maxsplit=1)[0]


def _scheme_and_rest(url: str) -> tuple[str, str]:
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", url)
    return (found[1], url[found.end() :]) if found else ("", url)


def is_token(text: str) -> bool:
    """What a method or a header's name is (RFC 9110, section 5.6.2)."""
    return bool(re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", text))


def refuse_unsendable(request: Request) -> None:
    """It is one request on the wire, and no more.

    Raises:
        ValueError: its method, its target or a header would end the line that it stands in
            (RFC 9112, sections 3 and 5).
    """
    if not is_token(request.method):
        raise ValueError(f"the method {brief(request.method)!r} is none; expected one like POST")
    if re.search(r"[\x00-\x20\x7f]", request.target):
        raise ValueError(
            f"the path {brief(request.target)!r} holds a blank or control byte; percent-encode it"
        )
    for name, value in request.headers:
        if not name or re.search(r"[\r\n\0]", name + value) or ":" in name:
            raise ValueError(
                f"the header {brief(f'{name}: {value}')!r} would break the request; "
                "a header is one line without NUL bytes"
            )
