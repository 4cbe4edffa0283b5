"""The way out of a guest's network, as it is told to slirp4netns; a thread stands for that."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.errors import LocalError
from deploy.local.guests.namespace import Uplink
from deploy.local.workspace import Command, Workspace
from tests.deploy.local.guests.machines import PATIENCE, eventually

FORWARD = ("127.77.0.1", 8000, "10.0.7.100")


@dataclass
class Site:
    """A control socket that is there and does not listen yet."""

    listener: socket.socket
    uplink: Uplink

    def answers(self, answer: bytes) -> dict[str, Any]:
        """Listens, and answers the one question, which it gives."""
        self.listener.listen()
        connection, _ = self.listener.accept()
        with connection:
            question = connection.makefile("rb").read()
            connection.sendall(answer)
        return dict(json.loads(question))


@pytest.fixture
def site(workspace: Workspace) -> Iterator[Site]:
    path = workspace.folder / "slirp.sock"
    script = ("sh", "-c", "echo its last words; exec sleep 600")
    command = Command(script, {"PATH": os.defpath}, workspace.folder)
    child = workspace.start(command, workspace.folder / "slirp4netns.log")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.settimeout(PATIENCE)
        listener.bind(str(path))
        eventually(child.end_of_log)
        yield Site(listener, Uplink(child, path))


def test_a_control_socket_that_does_not_listen_yet_is_waited_for(site: Site) -> None:
    questions: list[dict[str, Any]] = []
    answering = threading.Timer(0.3, lambda: questions.append(site.answers(b'{"return": {}}')))
    answering.start()
    site.uplink.forward(*FORWARD)
    answering.join(PATIENCE)
    assert questions == [
        {
            "execute": "add_hostfwd",
            "arguments": {
                "proto": "tcp",
                "host_addr": "127.77.0.1",
                "host_port": 8000,
                "guest_addr": "10.0.7.100",
                "guest_port": 8000,
            },
        }
    ]


def test_a_port_that_is_in_use_is_told(site: Site) -> None:
    answer = b'{"error": {"desc": "bad request: add_hostfwd: slirp_add_hostfwd failed"}}'
    threading.Thread(target=site.answers, args=(answer,), daemon=True).start()
    with pytest.raises(LocalError) as caught:
        site.uplink.forward(*FORWARD)
    assert str(caught.value) == (
        "127.77.0.1:8000 cannot lead to the guest: bad request: add_hostfwd: "
        "slirp_add_hostfwd failed. Stop what uses that port."
    )


def test_no_answer_is_told(site: Site) -> None:
    threading.Thread(target=site.answers, args=(b"",), daemon=True).start()
    with pytest.raises(LocalError) as caught:
        site.uplink.forward(*FORWARD)
    assert str(caught.value) == "slirp4netns does not answer. Its log:\nits last words"


def test_a_slirp4netns_that_ended_is_not_waited_for(site: Site, workspace: Workspace) -> None:
    workspace.stop(site.uplink.child)
    with pytest.raises(LocalError, match="slirp4netns does not answer"):
        site.uplink.forward(*FORWARD)
