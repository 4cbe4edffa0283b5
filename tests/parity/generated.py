"""Whole requests and whole responses, as hypothesis makes them."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

from hypothesis import strategies as st

from tests.parity.case import Case, Step

_UNRESERVED = "abzAZ09-._~"
_HEX = [f"%{n:02{form}}" for n in range(256) for form in "Xx"]
_ASCII = "".join(map(chr, range(33, 127)))
_ANY_BYTE = "".join(map(chr, (*range(33, 127), *range(128, 256))))
_NAMES = (
    "Accept", "accept", "Accept-Language", "Authorization", "Cache-Control", "If-None-Match",
    "Origin", "Range", "Referer", "User-Agent", "Via", "X-A", "x-a", "x-b", "X-Bytes", "x_under",
)  # fmt: skip
_RESPONSE_NAMES = (
    "cache-control", "content-language", "etag", "link", "location", "retry-after", "vary",
    "via", "www-authenticate", "x-a", "X-A", "x-b", "set-cookie", "set-cookie", "date", "server",
    "X-Request-ID",
)  # fmt: skip
_TYPES = (
    "text/plain", "text/html; charset=utf-8", "text/plain; charset=iso-8859-1", "TEXT/CSV",
    "application/json", "application/problem+json", "application/xml", "image/svg+xml",
    "application/javascript", "application/octet-stream", "image/png", "multipart/form-data; "
    "boundary=x", "application/x-www-form-urlencoded", "application/vnd.a+json; q=1", "nonsense",
)  # fmt: skip
_STATUSES = (200, 200, 200, 201, 202, 204, 206, 301, 302, 304, 307, 400, 401, 404, 418, 500, 503)


def _text(pieces: Sequence[str], largest: int) -> st.SearchStrategy[str]:
    """Pieces in a row; drawn as one text, with a character for each, which is far quicker."""
    first = 0x100
    drawn = st.text(
        st.characters(min_codepoint=first, max_codepoint=first + len(pieces) - 1), max_size=largest
    )
    return drawn.map(lambda text: "".join(pieces[ord(character) - first] for character in text))


def _value(alphabet: str) -> st.SearchStrategy[str]:
    """A header's value: it neither begins nor ends with a space."""
    return _text([*alphabet, " ", ", "], 12).map(str.strip)


_TWICE = ("%2525", "%252F", "%252f", "%2541", "%252541", "%253F") * 8
paths = _text([*_UNRESERVED, *"/!$&'()*+,;=:@/", *_HEX, *_TWICE], 12).map(lambda rest: f"/{rest}")
# Not `|{}` and `;`: REST APIs do not support them ("Amazon API Gateway important notes").
_FIRST = ("a=", "&a=", "&b=", "&a%20b=", "&", "&flag", "&flag&", "=", "+", "%20", "&=") * 24
queries = _text([*_FIRST, *_UNRESERVED, *"!$'()*,:@/?", *_HEX], 12)
_cookies = _text(["a=1", "; b=2", "; c=x-_/=", ";d=", '; e="f"'], 3).map(lambda rest: f"z=0{rest}")
_headers = st.one_of(
    st.tuples(st.sampled_from(_NAMES), _value(_ASCII)),
    st.tuples(st.sampled_from(_NAMES), _value(_ANY_BYTE)),
    st.tuples(st.sampled_from(("cookie", "Cookie")), _cookies),
)
headers = st.lists(_headers, max_size=4)
_texts = st.text(min_size=1, max_size=16).map(lambda text: text.encode("utf-8", "surrogatepass"))
bodies = st.one_of(
    st.binary(min_size=1, max_size=32),
    _texts,
    _texts.map(lambda text: b" \r\n" + text + b"\n "),
    _texts.map(lambda text: b'{"a": "' + text + b'"}'),
    st.binary(max_size=16).map(lambda content: gzip.compress(content, mtime=0)),
    st.builds(lambda part, times: part * times, st.binary(min_size=1, max_size=9),
              st.sampled_from([1, 100, 3000])),
)  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> Case:
    """A request that the application mirrors."""
    method = draw(st.sampled_from(("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")))
    given = draw(headers)
    body = draw(bodies) if method not in ("GET", "OPTIONS") else b""
    if body and draw(st.booleans()):
        given.append(("Content-Type", draw(st.sampled_from(_TYPES))))
    if body.startswith(b"\x1f\x8b"):
        given.append(("content-encoding", "gzip"))
    return Case(method, draw(paths), draw(queries), tuple(given), body)


def _latin_1(body: bytes) -> str:
    return body.decode("latin-1")


_response_header = st.builds(
    lambda name, value: [name, value],
    st.sampled_from(_RESPONSE_NAMES),
    _value(_ANY_BYTE),
)
_parts = st.lists(st.one_of(st.just(b""), bodies), max_size=3)


@st.composite
def responses(draw: st.DrawFn) -> Case:
    """A request whose answer is scripted: most complete, some not."""
    method = draw(st.sampled_from(("GET", "GET", "POST", "HEAD")))
    status = draw(st.one_of(st.sampled_from(_STATUSES), st.integers(200, 599)))
    parts = [] if status in (204, 304) else draw(_parts)
    given = draw(st.lists(_response_header, max_size=4))
    if draw(st.integers(0, 3)):
        given.append(["content-type", draw(st.sampled_from(_TYPES))])
    if parts and parts[0].startswith(b"\x1f\x8b"):
        given.append(["content-encoding", "gzip"])
    if draw(st.booleans()) and status not in (204, 304):
        given.append(["content-length", str(len(b"".join(parts)))])
    steps: list[Step] = [["start", status, given]]
    steps += [["body", _latin_1(part), True] for part in parts[:-1]]
    steps.append(["body", _latin_1(parts[-1]) if parts else ""])
    return Case(method, script=tuple(draw(_played(steps))))


@st.composite
def _played(draw: st.DrawFn, steps: list[Step]) -> list[Step]:
    """The steps as they are, or an application that fails at one of them."""
    mishap = draw(st.integers(0, 11))
    place = draw(st.integers(0, len(steps)))
    if mishap == 0:
        return [*steps[:place], ["raise", "in between"]]
    if mishap == 1:
        return steps[:place]
    if mishap == 2:
        return [*steps[:place], steps[min(place, len(steps) - 1)], *steps[place:]]
    return steps
