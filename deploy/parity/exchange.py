"""One request, both answers, and what became of comparing them."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Finding:
    """A difference, and why it is there, if that is known."""

    difference: Difference
    known: Known | None = None


@dataclass(frozen=True)
class Compared:
    """An exchange, and all that differs in it."""

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
