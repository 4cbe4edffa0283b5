"""A case asked of the instance and, through every front end, of the function; what differs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deploy.local.front_ends.function_url import FunctionUrl
from deploy.local.front_ends.http_api import HttpApi
from deploy.local.front_ends.load_balancer import LoadBalancer
from deploy.local.front_ends.message import FrontEnd, HttpRequest, HttpResponse, Moment
from deploy.local.front_ends.rest_api import RestApi
from deploy.parity.known import Known
from tests.parity.allowances import ALLOWANCES
from tests.parity.case import HOST, Answer, Case
from tests.parity.function import Function
from tests.parity.instance import Instance
from tests.parity.seen import Seen, seen, unequal
from tests.parity.tally import Tally

# All are asked over http, as the instance is, so that the scheme is the same.
FRONT_ENDS: tuple[FrontEnd, ...] = (
    FunctionUrl("abc123.lambda-url.eu-central-1.on.aws", 80),
    HttpApi(HOST, "2.0", port=80, scheme="http"),
    HttpApi(HOST, "1.0", port=80, scheme="http"),
    RestApi(HOST, port=80, scheme="http"),
    LoadBalancer(multi_value=False, port=80),
    LoadBalancer(multi_value=True, port=80),
)
MOMENT = Moment(
    datetime(2026, 3, 12, 19, 3, 58, tzinfo=UTC), "8f507cfc-0f0e-4697-b07a-ac58fc914c95"
)


@dataclass(frozen=True)
class Difference:
    """What is not the same behind one front end, beyond what is known."""

    front_end: str
    unequal: dict[str, tuple[Any, Any]]

    def __str__(self) -> str:
        lines = [f"{self.front_end}:"]
        for name, (instance, function) in self.unequal.items():
            lines += [
                f"  {name}",
                f"    instance: {instance!r:.600}",
                f"    function: {function!r:.600}",
            ]
        return "\n".join(lines)


@dataclass
class Sides:
    """Both runtimes, serving the same application."""

    instance: Instance
    function: Function
    tally: Tally = field(default_factory=Tally)

    def differences(self, case: Case) -> list[Difference]:
        """What is not the same, beyond what is known; behind each front end."""
        request = case.request
        expected = seen(case, self.instance.ask(request))
        self.tally.cases += 1
        found = (self._difference(case, request, expected, front_end) for front_end in FRONT_ENDS)
        return [one for one in found if one]

    def _difference(
        self, case: Case, request: HttpRequest, expected: Seen, front_end: FrontEnd
    ) -> Difference | None:
        self.tally.exchanges += 1
        actual = seen(case, self.through(front_end, request))
        left, met = beyond_known(case, front_end.name, expected, actual)
        self.tally.met.update((one.what, front_end.name) for one in met)
        return Difference(front_end.name, left) if left else None

    def through(self, front_end: FrontEnd, request: HttpRequest) -> Answer:
        """The client's answer when it asks the function through a front end."""
        event = front_end.event(request, MOMENT)
        if isinstance(event, HttpResponse):
            return _answer(event)
        result = self.function.invoke(json.dumps(event).encode())
        if result.error:
            return _answer(front_end.failure())
        return _answer(front_end.response(request, result.payload))


def _answer(response: HttpResponse) -> Answer:
    return Answer(response.status, tuple(response.headers), response.body)


def beyond_known(
    case: Case, front_end: str, instance: Seen, function: Seen
) -> tuple[dict[str, tuple[Any, Any]], list[Known]]:
    """What stays unequal when each known difference is allowed for, and those that were met."""
    met: list[Known] = []
    left = unequal(instance, function)
    for known, allow in ALLOWANCES:
        if not left:
            break
        if front_end not in known.front_ends:
            continue
        instance, function = allow(case, instance, function)
        now = unequal(instance, function)
        if now != left:
            met.append(known)
        left = now
    return left, met
