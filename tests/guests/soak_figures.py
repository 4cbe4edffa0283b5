"""What a soak found: requests lost and seconds taken, as one table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

KINDS = {
    "closing": "a new connection for each request",
    "keep-alive": "keep-alive connections",
    "pausing": "keep-alive connections with pauses",
    "slow": "requests of 3 s",
}


@dataclass(frozen=True)
class Kind:
    """What one kind of clients saw."""

    name: str
    asked: int
    lost: int
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stretch:
    """What a load saw while releases or restarts went on.

    `steps` is how many seconds each of them took, `silence` the longest time in which no
    client got an answer.
    """

    kinds: tuple[Kind, ...]
    steps: tuple[float, ...]
    seconds: float
    silence: float

    @property
    def asked(self) -> int:
        return sum(kind.asked for kind in self.kinds)

    @property
    def lost(self) -> int:
        return sum(kind.lost for kind in self.kinds)


def stretch(found: Mapping[str, Any], steps: Sequence[float]) -> Stretch:
    """From the document of tests.guests.load."""
    kinds = tuple(
        Kind(name, seen["asked"], seen["lost"], tuple(seen["reasons"]))
        for name, seen in found["kinds"].items()
    )
    return Stretch(kinds, tuple(steps), found["seconds"], found["silence"])


@dataclass(frozen=True)
class Arrival:
    """One release on one guest; the moments are seconds since the epoch.

    `began` and `provisioned` are of the provision, `noticed` is when cfn-hup saw it, and at
    `served` every worker had answered with the new release.
    """

    instance: str
    began: float
    provisioned: float
    noticed: float
    served: float

    @property
    def waited(self) -> float:
        """For cfn-hup's next look, which may come while the provision still ends."""
        return round(max(0.0, self.noticed - self.provisioned), 1)

    @property
    def worked(self) -> float:
        """All but that."""
        return round(self.served - self.began - self.waited, 1)


@dataclass
class Figures:
    """All that has been measured so far; `arrivals` holds one release for each size of fleet."""

    first_answer: float | None = None
    releases: Stretch | None = None
    restarts: Stretch | None = None
    arrivals: list[tuple[Arrival, ...]] = field(default_factory=list)

    @property
    def code(self) -> int:
        """The exit code: 1 when a request was lost during the releases."""
        return int(self.releases is not None and self.releases.lost > 0)


def table(figures: Figures) -> str:
    """One line a figure."""
    rows = list(_rows(figures))
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name:<{width}}  {figure}".rstrip() for name, figure in rows)


def _rows(figures: Figures) -> Iterator[tuple[str, str]]:
    if figures.first_answer is not None:
        yield "start of a guest to its first answer", f"{figures.first_answer:.1f} s"
    if figures.releases:
        yield from _loaded("releases, one guest", figures.releases)
    if figures.restarts:
        yield from _loaded("restarts of a plain [program] uvicorn, same load", figures.restarts)
    for arrivals in figures.arrivals:
        yield _arrived(arrivals)


def _loaded(what: str, seen: Stretch) -> Iterator[tuple[str, str]]:
    yield f"{len(seen.steps)} {what}", f"lost {seen.lost:,} of {seen.asked:,}"
    for kind in seen.kinds:
        yield f"  {KINDS[kind.name]}", f"lost {kind.lost:,} of {kind.asked:,}"
    if seen.steps:
        yield "  each took", f"{median(seen.steps):.1f} s (median), {max(seen.steps):.1f} s at most"
    yield "  longest time without any answer", f"{seen.silence:.2f} s in {seen.seconds:.0f} s"


def _arrived(arrivals: Sequence[Arrival]) -> tuple[str, str]:
    waits = sorted(arrival.waited for arrival in arrivals)
    wait = f"{waits[0]:.1f} s" if len(waits) == 1 else f"{waits[0]:.1f} to {waits[-1]:.1f} s"
    worked = max(arrival.worked for arrival in arrivals)
    guests = f"{len(waits)} guest{'s' if len(waits) > 1 else ''}"
    return (
        f"provision to new release serving, {guests}",
        f"{worked:.1f} s, and {wait} until cfn-hup looked",
    )


def document(figures: Figures) -> str:
    """The same and the reasons of the losses, as one JSON document."""
    return json.dumps(
        {
            "first_answer_seconds": figures.first_answer,
            "releases": _stretch_document(figures.releases),
            "plain_restarts": _stretch_document(figures.restarts),
            "arrivals": [
                [
                    {**asdict(one), "waited_seconds": one.waited, "worked_seconds": one.worked}
                    for one in arrivals
                ]
                for arrivals in figures.arrivals
            ],
        },
        indent=2,
    )


def _stretch_document(seen: Stretch | None) -> dict[str, Any] | None:
    return {**asdict(seen), "asked": seen.asked, "lost": seen.lost} if seen else None
