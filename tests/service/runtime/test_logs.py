"""service.runtime.logs: one JSON object a line."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest

from service.runtime.logs import REQUEST_ID, JsonLines, configure, utc
from service.settings import Settings
from tests.service.conftest import Log

logger = logging.getLogger("shop.orders")


def test_a_line_has_the_fields_of_every_line(log: Log) -> None:
    logger.warning("order %d is late", 7)
    (line,) = log.lines
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "WARNING",
        "logger": "shop.orders",
        "message": "order 7 is late",
        "mode": "lambda",
        "digest": "unknown",
        "request_id": "",
    }


def test_extras_are_fields(log: Log) -> None:
    logger.info("order", extra={"order": 7, "items": ["a"]})
    assert (log.lines[0]["order"], log.lines[0]["items"]) == (7, ["a"])


def test_an_extra_cannot_replace_a_field_of_ours(log: Log) -> None:
    logger.info("order", extra={"mode": "forged", "digest": "forged"})
    assert (log.lines[0]["mode"], log.lines[0]["digest"]) == ("lambda", "unknown")


def test_the_line_of_a_request_carries_its_id(log: Log) -> None:
    token = REQUEST_ID.set("abc-1")
    logger.info("order")
    REQUEST_ID.reset(token)
    assert log.lines[0]["request_id"] == "abc-1"


def test_an_exception_is_one_line_with_its_traceback(log: Log) -> None:
    try:
        raise KeyError("order")
    except KeyError:
        logger.exception("lost")
    (line,) = log.lines
    assert line["level"] == "ERROR"
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("KeyError: 'order'")


@pytest.mark.parametrize("text", ['\n{"level":"INFO"}', "\r", "\x1b[31m", "\u2028", '"'], ids=ascii)
def test_no_text_can_forge_a_line(log: Log, text: str) -> None:
    logger.info("order %s", text, extra={"order": text})
    assert len(log.text.splitlines()) == 1
    assert log.text.isascii()
    assert log.lines[0]["message"] == f"order {text}"
    assert log.lines[0]["order"] == text


def test_text_that_is_no_unicode_is_escaped() -> None:
    """Past the loggers: pytest keeps what they get, and cannot hand half a surrogate pair on."""
    record = logging.makeLogRecord({"msg": "order \udc80"})
    line = JsonLines(Settings()).format(record)
    assert line.isascii()
    assert json.loads(line)["message"] == "order \udc80"


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), b"bytes", {("a",): 1}])
def test_a_value_that_json_cannot_hold_is_shown_by_its_repr(log: Log, value: Any) -> None:
    logger.info("order", extra={"value": value})
    assert log.lines[0]["value"] == repr(value)
    assert log.lines[0]["message"] == "order"


def test_a_value_that_holds_itself_is_shown_by_its_repr(log: Log) -> None:
    ring: list[Any] = []
    ring.append(ring)
    logger.info("order", extra={"value": ring})
    assert log.lines[0]["value"] == "[[...]]"


def test_the_level_of_the_settings_holds(log: Log) -> None:
    configure(Settings(log_level="ERROR"), log.stream)
    logger.warning("not shown")
    logger.error("shown")
    assert [line["message"] for line in log.lines] == ["shown"]


def test_a_handler_that_was_there_before_prints_nothing_more(log: Log) -> None:
    platform = io.StringIO()
    logging.getLogger().addHandler(logging.StreamHandler(platform))
    configure(Settings(), log.stream)
    logger.info("once")
    assert platform.getvalue() == ""
    assert len(log.lines) == 1


def test_time_is_utc_to_the_millisecond() -> None:
    assert utc(1767225599.0079) == "2025-12-31T23:59:59.007Z"
    assert utc(0.5) == "1970-01-01T00:00:00.500Z"


def test_time_follows_a_clock_that_is_set_back() -> None:
    assert [utc(1767225600.0), utc(1767225599.75), utc(1767225599.25)] == [
        "2026-01-01T00:00:00.000Z",
        "2025-12-31T23:59:59.750Z",
        "2025-12-31T23:59:59.250Z",
    ]


def test_lines_are_compact(log: Log) -> None:
    logger.info("order")
    assert log.text == json.dumps(log.lines[0], separators=(",", ":")) + "\n"
