"""An old lock is noticed, a good one never refused."""

from __future__ import annotations

import pytest

from deploy.artifact.lock import pins, refuse_stale
from deploy.errors import BuildError

LOCK = r"""anyio==4.16.0 \
    --hash=sha256:59bb
    # via starlette
starlette==1.10.0 \
    --hash=sha256:c66a
    # via twofold (pyproject.toml)
typing-extensions==4.16.0 \
    --hash=sha256:aaaa
    # via
    #   anyio
    #   twofold (pyproject.toml)
uvloop==0.23.0 ; sys_platform != 'win32' \
    --hash=sha256:bbbb
    # via twofold (pyproject.toml)
"""
DIRECT = ["starlette==1.10.0", "typing_extensions>=4", "uvloop; sys_platform != 'win32'"]


def test_pins_are_names_and_versions() -> None:
    assert pins(LOCK) == {
        "anyio": "4.16.0",
        "starlette": "1.10.0",
        "typing-extensions": "4.16.0",
        "uvloop": "0.23.0",
    }


def test_a_lock_of_these_dependencies_passes() -> None:
    refuse_stale(LOCK, DIRECT)


@pytest.mark.parametrize(
    "wanted",
    [
        "starlette",
        "Starlette[full]>=1.9,<2",
        "starlette~=1.10",
        "starlette~=1.10.0",
        "starlette==1.*",
        "starlette==1.10",
        "starlette!=1.9.*",
        "starlette != 1.9 , >1.9.9",
        "starlette===1.10.0",
        "starlette (>=1.0)",
        "starlette @ file:///somewhere",
        "starlette>=1.0rc1",
        "starlette<=1.10.0.post1",
    ],
)
def test_a_version_that_is_allowed_or_not_surely_refused_passes(wanted: str) -> None:
    refuse_stale(LOCK, [wanted, *DIRECT[1:]])


@pytest.mark.parametrize(
    "clause",
    ["==1.9.0", ">1.10", ">=1.11,<2", "<1.10", "~=1.11", "~=2.0", "!=1.10.0", "==2.*", "<=1.9"],
)
def test_a_version_that_is_not_allowed_is_refused(clause: str) -> None:
    with pytest.raises(BuildError) as refusal:
        refuse_stale(LOCK, [f"starlette{clause}", *DIRECT[1:]])
    assert str(refusal.value) == (
        "service.lock is older than pyproject.toml; run `make lock`:\n"
        f"  starlette is 1.10.0 in service.lock, {clause} in pyproject.toml"
    )


def test_what_is_missing_and_what_is_left_over_are_both_named() -> None:
    with pytest.raises(BuildError) as refusal:
        refuse_stale(LOCK, ["starlette", "httpx==1.0", "uvloop"])
    assert str(refusal.value).splitlines()[1:] == [
        "  httpx is a dependency and is not in service.lock",
        "  typing-extensions is in service.lock and is a dependency no more",
    ]


def test_a_dependency_whose_marker_may_rule_it_out_may_be_missing() -> None:
    refuse_stale(LOCK, [*DIRECT, "tomli==2; python_version < '3.11'"])
