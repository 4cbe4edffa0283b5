"""Logical IDs that are computed."""

from __future__ import annotations

from deploy.logical_id import derived, function_version


def test_a_version_keeps_its_id_as_long_as_its_configuration() -> None:
    assert function_version(b"a") == function_version(b"a")
    assert function_version(b"a") != function_version(b"b")


def test_a_derived_id_is_alphanumeric_and_stays() -> None:
    assert derived("work-Queue", "Hello World") == derived("work-Queue", "Hello World")
    assert derived("work-Queue", "Hello World").isalnum()


def test_parts_do_not_run_into_each_other() -> None:
    assert derived("Queue", "ab", "c") != derived("Queue", "a", "bc")
