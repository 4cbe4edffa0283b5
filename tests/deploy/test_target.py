"""deploy.target: one table of Python versions, and what follows from it."""

from __future__ import annotations

import sys
from importlib.metadata import metadata

import pytest

from deploy.target import ARCHITECTURES, PYTHONS, Target, host, running_python


def test_each_version_names_a_runtime_and_an_image_that_hold_it() -> None:
    assert {minor: (version.runtime, version.image) for minor, version in PYTHONS.items()} == {
        "3.11": ("python3.11", "Debian 12"),
        "3.12": ("python3.12", "Ubuntu 24.04"),
        "3.13": ("python3.13", "Debian 13"),
    }


@pytest.mark.parametrize("minor", PYTHONS)
def test_each_version_has_an_image_for_each_architecture(minor: str) -> None:
    assert set(PYTHONS[minor].image_parameters) == set(ARCHITECTURES)


def test_the_project_accepts_the_versions_of_the_table_and_no_other() -> None:

    assert metadata("twofold")["Requires-Python"] == "<3.14,>=3.11"
    assert tuple(PYTHONS) == ("3.11", "3.12", "3.13")


def test_wheels_may_need_no_newer_glibc_than_the_older_side_has() -> None:
    assert Target("3.11", "x86_64").glibc == (2, 26)
    assert Target("3.13", "arm64").glibc == (2, 34)


def test_the_host_runs_this_interpreter() -> None:
    assert host(running_python()).system == sys.platform
    assert running_python() == f"{sys.version_info.major}.{sys.version_info.minor}"
