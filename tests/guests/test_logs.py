"""What an instance logs is in the stack's log group, in streams of its own."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.guests.clouds import GuestOf, until

STREAMS = {
    *("service_0", "service_1", "worker_0", "supervisord"),
    *("bootstrap", "cloud-init", "cfn-hup", "release"),
}


def test_each_file_has_a_stream_with_the_instances_id(guest: GuestOf) -> None:
    wanted = {f"{guest.id}/{name}" for name in STREAMS}
    until(lambda: _streams(guest) == wanted, what="all streams are there")


def test_a_request_is_found_by_instance_and_digest(guest: GuestOf) -> None:
    digest = guest.digest()
    mark = f"/asked-of-{guest.id}"
    guest.shell(f"curl -sS -o /dev/null http://127.0.0.1:9999{mark}")
    (line,) = until(lambda: _lines_with(guest, mark), what="the request's line is shipped")
    event = json.loads(line)
    assert (event["digest"], event["mode"]) == (digest, "instance")
    assert event["logger"] == "service.request"


def test_the_bootstrap_ends_with_the_digest(guest: GuestOf) -> None:
    (last,) = guest.shell("tail -n 1 /var/log/hello-bootstrap.log").splitlines()
    assert re.fullmatch("user-data: hello serves release [0-9a-f]{64} on port 9999", last)
    assert _lines(guest, "bootstrap")[-1] == last


def test_supervisord_and_cfn_hup_tell_what_they_did(guest: GuestOf) -> None:
    assert any("spawned: 'service_0'" in line for line in _lines(guest, "supervisord"))
    assert any("Describing resource ServiceFleet" in line for line in _lines(guest, "cfn-hup"))
    assert any("user-data: hello serves" in line for line in _lines(guest, "cloud-init"))


def _group(guest: GuestOf) -> tuple[Any, str]:
    outputs = guest.playing.status()["outputs"]
    return guest.playing.aws("logs"), str(outputs["InstanceLogGroup"])


def _streams(guest: GuestOf) -> set[str]:
    logs, group = _group(guest)
    found = logs.describe_log_streams(logGroupName=group)["logStreams"]
    return {stream["logStreamName"] for stream in found}


def _lines(guest: GuestOf, stream: str) -> list[str]:
    logs, group = _group(guest)
    found = logs.get_log_events(
        logGroupName=group, logStreamName=f"{guest.id}/{stream}", startFromHead=False
    )
    return [line for event in found["events"] for line in event["message"].splitlines()]


def _lines_with(guest: GuestOf, text: str) -> list[str]:
    both = _lines(guest, "service_0") + _lines(guest, "service_1")
    return [line for line in both if text in line]
