"""Curl lines -> requests."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from deploy.parity.curl_lines import requests_in
from deploy.parity.request import Headers, Request

FILES = {"body.json": b'{"a":\r\n 1}\0', "name": b"a b"}
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def read(name: str, files: Mapping[str, bytes] = FILES) -> bytes:
    if name not in files:
        raise ValueError(f"Cannot read {name}: No such file or directory")
    return files[name]


def one(line: str) -> Request:
    problems: list[str] = []
    (found,) = requests_in(line.encode(), "r.txt", read, problems)
    assert problems == []
    return found


def problem(line: str) -> str:
    problems: list[str] = []
    assert requests_in(line.encode(), "r.txt", read, problems) == ()
    (said,) = problems
    return said


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("/", "/"),
        ("/a%2Fb/../c//d?x=1&y", "/a%2Fb/../c//d?x=1&y"),
        ("http://h:9999/x?y", "/x?y"),
        ("HTTPS://user:word@h.example/x", "/x"),
        ("https://h.example", "/"),
        ("https://h.example?x", "/?x"),
        ("localhost:9999/x", "/x"),
        ("//x", "//x"),
        ("/x#part", "/x"),
        ("/a?to=http://h/b", "/a?to=http://h/b"),
    ],
)
def test_path_and_query_of_any_url_are_asked_as_they_are_written(url: str, target: str) -> None:
    assert one(f"curl '{url}'").target == target


@pytest.mark.parametrize(
    ("options", "method"),
    [
        ("", "GET"),
        ("-X PUT", "PUT"),
        ("-XPUT", "PUT"),
        ("--request PUT -d x", "PUT"),
        ("-d x", "POST"),
        ("--json {}", "POST"),
        ("-I", "HEAD"),
        ("-sSIL", "HEAD"),
        ("-G -d x", "GET"),
    ],
)
def test_the_method_is_the_one_that_curl_would_use(options: str, method: str) -> None:
    assert one(f"curl {options} /").method == method


@pytest.mark.parametrize(
    ("options", "body", "headers"),
    [
        ("-d a=b -d c", b"a=b&c", (FORM,)),
        ("-d @body.json", b'{"a": 1}', (FORM,)),
        ("--data-binary @body.json", FILES["body.json"], (FORM,)),
        ("--data-raw @body.json", b"@body.json", (FORM,)),
        ("--data-urlencode 'x=a b&'", b"x=a+b%26", (FORM,)),
        ("--data-urlencode x@name", b"x=a+b", (FORM,)),
        ("--data-urlencode =a=b", b"a%3Db", (FORM,)),
        (
            "--json '{\"a\":' --json 1}",
            b'{"a":1}',
            (("Content-Type", "application/json"), ("Accept", "application/json")),
        ),
        ("-d x -H 'content-type: text/plain'", b"x", (("content-type", "text/plain"),)),
        ("-d x -H Content-Type:", b"x", ()),
    ],
)
def test_bodies_and_the_headers_that_come_with_them(
    options: str, body: bytes, headers: Headers
) -> None:
    found = one(f"curl {options} /")
    assert (found.body, found.headers) == (body, headers)


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        ("-H 'B: 2' -H 'a:1' -H 'B: 3'", (("B", "2"), ("a", "1"), ("B", "3"))),
        ("-H 'Empty;'", (("Empty", ""),)),
        ("-H 'Host: h' -H 'Content-Length: 7' -H 'A: 1'", (("A", "1"),)),
        ("-b a=1 -b b=2", (("Cookie", "a=1; b=2"),)),
        (
            "-u ada:word -b a=1 -H 'authorization: x' -H 'cookie: y'",
            (("authorization", "x"), ("cookie", "y")),
        ),
        ("-A '' -e ''", ()),
        ("-u ada:word", (("Authorization", "Basic YWRhOndvcmQ="),)),
        ("-r 0-99", (("Range", "bytes=0-99"),)),
        ("--oauth2-bearer t", (("Authorization", "Bearer t"),)),
        (
            "-b 'a=1; b=2' -A me -e there",
            (("Cookie", "a=1; b=2"), ("User-Agent", "me"), ("Referer", "there")),
        ),
        ("--compressed", (("Accept-Encoding", "deflate, gzip"),)),
        ("--compressed -H 'accept-encoding: br'", (("accept-encoding", "br"),)),
        ("-k -s -o out -w x -m 5 --retry 3 -L --http2", ()),
    ],
)
def test_headers_are_sent_as_curl_sends_them(options: str, headers: Headers) -> None:
    assert one(f"curl {options} /").headers == headers


def test_bytes_that_are_not_ascii_stay_the_bytes_that_they_are() -> None:
    found = one("curl -H 'X: ü' -d 'ü' /ü")
    assert found.headers[0] == ("X", "\xc3\xbc")
    assert found.body == b"\xc3\xbc"
    assert found.target == "/\xc3\xbc"
    assert found.label == "POST /ü"


def test_get_puts_the_fields_into_the_query() -> None:
    assert one("curl -G -d a=1 -d b=2 '/x?c'").target == "/x?c&a=1&b=2"


def test_what_a_browser_copies_as_curl_is_understood() -> None:
    found = one(
        "curl 'https://shop.example/api/cart?id=7' \\\n"
        "  -X 'POST' \\\n"
        "  -H 'accept: application/json, text/plain, */*' \\\n"
        "  -H 'content-type: application/json' \\\n"
        "  -b 'session=abc; theme=dark' \\\n"
        '  -H \'sec-ch-ua: "Chromium";v="140"\' \\\n'
        '  --data-raw $\'{"note":"it\\\'s \\u00e9\\\\n"}\' \\\n'
        "  --compressed \\\n"
        "  --insecure ;\n"
    )
    assert (found.method, found.target) == ("POST", "/api/cart?id=7")
    assert [name for name, _ in found.headers] == [
        "accept",
        "content-type",
        "sec-ch-ua",
        "Cookie",
        "Accept-Encoding",
    ]
    assert found.body == '{"note":"it\'s é\\n"}'.encode()


def test_a_form_is_sent_as_curl_sends_it_with_a_boundary_of_its_content() -> None:
    line = "curl -F 'a=b c' -F 'f=@name' -F 'g=<name' -F 'h=@name;type=x/y;filename=q.z' /"
    found = one(line)
    ((name, media),) = found.headers
    kind, _, boundary = media.partition("; boundary=")
    assert (found.method, name, kind) == ("POST", "Content-Type", "multipart/form-data")
    assert found.body.decode().split(f"--{boundary}") == [
        "",
        '\r\nContent-Disposition: form-data; name="a"\r\n\r\nb c\r\n',
        '\r\nContent-Disposition: form-data; name="f"; filename="name"\r\n'
        "Content-Type: application/octet-stream\r\n\r\na b\r\n",
        '\r\nContent-Disposition: form-data; name="g"\r\n\r\na b\r\n',
        '\r\nContent-Disposition: form-data; name="h"; filename="q.z"\r\n'
        "Content-Type: x/y\r\n\r\na b\r\n",
        "--\r\n",
    ]
    assert one(line) == found


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "wget /",
            "'wget' is no request; expected a line like: curl /healthz",
        ),
        ("curl -I", "0 URLs; expected one, as in: curl /healthz"),
        ("curl /a /b", "2 URLs; expected one, as in: curl /healthz"),
        (
            "curl -T x /",
            "curl's -T is not understood here; leave it out, or pass the request in a HAR file",
        ),
        (
            "curl --upload-file x /",
            "curl's --upload-file is not understood here; "
            "leave it out, or pass the request in a HAR file",
        ),
        ("curl / -X", "-X wants a value after it"),
        ("curl -H nonsense /", "header 'nonsense'; expected a form like 'Accept: text/plain'"),
        ("curl -b jar.txt /", "-b 'jar.txt' is a file of cookies; write them as -b 'name=value'"),
        ("curl ftp://h/x", "the URL 'ftp://h/x' is neither http nor https"),
        (
            "curl '/a b'",
            "the path '/a b' holds a blank or control byte; percent-encode it",
        ),
        (
            "curl '/a '",
            "the path '/a ' holds a blank or control byte; percent-encode it",
        ),
        (
            "curl -G -d 'a b' /",
            "the path '/?a b' holds a blank or control byte; percent-encode it",
        ),
        *(
            (
                f"curl '{url}'",
                f"the URL '{url}' {wrong}; "
                "expected one like /healthz or http://localhost:9999/healthz",
            )
            for url, wrong in (
                ("", "names no host"),
                ("?x", "names no host"),
                ("http://", "names no host"),
                ("https://ada:word@/x", "names no host"),
                ("http://[::1/", "names the host '[::1', which is none"),
                ("http://:80/", "names the host ':80', which is none"),
                ("http://h:x/", "names the host 'h:x', which is none"),
                ("http://a b/", "names the host 'a b', which is none"),
                ("a b/", "names the host 'a b', which is none"),
            )
        ),
        ("curl -X 'G T' /", "the method 'G T' is none; expected one like POST"),
        (
            r"curl -H $'A: 1\r\nB: 2' /",
            r"the header 'A: 1\\r\\nB: 2' would break the request; "
            "a header is one line without NUL bytes",
        ),
        ("curl -F a /", "-F wants a form like -F 'name=value' or -F 'name=@file'"),
        ("curl -F a=1 -d x /", "-F and -d are two kinds of body; leave one of them out"),
        ("curl -d x -F a=1 /", "-F and -d are two kinds of body; leave one of them out"),
        (
            "curl -F 'a=1;headers=x' /",
            "-F: ;headers is not understood here, only ;type= and ;filename=",
        ),
        ("curl -d @gone /", "Cannot read gone: No such file or directory"),
    ],
)
def test_what_cannot_be_asked_is_said_with_its_line(line: str, said: str) -> None:
    assert problem(line) == f"r.txt:1: {said}."


@pytest.mark.parametrize("line", ["x" * 99, f"curl ftp://{'x' * 99}", f"curl -H {'x' * 99} /"])
def test_what_is_long_is_said_in_brief(line: str) -> None:
    assert f"{'x' * 9}…'" in problem(line)
    assert len(problem(line)) < 200


def test_all_problems_of_a_file_are_said() -> None:
    problems: list[str] = []
    found = requests_in(b"curl /1\ncurl -T x /\n\ncurl '/2\n", "r.txt", read, problems)
    assert [request.where for request in found] == ["r.txt:1"]
    assert [said.partition(" ")[0] for said in problems] == ["r.txt:2:", "r.txt:4:"]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("/x", ""),
        ("h.Example?x", "h.example"),
        ("http://H.example:80/x", "h.example"),
        ("https://u@h.example:443", "h.example"),
        ("https://h.example:80#x", "h.example:80"),
        ("http://[::1]:9999/", "[::1]:9999"),
    ],
)
def test_the_host_that_the_url_names_is_kept(url: str, host: str) -> None:
    assert one(f"curl '{url}'").host == host


def test_the_user_that_the_url_names_is_sent_unless_another_is() -> None:
    basic = (("Authorization", "Basic YWRhOndAcmQ="),)
    assert one("curl http://ada:w%40rd@h.example/").headers == basic
    assert one("curl -u ada:w@rd http://bob@h.example/").headers == basic
