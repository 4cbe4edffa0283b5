"""One request, both answers, and what became of comparing them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from deploy.parity.difference import Difference
from deploy.parity.known import Known
from deploy.parity.request import Request
from deploy.question import Answer


@dataclass(frozen=True)
class Exchange:
    """A request, and what both sides answered."""

    request: Request
    on_lambda: Answer
    on_instance: Answer

    @property
    def without_content(self) -> Exchange:
        """Enough to tell of it, and of a million of it in memory."""
        return replace(self, on_lambda=_bare(self.on_lambda), on_instance=_bare(self.on_instance))


def _bare(answer: Answer) -> Answer:
    return replace(answer, headers=(), body=b"")


@dataclass(frozen=True)
class Finding:
    """A difference, and why it is there, if that is known."""

    difference: Difference
    known: Known | None = None


@dataclass(frozen=True)
class Compared:
    """An exchange, which may be without its content by now, and all that differs in it."""

    exchange: Exchange
    findings: tuple[Finding, ...]

    @property
    def unknown(self) -> tuple[Finding, ...]:
        """What nobody has an explanation for."""
        return tuple(one for one in self.findings if one.known is None)

    @property
    def verdict(self) -> str:
        """'equal', 'known' when each difference has a reason, else 'unknown'."""
        if not self.findings:
            return "equal"
        return "unknown" if self.unknown else "known"
