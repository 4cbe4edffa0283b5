"""What a replay found, as the JUnit XML that continuous integration shows."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from deploy.parity.exchange import Compared, Finding
from deploy.parity.report import Report

# XML 1.0, section 2.2: what no document can hold, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml(report: Report) -> bytes:
    """A test case for each comparison: a failure for an unknown difference, an error for a side
    that did not answer; known differences are its output. One more is an error for all requests
    that were not asked, so that nobody takes a part for the whole."""
    root = Element("testsuites")
    suite = SubElement(root, "testsuite", name="twofold parity")
    for one in report.compared:
        _case(suite, one)
    if report.asked < report.total:
        _not_asked(suite, report)
    totals = {
        "tests": len(suite),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
    }
    for element in (root, suite):
        element.attrib.update({name: str(total) for name, total in totals.items()})
    indent(root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _case(suite: Element, one: Compared) -> None:
    request, exchange = one.exchange.request, one.exchange
    case = SubElement(
        suite,
        "testcase",
        classname=_plain(f"parity.{exchange.on_instance.side}"),
        name=_plain(f"{request.label} ({request.where})"),
        time=f"{exchange.on_lambda.seconds + exchange.on_instance.seconds:.3f}",
    )
    if one.unknown:
        silent = exchange.on_lambda.problem or exchange.on_instance.problem
        message = _plain(", ".join(finding.difference.what for finding in one.unknown))
        failed = SubElement(case, "error" if silent else "failure", message=message)
        failed.text = _plain("\n".join(map(_line, one.unknown)))
    if explained := [finding for finding in one.findings if finding.known]:
        SubElement(case, "system-out").text = _plain("\n".join(map(_line, explained)))


def _not_asked(suite: Element, report: Report) -> None:
    name = f"{report.total - report.asked} of {report.total} requests"
    case = SubElement(suite, "testcase", classname="parity", name=name, time="0.000")
    SubElement(case, "error", message="not asked: the run ended before")


def _line(finding: Finding) -> str:
    difference = finding.difference
    why = f" (known: {finding.known.reason})" if finding.known else ""
    return (
        f"{difference.what}: lambda {difference.on_lambda}; instance {difference.on_instance}{why}"
    )


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
