"""What every front end reads in a function's result in the same way."""

from __future__ import annotations

import json
from typing import Any

from deploy.local.front_ends.headers import without
from deploy.local.front_ends.message import Headers, HttpRequest, HttpResponse

_BODILESS = (204, 304)


class MalformedError(ValueError):
    """The result is none that the front end could make a response of."""


def document(result: bytes) -> Any:
    """The JSON value that the function gave.

    Raises:
        MalformedError: it is none.
    """
    try:
        return json.loads(result)
    except ValueError as error:
        raise MalformedError(str(error)) from error


def status(result: dict[str, Any]) -> int:
    """`statusCode`, a number or its digits.

    Raises:
        MalformedError: it is no status.
    """
    given = result.get("statusCode")
    try:
        number = 0 if isinstance(given, bool) else int(given)  # type: ignore[arg-type]  # a TypeError is caught
    except (TypeError, ValueError) as error:
        raise MalformedError(f"statusCode is {given!r}") from error
    if not 100 <= number <= 599:
        raise MalformedError(f"statusCode is {given!r}")
    return number


def text(value: object) -> str:
    """A header's value as text; UTF-8 goes out byte by byte (assumed).

    Raises:
        MalformedError: it is neither text nor a number nor a truth value.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise MalformedError(f"a header's value is {value!r}")
    plain = str(value)
    try:
        plain.encode("latin-1")
    except UnicodeEncodeError:
        return plain.encode().decode("latin-1")
    return plain


def mapping(result: dict[str, Any], key: str) -> dict[str, Any]:
    """An object of the result, empty when it is null or absent.

    Raises:
        MalformedError: it is another thing.
    """
    found = result.get(key) or {}
    if not isinstance(found, dict):
        raise MalformedError(f"{key} is {found!r}")
    return found


def sent(request: HttpRequest, code: int, headers: Headers, body: bytes) -> HttpResponse:
    """The response with the length that the front end computes, whatever the function said.

    To HEAD, and with 204 and 304, no body is sent (RFC 9110, sections 9.3.2, 15.3.5 and
    15.4.5). What length a front end names then is not documented: that of the body that it
    was given to HEAD, none with 204 and 304 (assumed).
    """
    kept = without(headers, "content-length")
    if code in _BODILESS:
        return HttpResponse(code, tuple(kept))
    length = ("content-length", str(len(body)))
    return HttpResponse(code, (*kept, length), b"" if request.method == "HEAD" else body)
