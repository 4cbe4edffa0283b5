"""What a person, a program and a CI read."""

from __future__ import annotations

from xml.etree import ElementTree

from rich.console import Console

from deploy.parity.junit import xml
from deploy.parity.report import Report, document, show, summary
from tests.deploy.parity.answers import JSON, answer, asking, compared

SIDES = {"lambda": "http://127.0.0.1:1/", "instance": "http://127.0.0.1:2"}
EQUAL = compared(answer(b"x"), answer(b"x"))
KNOWN = compared(
    answer(b'{"mode":"lambda"}', JSON),
    answer(b'{"mode":"instance"}', JSON),
    asking(target="/healthz"),
)
UNKNOWN = compared(answer(b"\0[bold]"), answer(b"b", status=500), asking("POST", "/<&\x01"))
SILENT = compared(answer(problem="Connection refused", status=0), answer())


def report(*compared_: object, total: int = 0) -> Report:
    return Report(SIDES, compared_, len(compared_), total or len(compared_))  # type: ignore[arg-type]


def shown(of: Report) -> str:
    terminal = Console(width=80, color_system=None)
    with terminal.capture() as captured:
        show(of, terminal)
    return captured.get()


def test_the_tables_show_what_differs_and_why() -> None:
    lines = shown(report(EQUAL, KNOWN, UNKNOWN)).splitlines()
    text = "\n".join(line.rstrip() for line in lines)
    assert "GET / " not in text
    assert "GET /healthz (r.txt:1)" in text
    assert ' known    body /mode          "lambda"                 "instance"' in text
    assert "    Known: the mode that /healthz tells. It says which runtime answers." in text
    assert "POST /<&\\x01 (r.txt:1)" in text
    assert " unknown  status              200                      500" in text
    assert "\\x00[bold] (7 bytes)" in text


def test_the_instance_is_named_where_there_are_several() -> None:
    several = Report({**SIDES, "instance i-2": ""}, [UNKNOWN], 1, 1)
    assert "(r.txt:1, instance)" in shown(several)


def test_the_summary_counts() -> None:
    assert summary(report(EQUAL, KNOWN, UNKNOWN, SILENT)) == (
        "4 requests compared: 1 equal, 1 with known differences only, 2 with unknown ones."
    )
    assert summary(report(EQUAL)).startswith("1 request compared: 1 equal, ")
    assert summary(report(EQUAL, total=7)).startswith("1 of 7 requests compared: ")


def test_only_unknown_differences_make_the_sides_differ() -> None:
    assert not report(EQUAL, KNOWN).differs
    assert report(EQUAL, UNKNOWN).differs


def test_the_document_holds_it_all() -> None:
    made = document(report(KNOWN, SILENT, total=3))
    assert {key: made[key] for key in ("requests", "asked", "equal", "known", "unknown")} == {
        "requests": 3,
        "asked": 2,
        "equal": 0,
        "known": 1,
        "unknown": 1,
    }
    mode, silent = made["comparisons"]
    assert mode["differences"] == [
        {
            "what": "body /mode",
            "lambda": '"lambda"',
            "instance": '"instance"',
            "known": True,
            "reason": "It says which runtime answers.",
            "remedy": "Nothing needs to be done.",
        }
    ]
    assert (silent["verdict"], silent["answers"][0]["problem"]) == (
        "unknown",
        "Connection refused",
    )


def test_junit_has_a_case_for_each_comparison() -> None:
    root = ElementTree.fromstring(xml(report(EQUAL, KNOWN, UNKNOWN, SILENT)))
    assert root.attrib == {"tests": "4", "failures": "1", "errors": "1"}
    equal, known, unknown, silent = root.iter("testcase")
    assert list(equal) == []
    assert equal.attrib == {
        "classname": "parity.instance",
        "name": "GET / (r.txt:1)",
        "time": "0.500",
    }
    assert known.find("failure") is None
    assert known.findtext("system-out") == (
        'body /mode: lambda "lambda"; instance "instance" (known: It says which runtime answers.)'
    )
    failure = unknown.find("failure")
    assert failure is not None
    assert failure.attrib == {"message": "status, body"}
    assert failure.text == (
        "status: lambda 200; instance 500\nbody: lambda \\x00[bold] (7 bytes); instance b (1 bytes)"
    )
    assert [child.tag for child in silent] == ["error"]


def test_what_was_not_asked_is_an_error_in_junit() -> None:
    root = ElementTree.fromstring(xml(report(EQUAL, total=3)))
    assert root.attrib == {"tests": "2", "failures": "0", "errors": "1"}
    equal, left = root.iter("testcase")
    assert list(equal) == []
    assert left.get("name") == "2 of 3 requests"
    assert [error.attrib for error in left] == [{"message": "not asked: the run ended before"}]
