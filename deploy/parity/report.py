"""What a replay found, as a JSON document, a table and a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deploy.parity.exchange import Compared, Finding
from deploy.parity.request import shown
from deploy.question import Answer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@dataclass(frozen=True)
class Report:
    """What was compared of `total` requests on these sides (name -> URL)."""

    sides: Mapping[str, str]
    compared: Sequence[Compared]
    asked: int
    total: int

    @property
    def counts(self) -> Counter[str]:
        """How many comparisons were equal, known and unknown."""
        return Counter(one.verdict for one in self.compared)

    @property
    def differs(self) -> bool:
        """There is a difference that nobody has an explanation for."""
        return self.counts["unknown"] > 0


def summary(report: Report) -> str:
    """One line; several comparisons a request where there are several instances."""
    counts = report.counts
    asked = (
        str(report.asked) if report.asked == report.total else f"{report.asked} of {report.total}"
    )
    noun = "request" if report.asked == 1 and report.asked == report.total else "requests"
    return (
        f"{asked} {noun} compared: {counts['equal']} equal, "
        f"{counts['known']} with known differences only, {counts['unknown']} with unknown ones."
    )


def document(report: Report) -> dict[str, Any]:
    """For --json."""
    return {
        "sides": dict(report.sides),
        "requests": report.total,
        "asked": report.asked,
        **{verdict: report.counts[verdict] for verdict in ("equal", "known", "unknown")},
        "comparisons": [_comparison(one) for one in report.compared],
    }


def _comparison(one: Compared) -> dict[str, Any]:
    exchange = one.exchange
    return {
        "where": exchange.request.where,
        "method": exchange.request.method,
        "target": shown(exchange.request.target),
        "verdict": one.verdict,
        "answers": [_answer(exchange.on_lambda), _answer(exchange.on_instance)],
        "differences": [_difference(finding) for finding in one.findings],
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "side": answer.side,
        "status": answer.status,
        "seconds": round(answer.seconds, 4),
        "problem": answer.problem,
    }


def _difference(finding: Finding) -> dict[str, Any]:
    difference, known = finding.difference, finding.known
    return {
        "what": difference.what,
        "lambda": difference.on_lambda,
        "instance": difference.on_instance,
        "known": known is not None,
        "reason": known.reason if known else "",
        "remedy": known.remedy if known else "",
    }


def show(report: Report, terminal: Console) -> None:
    """For each request whose answers differ a table of the differences, and their reasons."""
    several = len(report.sides) > 2
    for one in report.compared:
        if one.findings:
            _show_request(one, several, terminal)


def _show_request(one: Compared, several: bool, terminal: Console) -> None:
    from rich.padding import Padding
    from rich.text import Text

    exchange = one.exchange
    asked = f", {exchange.on_instance.side}" if several else ""
    title = f"{exchange.request.label} ({exchange.request.where}{asked})"
    terminal.print(Text(title, style="bold"), soft_wrap=True)
    terminal.print(_table(one.findings))
    for known in dict.fromkeys(finding.known for finding in one.findings if finding.known):
        text = f"Known: {known.what}. {known.reason} {known.remedy}"
        terminal.print(Padding(Text(text, style="dim"), (0, 0, 0, 4)))
    terminal.print()


def _table(findings: Sequence[Finding]) -> Table:
    """Of the same widths for each request, so that the columns of all stand below each other."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0))
    made.add_column("")
    for heading, ratio in (("differs in", 3), ("lambda", 4), ("instance", 4)):
        made.add_column(heading, ratio=ratio, overflow="fold")
    for finding in findings:
        difference = finding.difference
        row = (difference.what, difference.on_lambda, difference.on_instance)
        made.add_row("known  " if finding.known else "unknown", *map(Text, row))
    return made
