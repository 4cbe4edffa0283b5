"""service.runtime.listener: the socket that supervisord gave, or one of our own."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from service.errors import ListenError
from service.runtime.listener import inherited, listener, refusal
from service.settings import Settings


def test_a_bound_socket_listens_and_sends_at_once() -> None:
    with listener(Settings(port=0)) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_an_ipv6_address_is_bound_as_such() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 on this machine")
    with listener(Settings(host="::1", port=0)) as sock:
        assert sock.family == socket.AF_INET6


def test_a_listening_descriptor_is_taken_with_its_own_family() -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        name = given.getsockname()
        taken = inherited(given.fileno())
        assert taken is not None
        with taken:
            assert taken.family == socket.AF_INET
            assert taken.getsockname() == name


def test_what_was_taken_is_not_there_for_child_processes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        taken = inherited(given.fileno())
        assert taken is not None
        with taken:
            assert not taken.get_inheritable()
        assert os.read(given.fileno(), 1) == b""


def test_a_descriptor_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        fresh = os.dup(file.fileno())
        os.close(fresh)
        assert inherited(file.fileno()) is None
        assert os.fstat(file.fileno())
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fresh)  # nor is a copy of it left behind


def test_a_socket_that_does_not_listen_is_left_alone() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert inherited(one.fileno()) is None
        one.send(b"still open")
        assert other.recv(16) == b"still open"


def test_a_closed_descriptor_is_no_socket() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    assert inherited(reading) is None


def test_a_port_in_use_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"^Port {port} on 127.0.0.1 is in use"):
            listener(Settings(port=port))


def test_a_privileged_port_is_told_with_what_to_do() -> None:
    assert refusal("0.0.0.0", 80, PermissionError(13, "Permission denied")) == (
        "Port 80 needs privileges that this user lacks. Set --port (SERVICE_PORT) to 1024 or above."
    )
