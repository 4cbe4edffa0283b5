"""Releases that do not come up: the old one serves on, and whoever asks learns why."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.guests.boots import Boot
from tests.guests.clouds import GuestOf, Playing, lost
from tests.guests.conftest import Figure
from tests.guests.hup import poll, stopped
from tests.guests.releases import asked_and_lost, light, reports, said

FLEET = "ServiceFleet"
# Not where it is built, since a build tries whether the service imports.
ON_AN_INSTANCE = 'if "SERVICE_DIGEST" in os.environ:\n    '
# The trial has a socket of its own, on another port.
ON_THE_SHARED_SOCKET = """
def _on_the_shared_socket():
    with socket.socket(fileno=os.dup(0)) as listening:
        return listening.getsockname()[1] == 9999

STATUS = 500 if "SERVICE_DIGEST" in os.environ and _on_the_shared_socket() else 200
"""
# In place of the one in the image.
WITHOUT_S3 = """#!/bin/sh
aws=http://169.254.169.254:4566
[ "$1" != s3 ] || aws=http://127.0.0.1:1
exec /usr/bin/aws.distrib --endpoint-url "$aws" "$@"
"""

Around = Callable[[GuestOf], AbstractContextManager[None]]


@contextmanager
def impatient(guest: GuestOf) -> Iterator[None]:
    """install-release waits 20 s for /healthz, not 60."""
    guest.shell("echo SERVICE_HEALTH_SECONDS=20 >>/etc/hello/instance.env")
    try:
        yield
    finally:
        guest.shell("sed -i /SERVICE_HEALTH_SECONDS/d /etc/hello/instance.env")


@contextmanager
def other_bytes(guest: GuestOf) -> Iterator[None]:
    """Somebody has put something else where the artifact was."""
    with _stored(guest.playing) as (s3, place, artifact):
        s3.put_object(**place, Body=artifact[:-1] + b"?")
        yield


@contextmanager
def no_object(guest: GuestOf) -> Iterator[None]:
    """The bucket does not give it."""
    with _stored(guest.playing) as (s3, place, _):
        s3.delete_object(**place)
        yield


@contextmanager
def bucket_out_of_reach(guest: GuestOf) -> Iterator[None]:
    """Where the AWS CLI looks for S3, and for nothing else, nobody is."""
    guest.shell(
        f"cat >/run/aws <<'END'\n{WITHOUT_S3}END\n"
        "chmod 755 /run/aws && mount --bind /run/aws /usr/bin/aws"
    )
    try:
        yield
    finally:
        guest.shell("umount /usr/bin/aws")


@contextmanager
def _stored(playing: Playing) -> Iterator[tuple[Any, dict[str, str], bytes]]:
    """The release's object, which is back in its place after the block."""
    release, s3 = playing.status()["release"], playing.aws("s3")
    place = {"Bucket": release["bucket"], "Key": release["key"]}
    artifact = s3.get_object(**place)["Body"].read()
    try:
        yield s3, place, artifact
    finally:
        s3.put_object(**place, Body=artifact)


def small_disk(room: int) -> Around:
    """What may hold only so many megabytes more than now is all of /opt/hello."""

    @contextmanager
    def around(guest: GuestOf) -> Iterator[None]:
        guest.shell(
            f"""
            set -e
            size=$(($(du -sm /opt/hello | cut -f 1) + {room}))
            mkdir -p /mnt/small
            mount -t tmpfs -o "size=${{size}}m" tmpfs /mnt/small
            cp -a /opt/hello/. /mnt/small
            mount --bind /mnt/small /opt/hello
            """
        )
        try:
            yield
        finally:
            guest.shell("umount --lazy /opt/hello && umount --lazy /mnt/small")

    return around


@dataclass(frozen=True)
class Bad:
    """A release that does not come up; `reason` is a pattern, `log` what it wrote before.

    `around` is what is wrong with the world meanwhile; a release that is not `at_fault` is
    tried again.
    """

    reason: str
    handler: dict[str, Any] = field(default_factory=dict)
    log: str = ""
    around: Around = lambda _: nullcontext()
    at_fault: bool = True


BAD = {
    "import-error": Bad(
        r"it ended with exit status 1: .*No module named 'nobody_has_this'.*",
        {"imports": "import os", "body": f"{ON_AN_INSTANCE}import nobody_has_this"},
        log="service.handler cannot be imported: ModuleNotFoundError",
    ),
    "unhealthy": Bad(
        "/healthz answered 500: .*", {"health": 500}, log="GET /healthz 500", around=impatient
    ),
    "crash": Bad(
        r"it ended with exit status 7.*",
        {
            "imports": "import os\nimport threading",
            "body": f"{ON_AN_INSTANCE}threading.Timer(1, os._exit, (7,)).start()",
        },
        log="Listening on",
    ),
    "sick-as-worker": Bad(
        r"service:service_\d is not healthy: /healthz answered 500: .*",
        {"imports": "import os\nimport socket", "body": ON_THE_SHARED_SOCKET, "health": "STATUS"},
        log='"logger":"service.request"',
        around=impatient,
    ),
    "other-bytes": Bad(r"sha256 of artifact [0-9a-f]{12}… does not match", around=other_bytes),
    "no-room-to-fetch": Bad(
        r"cannot fetch s3://.*No space left on device.*", around=small_disk(3), at_fault=False
    ),
    "no-room-to-unpack": Bad(
        r"cannot unpack the artifact: .*No space left on device.*",
        around=small_disk(12),
        at_fault=False,
    ),
    "no-object": Bad(r"cannot fetch s3://.*\(404\).*", around=no_object, at_fault=False),
    "no-bucket": Bad(
        r"cannot fetch s3://.*Could not connect to the endpoint URL.*",
        around=bucket_out_of_reach,
        at_fault=False,
    ),
}


