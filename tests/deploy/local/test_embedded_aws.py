"""The laptop's AWS: where it listens, what it may know, what is left of it."""

import json
import socket
import urllib.request
from pathlib import Path

import pytest

from deploy.errors import LocalError
from deploy.local import embedded_aws
from deploy.local.embedded_aws import EmbeddedAws
from deploy.local.workspace import Command, Workspace


def _listeners(pid: int) -> set[tuple[str, int]]:
    """Address (hexadecimal, as Linux writes it) and port of each socket the process listens on."""
    targets = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {target[8:-1] for target in targets if target.startswith("socket:")}
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    listening = [fields for fields in lines if fields[3] == "0A" and fields[9] in inodes]
    return {(f[1].split(":")[0], int(f[1].split(":")[1], 16)) for f in listening}


def test_it_listens_on_one_port_of_loopback_only(embedded: EmbeddedAws) -> None:
    loopback = socket.inet_aton("127.0.0.1")[::-1].hex().upper()
    assert _listeners(embedded.child.pid) == {(loopback, embedded.port)}


def test_it_answers_when_waited_for(embedded: EmbeddedAws) -> None:
    with urllib.request.urlopen(f"{embedded.endpoint}/_ministack/health") as answer:
        assert json.load(answer)["services"]["cloudformation"]


def test_its_state_stays_in_the_workspace() -> None:
    home = Path("/somewhere/aws")
    told = embedded_aws.environment(home, 1234, "eu-central-1")
    for name in ("HOME", "TMPDIR", "STATE_DIR", "S3_DATA_DIR"):
        assert Path(told[name]).is_relative_to(home)


def test_the_laptops_own_aws_setup_does_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere")
    told = embedded_aws.environment(Path("/home"), 1234, "eu-central-1")
    assert not [name for name in told if name.startswith("AWS_")]


def test_one_that_ends_early_shows_the_end_of_its_log(workspace: Workspace) -> None:
    command = Command(("sh", "-c", "echo out of luck; exit 3"), {}, workspace.folder)
    child = workspace.start(command, workspace.folder / "log")
    with pytest.raises(LocalError) as caught:
        EmbeddedAws(1, "eu-central-1", child).wait()
    assert str(caught.value) == (
        "The embedded AWS ended with status 3 before it answered. The end of its log:\nout of luck"
    )


def test_one_that_stays_silent_is_not_waited_for_for_ever(workspace: Workspace) -> None:
    child = workspace.start(Command(("sleep", "60"), {}, workspace.folder), workspace.folder / "l")
    with pytest.raises(LocalError, match=r"did not answer within 0 s"):
        EmbeddedAws(1, "eu-central-1", child).wait(0.2)
