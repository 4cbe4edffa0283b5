"""One case or more for each gap that was found between the runtimes, and for each of its kind."""

from __future__ import annotations

import gzip
import json
import zlib

from tests.parity.case import Case, Step

_PLAIN = ["content-type", "text/plain"]
_MULTIPART = (
    b'--edge\r\ncontent-disposition: form-data; name="file"; filename="\xfc.bin"\r\n'
    b"content-type: application/octet-stream\r\n\r\n" + bytes(range(256)) + b"\r\n--edge--\r\n"
)
MEGABYTE = 1 << 20


def _answers(*steps: Step, method: str = "GET") -> Case:
    return Case(method, script=steps)


def _whole(status: int, headers: list[list[str]], body: str = "", method: str = "GET") -> Case:
    return _answers(["start", status, headers], ["body", body], method=method)


def _sends(body: bytes, content_type: str = "", *headers: tuple[str, str]) -> Case:
    named = (("Content-Type", content_type),) if content_type else ()
    return Case("POST", headers=(*named, *headers), body=body)


REQUESTS: dict[str, Case] = {
    "plain": Case(),
    **{f"method {name}": Case(name) for name in ("PUT", "PATCH", "DELETE", "OPTIONS")},
    "the server itself": Case("OPTIONS", "*"),
    "every byte of a path, upper case": Case(path="/" + "".join(f"%{n:02X}" for n in range(256))),
    "every byte of a path, lower case": Case(path="/" + "".join(f"%{n:02x}" for n in range(256))),
    "every byte of a path but the percent sign": Case(
        path="/" + "".join(f"%{n:02X}" for n in range(256) if n != 37)
    ),
    "every plain byte of a path": Case(path="/azAZ09-._~!$&'()*+,;=:@"),
    "an encoded percent": Case(path="/p/100%2525"),
    "an encoded percent before digits": Case(path="/p%252541"),
    "an encoded slash": Case(path="/a%2Fb/%2e%2e/c"),
    "an encoded question mark": Case(path="/a%3Fb"),
    "UTF-8 in a path": Case(path="/%C3%BC/%E4%B8%96"),
    "no UTF-8 in a path": Case(path="/%FC/%ff"),
    "two slashes, dots": Case(path="//a//../b/./"),
    "a plus in a path": Case(path="/a+b"),
    "every byte of a query": Case(query="q=" + "".join(f"%{n:02X}" for n in range(256))),
    "a flag, an empty value, no name": Case(query="flag&empty=&=value"),
    "repeated parameters between others": Case(query="a=1&b=2&a=3"),
    "a plus and a space": Case(query="a=1+2&b=1%202"),
    "brackets": Case(query="colors[]=blue&colors%5B%5D=red"),
    "an equals sign in a value": Case(query="a=b=c%3Dd"),
    "empty parts of a query": Case(query="&a=1&&b=2&"),
    "repeated headers between others": Case(headers=(("X-A", "1"), ("X-B", "2"), ("x-a", "3"))),
    "an empty header": Case(headers=(("x-empty", ""),)),
    "a comma in a header": Case(headers=(("accept", "text/html, */*;q=0.1"),)),
    "a latin-1 header": Case(headers=(("x-name", "Z\xfcrich"),)),
    "a UTF-8 header": Case(headers=(("x-name", "Z\xc3\xbcrich"),)),
    "every byte of a header": Case(
        headers=(("x-bytes", "".join(map(chr, (*range(33, 127), *range(128, 256))))),)
    ),
    "two cookies in one header": Case(headers=(("Cookie", "a=1; b=2"),)),
    "two cookie headers": Case(headers=(("Cookie", "a=1"), ("X-A", "1"), ("Cookie", "b=2; c=3"))),
    "a cookie in quotes": Case(headers=(("cookie", 'a="b c"; d=e=='),)),
    "a forged forwarding": Case(
        headers=(("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"))
    ),
    "an upgrade that the server does not know": Case(
        headers=(("Connection", "Upgrade"), ("Upgrade", "h2c"))
    ),
    "headers that a REST API drops": Case(
        headers=(("Max-Forwards", "3"), ("TE", "trailers"), ("Content-MD5", "a"), ("Via", "1.1 a"))
    ),
    "authorization": Case(headers=(("Authorization", "Basic YTpi"),)),
    "text": _sends("gr\xfc\xdf".encode(), "text/plain; charset=utf-8"),
    "text that is latin-1": _sends(b"gr\xfc\xdf", "text/plain; charset=iso-8859-1"),
    "JSON": _sends(json.dumps({"a": "\u4e16"}).encode(), "application/json"),
    "problem JSON": _sends(b'{"a": 1}', "application/problem+json"),
    "a form": _sends(b"a=1&b=%20", "application/x-www-form-urlencoded"),
    "a multipart upload": _sends(_MULTIPART, "multipart/form-data; boundary=edge"),
    "an image": _sends(bytes(range(256)), "image/png"),
    "an image that is text": _sends(b"<svg/>", "image/svg+xml"),
    "no content type": _sends(b"abc"),
    "gzip": _sends(gzip.compress(b"abc" * 99), "text/plain", ("Content-Encoding", "gzip")),
    "white space at both ends": _sends(b" \r\n a\t\n", "text/plain"),
    "NUL bytes": _sends(bytes(99), "text/plain"),
    "surrogates in JSON": _sends(b'"\\ud800"', "application/json"),
    "a large body": _sends(bytes(range(256)) * 2000, "application/octet-stream"),
    "a body with GET": Case("GET", headers=(("Content-Type", "text/plain"),), body=b"abc"),
    "a body over a load balancer's limit": _sends(b"x" * (MEGABYTE + 1), "text/plain"),
}