@pytest.fixture(scope="module")
def served(first_boot: Boot) -> Iterator[GuestOf]:
    """The guest, with a release to go back to; cfn-hup looks when a test says so."""
    guest = first_boot.guest
    with stopped(guest):
        guest.playing.release("before")
        guest.install()
        yield guest


@pytest.mark.parametrize("kind", [kind for kind in BAD if kind != "import-error"])
def test_the_old_release_serves_on(served: GuestOf, kind: str, figure: Figure) -> None:
    bad, old, workers = BAD[kind], served.digest(), served.workers()
    with light(served) as found:
        new = served.playing.release(kind, **bad.handler)
        with bad.around(served):
            output = served.install(check=False)
            noted = served.shell(f"cat /opt/hello/failed/{new}", check=False)
            put_off = served.shell("cat /opt/hello/postponed", check=False)
        assert re.search(bad.reason, output), output
        _assert_on(served, old)
    assert lost(found) == {}, found
    assert bool(noted) == bad.at_fault
    assert put_off.startswith(new) != bad.at_fault
    assert (served.workers() == workers) == (kind != "sick-as-worker")
    _assert_told(served, bad, new, old)
    if bad.at_fault:
        assert "failed before" in served.install()
        assert len([one for one in reports(served) if one["release"] == new]) == 1
    else:
        served.install()
        assert served.digest() == new
    figure(f"bad release, {kind}", asked_and_lost(found))


def test_a_zip_that_is_cut_off_is_refused(served: GuestOf) -> None:
    """The digest in the metadata is that of what is left."""
    playing, old = served.playing, served.digest()
    with _stored(playing) as (s3, place, artifact):
        half = artifact[: len(artifact) // 2]
        new = hashlib.sha256(half).hexdigest()
        s3.put_object(Bucket=place["Bucket"], Key=f"hello/artifacts/{new}.zip", Body=half)
    _point_to(playing, new)
    bad = Bad("cannot unpack the artifact: .*zip file.*")
    with light(served) as found:
        output = served.install(check=False)
        assert re.search(bad.reason, output), output
        _assert_on(served, old)
    assert lost(found) == {}, found
    _assert_told(served, bad, new, old)
    assert "failed before" in served.install()


def test_cfn_hup_tries_a_bad_release_once(served: GuestOf, figure: Figure) -> None:
    bad, old, workers = BAD["import-error"], served.digest(), served.workers()
    with light(served) as found:
        new = served.playing.release("import-error", **bad.handler)
        first = poll(served)
        second = poll(served)
        third = poll(served)
        _assert_on(served, old)
    assert lost(found) == {}, found
    assert "Action for release exited with 1; will retry on next iteration" in first
    assert re.search(bad.reason, first)
    assert "failed before" in second
    assert "exited with" not in second
    assert "No change in path" in third
    assert said(served).count(f"trying release {new[:12]}") == 1
    assert served.workers() == workers
    _assert_told(served, bad, new, old)
    figure("bad release by cfn-hup", asked_and_lost(found))


def test_after_a_good_release_everything_is_normal(served: GuestOf) -> None:
    new = served.playing.release("after")
    assert "Action for release output" in (told := poll(served))
    assert "exited with" not in told
    assert served.digest() == served.link("current") == served.link("good") == new
    status = served.playing.status()
    assert status["drift"] == []
    assert [side["failure"] for side in status["sides"]] == [None] * len(status["sides"])
    assert (reports(served)[-1]["level"], reports(served)[-1]["release"]) == ("INFO", new)
    assert len(served.shell("ls /opt/hello/releases").split()) <= 3
    assert served.shell("ls -A /opt/hello/downloads 2>/dev/null || true") == ""
    assert "No change in path" in poll(served)


def _assert_on(guest: GuestOf, old: str) -> None:
    """Links and processes are all on the release."""
    assert guest.link("current") == guest.link("good") == guest.digest() == old
    workers = guest.workers()
    assert len(workers) == 2
    for pid in workers.values():
        assert guest.shell(f"readlink /proc/{pid}/cwd").strip().endswith(f"/releases/{old}")


def _assert_told(guest: GuestOf, bad: Bad, new: str, old: str) -> None:
    """The log group has the reason and the end of the log, and `status` shows them."""
    event = next(one for one in reversed(reports(guest)) if one["release"] == new)
    assert (event["level"], event["kept"], event["instance"]) == ("ERROR", old, guest.id)
    assert re.fullmatch(bad.reason, event["message"]), event["message"]
    assert bad.log in event["log"]
    side = guest.playing.instances()[guest.id]
    assert (side["digest"], side["failure"]["kept"]) == (old, old)
    assert re.fullmatch(bad.reason, side["failure"]["reason"])
    assert bad.log in side["failure"]["log"]
    shown = guest.playing.project.run("status", "--local").stdout
    assert f"Failed   instance {guest.id}: kept {old[:12]}: " in shown


def _point_to(playing: Playing, sha256: str) -> None:
    """The fleet's metadata names another artifact, as `provision` would."""
    aws, name = playing.aws("cloudformation"), playing.status()["stack"]
    body = aws.get_template(StackName=name)["TemplateBody"]
    template = json.loads(body) if isinstance(body, str) else body
    release = template["Resources"][FLEET]["Metadata"]["Release"]
    release |= {"Sha256": sha256, "Key": f"hello/artifacts/{sha256}.zip", "BuildId": sha256[:12]}
    aws.update_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    aws.get_waiter("stack_update_complete").wait(StackName=name)
