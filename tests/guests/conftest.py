"""Guests for tests: one for most of them, booted when the first one asks for it."""

from __future__ import annotations

import pytest

from deploy.errors import LocalError
from deploy.local.guests.requirements import refuse_without


def pytest_itemcollected(item: pytest.Item) -> None:
    """A guest's port is on a loopback address of its own."""
    item.add_marker(pytest.mark.allow_hosts(["127.0.0.0/8"]))


@pytest.fixture(scope="session", autouse=True)
def _able() -> None:
    """Whoever asks for guests where there can be none is told so: nothing is skipped."""
    missing = ""
    try:
        refuse_without()
    except LocalError as error:
        missing = str(error)
    if missing:
        pytest.fail(missing, pytrace=False)
