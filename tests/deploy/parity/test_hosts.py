"""Which requests are the service's."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from deploy.errors import SettingsError
from deploy.parity.hosts import meant
from deploy.parity.request import Request

OWN, PORT, OTHER, NONE = (
    Request("GET", f"/{number}", host=host)
    for number, host in enumerate(("api.example", "api.example:8443", "cdn.example", ""))
)


@pytest.mark.parametrize("requests", [(), (NONE,), (OWN, NONE, OWN)])
def test_requests_that_name_one_host_are_all_meant(requests: Sequence[Request]) -> None:
    assert meant(requests, ()) == tuple(requests)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (("API.example",), (OWN, PORT, NONE)),
        (("api.example:8443",), (PORT, NONE)),
        (("cdn.example", "api.example:8443"), (PORT, OTHER, NONE)),
    ],
)
def test_those_of_a_wanted_host_are_meant_and_those_of_none(
    wanted: Sequence[str], expected: Sequence[Request]
) -> None:
    assert meant((OWN, PORT, OTHER, NONE), wanted) == tuple(expected)


def test_several_hosts_and_no_word_which_is_an_error_that_counts_them() -> None:
    others = [Request("GET", "/", host=f"{name}.example") for name in "abcd"]
    with pytest.raises(SettingsError) as caught:
        meant((OWN, OTHER, OTHER, *others), ())
    assert str(caught.value) == (
        "The requests name 6 hosts: cdn.example (2), api.example (1), a.example (1), "
        "b.example (1), c.example (1) and 1 more. "
        "Say which are the service's, as in: --host cdn.example"
    )


def test_a_wanted_host_that_none_names_is_an_error() -> None:
    with pytest.raises(SettingsError) as caught:
        meant((OWN, NONE), ("api.example", "apii.example"))
    assert str(caught.value) == (
        "--host is 'apii.example', which no request names; named are: api.example (1)."
    )
    with pytest.raises(SettingsError, match="named are: none"):
        meant((NONE,), ("api.example",))
