"""How much was compared, and how often each known difference was met; also over many processes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

PROPERTY = "parity"  # of a test's report, which is how a count leaves its process


@dataclass
class Tally:
    """Counts of one test, or of several together; `seed` and `seconds` of generated ones."""

    cases: int = 0
    exchanges: int = 0
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    seed: int | None = None
    seconds: float = 0.0

    def dumped(self) -> str:
        """As text, for a test's report."""
        return json.dumps(
            [self.cases, self.exchanges, [*self.met.items()], self.seed, self.seconds]
        )

    def __str__(self) -> str:
        by = "" if self.seed is None else f", SEED={self.seed}"
        lines = [
            f"parity: {self.cases:,} cases, {self.exchanges:,} exchanges, {self.seconds:.0f} s{by}"
        ]
        known: Counter[str] = Counter()
        for (what, _), number in self.met.items():
            known[what] += number
        lines += [f"{number:10,}  {what}" for what, number in known.most_common()]
        return "\n".join(lines)


def loaded(text: str) -> Tally:
    """What `dumped` gave."""
    cases, exchanges, met, seed, seconds = json.loads(text)
    return Tally(cases, exchanges, Counter({tuple(k): n for k, n in met}), seed, seconds)


def together(tallies: Iterable[Tally]) -> Tally:
    """The sum of all."""
    whole = Tally()
    for one in tallies:
        whole.cases += one.cases
        whole.exchanges += one.exchanges
        whole.met += one.met
        whole.seed = one.seed if whole.seed is None else whole.seed
        whole.seconds += one.seconds
    return whole