RESPONSES: dict[str, Case] = {
    "HEAD": _whole(200, [_PLAIN, ["content-length", "5"]], "hello", "HEAD"),
    "HEAD without a length": _whole(200, [_PLAIN], "hello", "HEAD"),
    "204": _whole(204, []),
    "304": _whole(304, [["etag", '"a"']]),
    "205": _whole(205, [["content-length", "0"]]),
    "a redirect": _whole(307, [["location", "/a?b=%20"], ["content-length", "0"]]),
    "no content type": _whole(200, [], "hello"),
    "an empty body": _whole(200, [_PLAIN]),
    "an empty body of length 0": _whole(200, [_PLAIN, ["content-length", "0"]]),
    **{
        f"content type {kind}": _whole(200, [["content-type", kind]], '{"a": 1}')
        for kind in (
            "application/json",
            "application/problem+json",
            "application/vnd.api+json",
            "image/svg+xml",
            "application/xml",
            "text/html; charset=utf-8",
            "application/javascript",
            "application/x-ndjson",
            "application/octet-stream",
        )
    },
    "text that is latin-1": _whole(200, [["content-type", "text/plain; charset=latin-1"]], "\xfc"),
    "white space at both ends": _whole(200, [_PLAIN], " \r\n a\t\n"),
    "text that is UTF-8": _whole(200, [_PLAIN], "\xc3\xbc\xe4\xb8\x96\xf0\x9f\x98\x80"),
    "an encoded surrogate": _whole(200, [_PLAIN], "\xed\xa0\x80"),
    "every byte as text": _whole(200, [_PLAIN], "".join(map(chr, range(256)))),
    "an image": _whole(200, [["content-type", "image/png"]], "\x89PNG\r\n\x1a\n"),
    "gzip": _whole(
        200,
        [_PLAIN, ["content-encoding", "gzip"]],
        gzip.compress(b"hello" * 9, mtime=0).decode("latin-1"),
    ),
    "deflate of a JSON type": _whole(
        200,
        [["content-type", "application/json"], ["content-encoding", "deflate"]],
        zlib.compress(b"{}").decode("latin-1"),
    ),
    "a latin-1 header": _whole(200, [_PLAIN, ["x-name", "Z\xfcrich"]]),
    "a UTF-8 header": _whole(200, [_PLAIN, ["x-name", "Z\xc3\xbcrich"]]),
    "every byte of a header": _whole(
        200, [_PLAIN, ["x-bytes", "".join(map(chr, (*range(33, 127), *range(128, 256))))]]
    ),
    "a header in upper case": _whole(200, [["Content-Type", "text/plain"], ["X-Upper", "a"]]),
    "an empty header": _whole(200, [_PLAIN, ["x-empty", ""]]),
    "two cookies": _whole(
        200, [["set-cookie", "a=1; Path=/"], _PLAIN, ["set-cookie", "b=2; Expires=Wed, 1 Jan"]]
    ),
    "repeated headers": _whole(200, [["vary", "a"], _PLAIN, ["vary", "b"], ["link", "</a>"]]),
    "a challenge": _whole(401, [_PLAIN, ["www-authenticate", 'Basic realm="a"']], "no"),
    "a request ID of its own": _whole(200, [_PLAIN, ["x-request-id", "mine"]], "a"),
    "a request ID in upper case": _whole(200, [_PLAIN, ["X-Request-ID", "mine"]], "a"),
    "a header's name with a slash": _whole(200, [_PLAIN, ["a/b", "c"]], "a"),
    "a header's name in latin-1": _whole(200, [_PLAIN, ["x-\xc9", "c"]], "a"),
    "hop-by-hop headers": _whole(200, [_PLAIN, ["trailer", "x-a"], ["te", "trailers"]]),
    "an own date and server": _whole(200, [_PLAIN, ["date", "then"], ["server", "mine"]]),
    **{f"status {n}": _whole(n, [_PLAIN], "x") for n in (201, 206, 299, 404, 418, 500, 503, 599)},
    "chunks": _answers(
        ["start", 200, [_PLAIN]], *(["body", f"part {n} ", True] for n in range(9)), ["body", "end"]
    ),
    "an empty chunk": _answers(["start", 200, [_PLAIN]], ["body", "", True], ["body", "a"]),
    "half a megabyte": _answers(
        ["start", 200, [_PLAIN]], ["body", "0123456789abcdef", False, 32768]
    ),
    "two megabytes": _answers(["start", 200, [_PLAIN]], ["body", "x", False, 2 * MEGABYTE]),
    "seven megabytes": _answers(["start", 200, [_PLAIN]], ["body", "x", False, 7 * MEGABYTE]),
    "seven megabytes and their length": _answers(
        ["start", 200, [_PLAIN, ["content-length", str(7 * MEGABYTE)]]],
        ["body", "x", False, 7 * MEGABYTE],
    ),
    "seven megabytes, the last chunk of which is too much": _answers(
        ["start", 200, [_PLAIN, ["content-length", str(7 * MEGABYTE)]]],
        ["body", "x", True, 5 * MEGABYTE],
        ["body", "x", False, 2 * MEGABYTE],
    ),
    "five megabytes of bytes": _answers(
        ["start", 200, [["content-type", "image/png"]]], ["body", "\xff", False, 5 * MEGABYTE]
    ),
    "nothing": _answers(),
    "only a start": _answers(["start", 200, [_PLAIN]]),
    "an unfinished body": _answers(["start", 200, [_PLAIN]], ["body", "a", True]),
    "less than its length": _whole(200, [_PLAIN, ["content-length", "9"]], "a"),
    "more than its length": _whole(200, [_PLAIN, ["content-length", "1"]], "too much"),
    "a body with 204": _whole(204, [_PLAIN], "too much"),
    "a body with 304": _whole(304, [_PLAIN], "too much"),
    "a body first": _answers(["body", "a"]),
    "two starts": _answers(["start", 200, [_PLAIN]], ["start", 404, [_PLAIN]], ["body", "a"]),
    "a message too many": _answers(["start", 200, [_PLAIN]], ["body", "a"], ["body", "b"]),
    "raises before": _answers(["raise", "before"]),
    "raises after the start": _answers(["start", 200, [_PLAIN]], ["raise", "after"]),
    "raises in the body": _answers(["start", 200, [_PLAIN]], ["body", "a", True], ["raise", "in"]),
    "raises at the end": _answers(["start", 200, [_PLAIN]], ["body", "a"], ["raise", "end"]),
    "leaves by SystemExit": _answers(["exit", 3]),
    "leaves by SystemExit in the body": _answers(
        ["start", 200, [_PLAIN]], ["body", "a", True], ["exit", 3]
    ),
    "is cancelled": _answers(["cancel"]),
    "returns a value": _answers(["start", 200, [_PLAIN]], ["body", "a"], ["return", 1]),
    "a line break in a header": _whole(200, [_PLAIN, ["x-a", "b\r\nx-injected: c"]], "a"),
    "a NUL in a header": _whole(200, [_PLAIN, ["x-a", "b\0c"]], "a"),
    "a space in a header's name": _whole(200, [_PLAIN, ["x a", "b"]], "a"),
    "a length that is no number": _whole(200, [_PLAIN, ["content-length", "x"]], "a"),
    "a status that is none": _whole(999, [_PLAIN], "a"),
    "a task in the background": _answers(["start", 200, [_PLAIN]], ["body", "a"], ["background"]),
}
