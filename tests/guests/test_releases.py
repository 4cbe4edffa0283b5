"""A release that AWS's own cfn-hup brings, under load, to a guest that stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.guests.clouds import GuestOf, lost, until
from tests.guests.conftest import Figure
from tests.guests.hup import polls
from tests.guests.releases import asked_and_lost, light, said


def test_cfn_hup_brings_a_release_and_no_request_is_lost(guest: GuestOf, figure: Figure) -> None:
    playing, old, before = guest.playing, guest.digest(), _identity(guest)
    polled = polls(guest)
    until(lambda: polls(guest) > polled, what="a minute of cfn-hup's begins")
    with light(guest) as found:
        playing.project.write("by-cfn-hup")
        planned = playing.project.document("provision", "--local", "--noop")["changes"]
        new = str(playing.project.document("provision", "--local")["release"]["sha256"])
        seen = list(_digests(guest, until_installed=new))
    changes = {one["logical_id"]: one for one in planned}
    assert changes.pop("ServiceFleet")["properties"] == ["Metadata"]
    assert {one["type"].rpartition("::")[0] for one in changes.values()} == {"AWS::Lambda"}
    assert lost(found) == {}, found
    assert all(kind["asked"] for kind in found["kinds"].values()), found
    assert list(found["labels"])[-1] == "by-cfn-hup"
    assert (seen[0], seen[-1], set(seen)) == (old, new, {old, new})
    assert guest.link("current") == guest.link("good") == guest.digest() == new
    assert playing.status()["drift"] == []
    assert _identity(guest) == before
    figure("release by cfn-hup", asked_and_lost(found))


def test_it_is_awss_own_cfn_hup_with_our_configuration(guest: GuestOf) -> None:
    main = guest.shell("systemctl show --property=MainPID --value cfn-hup").strip()
    command = guest.shell(f"tr '\\0' ' ' </proc/{main}/cmdline").split()
    assert command[0] == "/usr/bin/python2.7"
    assert command[-3:] == ["/opt/aws/cfn-bootstrap/bin/cfn-hup", "--config", "/etc/cfn"]
    package = "/opt/aws/cfn-bootstrap/share/cfn-hup/aws-cfn-bootstrap-1.4-31/PKG-INFO"
    assert "Name: aws-cfn-bootstrap\nVersion: 1.4-31\n" in guest.shell(f"cat {package}")
    for file in ("cfn-hup.conf", "hooks.d/release.conf"):
        shipped = guest.shell(f"cat /opt/hello/current/ops/cfn-hup/{file}")
        assert re.fullmatch(_filled(shipped), guest.shell(f"cat /etc/cfn/{file}"))


def _identity(guest: GuestOf) -> tuple[Any, ...]:
    """What another instance, a second boot or a second bootstrap would change."""
    bootstrap = guest.shell("stat -c %y /var/log/hello-bootstrap.log")
    return list(guest.playing.instances()), guest.leader, bootstrap


def _digests(guest: GuestOf, *, until_installed: str) -> Iterator[str]:
    """What `status` says that the guest runs, look by look."""
    yield guest.playing.instances()[guest.id]["digest"]
    while f"release {until_installed[:12]}… is installed" not in said(guest):
        yield guest.playing.instances()[guest.id]["digest"]
    yield guest.playing.instances()[guest.id]["digest"]


def _filled(shipped: str) -> str:
    """A pattern for the file with its tokens filled in."""
    return re.sub(r"@[A-Z_]+@", r"[^@\\n]+", re.escape(shipped))
