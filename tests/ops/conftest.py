"""Instances in scratch roots: see tests/ops/instances.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.instances import Instance, scratch, started


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    """A scratch root with nothing installed and nothing running."""
    return scratch(tmp_path.resolve())


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Instance]:
    """An instance whose first release serves and is known to be good."""
    with started(tmp_path.resolve()) as made:
        yield made


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """The same, shared by the tests of a module that leave its release and workers alone."""
    with started(tmp_path_factory.mktemp("steady").resolve()) as made:
        yield made
