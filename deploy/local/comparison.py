"""Both sides asked the same things, and whether they gave the same answers. Pure but for `ask`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from deploy.question import Answer, Question, ask

PATHS = ("/", "/healthz")
_HEALTH = "/healthz"


@dataclass(frozen=True)
class Row:
    """One side's answer to one question; `digest` is what that side says it runs."""

    side: str
    url: str
    status: int
    body: str
    digest: str
    milliseconds: float
    problem: str = ""


def compare(sides: Mapping[str, str]) -> tuple[Row, ...]:
    """A row for each path and side; `sides` maps a side's name to its URL."""
    answers = [
        (path, ask(side, url, Question(path))) for path in PATHS for side, url in sides.items()
    ]
    digests = {answer.side: digest_of(answer) for path, answer in answers if path == _HEALTH}
    return tuple(_row(answer, digests[answer.side]) for _, answer in answers)


def _row(answer: Answer, digest: str) -> Row:
    return Row(
        side=answer.side,
        url=answer.url,
        status=answer.status,
        body=answer.body.decode(errors="replace"),
        digest=digest,
        milliseconds=round(answer.seconds * 1000, 1),
        problem=answer.problem,
    )


def digest_of(answer: Answer) -> str:
    """What the answer of /healthz says it runs; empty when it does not say."""
    try:
        return str(json.loads(answer.body)["digest"])
    except (ValueError, KeyError, TypeError):
        return ""


def differences(rows: Sequence[Row], digest: str) -> tuple[str, ...]:
    """A sentence for each answer that failed, each digest that is another than the release's,
    and each question to which the sides gave different answers."""
    failed = [_failure(row) for row in rows if row.problem or row.status != 200]
    strangers = sorted({(row.side, row.digest) for row in rows if row.digest != digest})
    other = [
        f"{side} runs {found[:12] or 'an unknown digest'}, but the release is {digest[:12]}."
        for side, found in strangers
    ]
    return (*failed, *other, *_unequal([row for row in rows if not row.url.endswith(_HEALTH)]))


def _failure(row: Row) -> str:
    what = row.problem or f"{row.status} {row.body[:200]!r}"
    return f"{row.side} answered {row.url} with {what}."


def _unequal(rows: Sequence[Row]) -> tuple[str, ...]:
    answers = {(row.status, row.body) for row in rows}
    if len(answers) <= 1:
        return ()
    said = "; ".join(f"{row.side}: {row.status} {row.body[:100]!r}" for row in rows)
    return (f"The sides differ on /: {said}.",)


def document(rows: Sequence[Row], digest: str, same_as_deployed: bool) -> dict[str, Any]:
    """For --json."""
    found = differences(rows, digest)
    return {
        "digest": digest,
        "deployed": same_as_deployed,
        "answers": [asdict(row) for row in rows],
        "differences": list(found),
    }
