"""Both runtimes with the mirror as their application, one pair for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.parity.comparison import Sides
from tests.parity.function import function
from tests.parity.instance import instance
from tests.service.conftest import service_folder

MIRROR = Path(__file__).with_name("mirror.py")


@contextmanager
def both(folder: Path, handler: Path, **environ: str) -> Iterator[Sides]:
    """Both runtimes of `handler`; they, and the folder's use of them, are gone afterwards."""
    service = service_folder(folder, handler.read_text())
    printed = folder / "instance.log", folder / "function.log"
    with (
        instance(service, printed[0], **environ) as server,
        function(service, printed[1], **environ) as invoked,
    ):
        yield Sides(server, invoked)


@pytest.fixture(scope="session")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """Both runtimes of the mirror."""
    with both(tmp_path_factory.mktemp("mirror"), MIRROR) as made:
        yield made
