"""The record of a running `twofold up`: there while it runs, and not two of them."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from deploy.connection import RECORD, LocalCloud, running_cloud
from deploy.errors import LocalError
from deploy.local.record import refuse_second, written

CLOUD = LocalCloud(
    pid=os.getpid(),
    endpoint="http://127.0.0.1:1",
    functions_endpoint="http://127.0.0.1:2",
    function_url="http://127.0.0.1:3/",
    instance_url="http://127.0.0.1:4",
    bucket="artifacts",
    region="eu-central-1",
    folder="/tmp/somewhere",
    settings={"agent_url": "http://169.254.169.254:4566/agent.deb"},
)


def write(root: Path, content: str) -> None:
    (root / RECORD).parent.mkdir(exist_ok=True)
    (root / RECORD).write_text(content)


def test_other_commands_find_what_was_written(tmp_path: Path) -> None:
    with written(tmp_path, CLOUD):
        assert running_cloud(tmp_path) == CLOUD
        assert (tmp_path / RECORD).stat().st_mode & 0o777 == 0o600


def test_nothing_of_it_is_left_afterwards(tmp_path: Path) -> None:
    with written(tmp_path, CLOUD):
        pass
    assert list((tmp_path / RECORD).parent.iterdir()) == []


def test_a_second_one_is_refused_while_one_runs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as embedded:
        endpoint = f"http://127.0.0.1:{embedded.getsockname()[1]}"
        write(tmp_path, json.dumps(asdict(replace(CLOUD, endpoint=endpoint))))
        with pytest.raises(LocalError) as caught:
            refuse_second(tmp_path)
    assert str(caught.value) == (
        f"A cloud is played in this project already (process {os.getpid()}): "
        "http://127.0.0.1:3/ and http://127.0.0.1:4. Use that one, or end it with Ctrl-C."
    )


def test_of_two_that_start_together_the_second_to_be_ready_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as embedded:
        endpoint = f"http://127.0.0.1:{embedded.getsockname()[1]}"
        first = replace(CLOUD, endpoint=endpoint)
        with written(tmp_path, first):
            with pytest.raises(LocalError), written(tmp_path, CLOUD):
                pass
            assert running_cloud(tmp_path) == first


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(asdict(replace(CLOUD, pid=2**22 + 1))),  # above Linux's highest process ID
        json.dumps(asdict(CLOUD)),  # the process ID is another program's by now
        "{",
    ],
)
def test_what_a_dead_one_left_is_no_obstacle(tmp_path: Path, content: str) -> None:
    write(tmp_path, content)
    refuse_second(tmp_path)


@contextmanager
def as_an_ordinary_user() -> Iterator[None]:
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)  # nobody
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("asked", [running_cloud, refuse_second])
def test_the_record_of_another_user_asks_for_sudo(
    tmp_path: Path, asked: Callable[[Path], object]
) -> None:
    write(tmp_path, json.dumps(asdict(CLOUD)))
    (tmp_path / RECORD).chmod(0)
    with as_an_ordinary_user(), pytest.raises(LocalError) as caught:
        asked(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / RECORD} belongs to another user: a 'sudo twofold' wrote it, as for guests. "
        "Use sudo for this command too."
    )
