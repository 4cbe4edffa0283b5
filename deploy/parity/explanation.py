"""Which of the known differences a difference is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deploy.parity import known
from deploy.parity.difference import NOTHING, Difference, Ignored, differences
from deploy.parity.exchange import Compared, Exchange, Finding
from deploy.parity.known import Known
from deploy.parity.own_host import without_own_host
from deploy.question import Answer

Applies = Callable[[Exchange, Difference], bool]
# In base64 that no longer fits into 6 MB, with some room for the headers beside it.
_LARGE_BYTES = 4_400_000
# How the adapter's answer begins when Lambda was about to end the process.
_OUT_OF_TIME = b"The request took longer than the function may run."
# Of those of RFC 9110, section 7.6.1, what is compared at all.
_HOP_BY_HOP = ("header proxy-connection", "header te", "header trailer", "header upgrade")


def compare(exchange: Exchange, ignored: Ignored) -> Compared:
    """What differs between the two answers, with the reason where there is one."""
    found = differences(exchange.request, exchange.on_lambda, exchange.on_instance, ignored)
    left = _left_at_one_host(exchange, ignored) if found else ()
    return Compared(
        exchange,
        tuple(
            Finding(one, explain(exchange, one) or (None if one.what in left else known.OWN_HOST))
            for one in found
        ),
    )


def _left_at_one_host(exchange: Exchange, ignored: Ignored) -> frozenset[str]:
    """What differs also if both sides are taken to have been asked at the same host."""
    one, other = without_own_host(exchange.on_lambda), without_own_host(exchange.on_instance)
    return frozenset(found.what for found in differences(exchange.request, one, other, ignored))


def explain(exchange: Exchange, difference: Difference) -> Known | None:
    """The first of the known differences that this one is by itself."""
    return next((one for one, applies in _RULES if applies(exchange, difference)), None)


def _is_request_id(_exchange: Exchange, difference: Difference) -> bool:
    on_both = NOTHING not in (difference.on_lambda, difference.on_instance)
    return difference.what == "header x-request-id" and on_both


def _is_mode(exchange: Exchange, difference: Difference) -> bool:
    return (
        exchange.request.path == "/healthz"
        and difference.what == "body /mode"
        and (difference.on_lambda, difference.on_instance) == ('"lambda"', '"instance"')
    )


def _is_joined(exchange: Exchange, difference: Difference) -> bool:
    name = difference.what.removeprefix("header ")
    once, often = _values(exchange.on_lambda, name), _values(exchange.on_instance, name)
    return len(once) == 1 < len(often) and _parts(once) == _parts(often)


def _values(answer: Answer, name: str) -> list[str]:
    return [value for given, value in answer.headers if given.lower() == name]


def _parts(values: Sequence[str]) -> list[str]:
    return [part.strip() for part in ",".join(values).split(",")]


def _is_too_large(exchange: Exchange, _difference: Difference) -> bool:
    status, request = exchange.on_lambda.status, len(exchange.request.body)
    if status == 413:
        return request > _LARGE_BYTES
    return status in (502, 507) and len(exchange.on_instance.body) > _LARGE_BYTES


def _is_timeout(exchange: Exchange, _difference: Difference) -> bool:
    on_lambda, on_instance = exchange.on_lambda, exchange.on_instance
    out_of_time = on_lambda.status == 504 and on_lambda.body.startswith(_OUT_OF_TIME)
    return out_of_time and not on_instance.problem


def _is_default_type(exchange: Exchange, difference: Difference) -> bool:
    return difference.what == "header content-type" and (
        _values(exchange.on_lambda, "content-type") == ["application/json"]
        and not _values(exchange.on_instance, "content-type")
    )


def _is_empty_length(exchange: Exchange, difference: Difference) -> bool:
    return exchange.request.method == "HEAD" and difference.what == "header content-length"


def _is_cut_off(exchange: Exchange, difference: Difference) -> bool:
    failed = exchange.on_lambda.status == 500 and not exchange.on_lambda.problem
    return difference.what == "answer" and failed and exchange.on_instance.status != 0


def _is_hop_by_hop(_exchange: Exchange, difference: Difference) -> bool:
    return difference.what in _HOP_BY_HOP and difference.on_lambda == NOTHING


def _is_upgrade(exchange: Exchange, _difference: Difference) -> bool:
    return exchange.on_instance.status == 101


_RULES: tuple[tuple[Known, Applies], ...] = (
    (known.REQUEST_ID, _is_request_id),
    (known.MODE, _is_mode),
    (known.RESPONSE_HEADERS_JOINED, _is_joined),
    (known.TOO_LARGE, _is_too_large),
    (known.TIMEOUT, _is_timeout),
    (known.DEFAULT_TYPE, _is_default_type),
    (known.EMPTY_LENGTH, _is_empty_length),
    (known.CUT_OFF, _is_cut_off),
    (known.UPGRADE, _is_upgrade),
    (known.HOP_BY_HOP, _is_hop_by_hop),
)
