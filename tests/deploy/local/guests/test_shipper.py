"""The stand-in of Amazon's CloudWatch agent: a real process that follows real files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from deploy.aws import Aws
from deploy.connection import LOCAL_CREDENTIALS
from deploy.local.embedded_aws import EmbeddedAws
from deploy.local.guests.metadata import metadata_service
from deploy.local.interrupts import Interrupts
from deploy.local.workspace import Child, Command, Workspace
from tests.conftest import ROOT
from tests.deploy.local.guests.secluded import secluded, why_not
from tests.deploy.local.guests.served import served
from tests.deploy.local.guests.test_metadata import DESCRIBED

FILES = ROOT / "deploy/local/guests/stand-ins/amazon-cloudwatch-agent"
SHIPPER = FILES / "shipper.py"
SECONDS = 300.0


@dataclass
class Logs:
    """A CloudWatch Logs that takes what it is sent, or answers with `refusal`."""

    refusal: int = 0
    attempts: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.json()
        self.attempts += 1
        answer = JSONResponse({"message": "not now"}, self.refusal)
        if not self.refusal:
            self.requests.append(body)
            answer = JSONResponse({})
        await answer(scope, receive, send)

    @property
    def messages(self) -> list[str]:
        return [event["message"] for request in self.requests for event in request["logEvents"]]


@dataclass(frozen=True)
class Shipping:
    """The running process."""

    child: Child

    def until(self, condition: Callable[[], object]) -> None:
        """It holds by now, and the process has not ended on the way."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert self.child.exit_status is None, self.child.end_of_log()
            assert time.monotonic() < deadline, self.child.end_of_log()
            time.sleep(0.02)


@dataclass(frozen=True)
class Instance:
    """A folder of log files, and what ships them to `endpoint`."""

    folder: Path
    endpoint: str
    group: str = "/twofold/hello-dev"
    python: str = sys.executable

    @property
    def log(self) -> Path:
        return self.folder / "service_0.log"

    @property
    def config(self) -> Path:
        return self.folder / "agent.json"

    def write(self, text: str, path: Path | None = None) -> None:
        with (path or self.log).open("a", encoding="utf-8") as file:
            file.write(text)

    def configure(self, user: str = "", **entry: str) -> None:
        whole = {
            "file_path": str(self.log),
            "log_group_name": self.group,
            "log_stream_name": "i-1/service_0",
            **entry,
        }
        files = {"files": {"collect_list": [whole]}}
        agent = {"region": "eu-central-1", "run_as_user": user}
        said = {"agent": agent, "logs": {"logs_collected": files}}
        self.config.write_text(json.dumps(said), encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        aws_config = self.folder / "aws-config"
        aws_config.write_text(f"[default]\nendpoint_url = {self.endpoint}\n", encoding="utf-8")
        return {"PATH": os.environ["PATH"], "AWS_CONFIG_FILE": str(aws_config)}

    @property
    def argv(self) -> tuple[str, ...]:
        state = self.folder / "state"
        shipper = (self.python, "-I", str(SHIPPER), "--config", str(self.config))
        return (*shipper, "--state", str(state))

    @contextmanager
    def shipping(self) -> Iterator[Shipping]:
        with Workspace(Interrupts()) as workspace:
            command = Command(self.argv, self.environment, self.folder, grace=SECONDS)
            child = workspace.start(command, self.folder / "shipper.output")
            yield Shipping(child)

    def said(self) -> str:
        return (self.folder / "shipper.output").read_text(encoding="utf-8")


@pytest.fixture
def logs() -> Logs:
    return Logs()


@pytest.fixture
def instance(logs: Logs, tmp_path: Path) -> Iterator[Instance]:
    with served(logs) as endpoint:
        made = Instance(tmp_path, endpoint)
        made.configure()
        yield made


def test_lines_reach_their_stream_in_the_embedded_aws(
    embedded: EmbeddedAws, tmp_path: Path
) -> None:
    group = f"/twofold/{uuid.uuid4()}"
    key, secret = LOCAL_CREDENTIALS
    client = boto3.client(
        "logs",
        embedded.region,
        endpoint_url=embedded.endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )
    client.create_log_group(logGroupName=group)
    aws = Aws(embedded.region, embedded.endpoint, credentials=LOCAL_CREDENTIALS)
    instance = Instance(tmp_path, embedded.endpoint, group)
    instance.configure()
    instance.write('{"level": "INFO"}\nzwei: ü\n\n')
    with instance.shipping() as shipping:
        shipping.until(lambda: aws.log_lines(group, "i-1/service_0"))
        instance.write("three\n")
        shipping.until(lambda: len(aws.log_lines(group, "i-1/service_0")) > 2)
    shipped = aws.log_lines(group, "i-1/service_0")
    assert shipped == ('{"level": "INFO"}', "zwei: ü", "three")
    assert instance.said() == ""


def test_a_line_is_sent_when_it_is_whole(logs: Logs, instance: Instance) -> None:
    instance.write("one\ntw")
    with instance.shipping() as shipping:
        shipping.until(lambda: logs.messages)
        instance.write("o\nthree\n")
        shipping.until(lambda: "three" in logs.messages)
    assert logs.messages == ["one", "two", "three"]


def test_a_rotated_file_is_read_to_its_end_and_the_next_from_its_beginning(
    logs: Logs, instance: Instance
) -> None:
    instance.write("one\n")
    with instance.shipping() as shipping:
        shipping.until(lambda: logs.messages)
        instance.write("two\nthe end")
        instance.log.rename(f"{instance.log}.1")
        instance.write("four\n")
        shipping.until(lambda: "four" in logs.messages)
    assert logs.messages == ["one", "two", "the end", "four"]


def test_a_truncated_file_is_read_from_its_beginning(logs: Logs, instance: Instance) -> None:
    instance.write("a long line that goes\n")
    with instance.shipping() as shipping:
        shipping.until(lambda: logs.messages)
        instance.log.write_text("", encoding="utf-8")
        instance.write("short\n")
        shipping.until(lambda: "short" in logs.messages)
    assert logs.messages == ["a long line that goes", "short"]


def test_after_a_restart_it_goes_on_where_it_was_though_the_file_was_rotated(
    logs: Logs, instance: Instance
) -> None:
    instance.write("one\n")
    with instance.shipping() as shipping:
        shipping.until(lambda: logs.messages)
    instance.write("two\n")
    instance.log.rename(f"{instance.log}.1")
    instance.write("three\n")
    with instance.shipping() as shipping:
        shipping.until(lambda: "three" in logs.messages)
    assert logs.messages == ["one", "two", "three"]


def test_asked_to_stop_it_sends_what_is_there(logs: Logs, instance: Instance) -> None:
    with instance.shipping() as shipping:
        # It has set up its signals when it has made the folder of its state.
        shipping.until((instance.folder / "state").exists)
        instance.write("last words\n")
    assert logs.messages == ["last words"]


def test_what_aws_does_not_take_is_sent_later_and_said(logs: Logs, instance: Instance) -> None:
    logs.refusal = 503
    instance.write("one\n")
    with instance.shipping() as shipping:
        shipping.until(lambda: logs.attempts > 1)
        logs.refusal = 0
        instance.write("two\n")
        shipping.until(lambda: "two" in logs.messages)
    assert logs.messages == ["one", "two"]
    assert instance.said().splitlines()[0] == (
        f'{instance.log} does not reach i-1/service_0: HTTP 503: {{"message":"not now"}}'
    )


def test_a_request_is_no_larger_than_cloudwatch_takes(logs: Logs, instance: Instance) -> None:
    instance.write("".join(f"{number}\n" for number in range(25_000)))
    instance.write("x" * 600_000 + "\nend\n")
    with instance.shipping() as shipping:
        shipping.until(lambda: "end" in logs.messages)
    sizes = [
        sum(len(event["message"].encode()) + 26 for event in request["logEvents"])
        for request in logs.requests
    ]
    assert max(sizes) <= 1_048_576
    assert max(len(request["logEvents"]) for request in logs.requests) <= 10_000
    assert max(len(message.encode()) for message in logs.messages) <= 262_144 - 26
    assert logs.messages[:25_000] == [str(number) for number in range(25_000)]
    assert "".join(logs.messages[25_000:-1]) == "x" * 600_000


def test_of_several_files_the_newest_is_followed(logs: Logs, instance: Instance) -> None:
    instance.configure(file_path=str(instance.folder / "*.log*"))
    older, compressed = instance.folder / "a.log", instance.folder / "b.log.gz"
    instance.write("older\n", older)
    os.utime(older, (1, 1))
    instance.write("newest\n")
    os.utime(instance.log, (2, 2))
    instance.write("compressed\n", compressed)
    with instance.shipping() as shipping:
        shipping.until(lambda: logs.messages)
    assert logs.messages == ["newest"]


@pytest.mark.skipif(os.getuid() != 0, reason="Only root can become another user.")
def test_it_runs_as_the_user_of_the_configuration(logs: Logs, instance: Instance) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # pytest's own is root's alone, and so may be sys.executable
        public = replace(instance, folder=Path(folder), python="/usr/bin/python3")
        public.configure(user="nobody")
        public.write("one\n")
        with public.shipping() as shipping:
            shipping.until(lambda: logs.messages)
            status = Path(f"/proc/{shipping.child.pid}/status").read_text(encoding="utf-8")
        offsets = public.folder / "state" / "offsets.json"
        assert offsets.owner() == "nobody"
        uid = offsets.stat().st_uid
    assert f"\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n" in status


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_the_streams_name_takes_the_instances_id_from_its_metadata(
    instance: Instance, tmp_path: Path
) -> None:
    instance.configure(log_stream_name="{instance_id}/service_0")
    answer = "import sys; sys.path[:0] = [sys.argv[1]]; import shipper; from pathlib import Path; "
    answer += "print(shipper.read_configuration(Path(sys.argv[2])).sources[0].stream)"
    (tmp_path / "usr").mkdir()
    with secluded(tmp_path, tmp_path) as there, there.serving(metadata_service(DESCRIBED), 80):
        asked = there.run(sys.executable, "-c", answer, FILES, instance.config)
    assert asked.stdout == f"{DESCRIBED.instance}/service_0\n"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"multi_line_start_pattern": "x"},
            "multi_line_start_pattern in collect_list is not done by this stand-in of the agent; "
            "it knows file_path, log_group_name, log_stream_name.",
        ),
        (
            {"log_stream_name": "{hostname}"},
            "log_stream_name is '{hostname}'; only {instance_id} is filled in.",
        ),
    ],
)
def test_a_configuration_that_asks_for_more_is_refused(
    instance: Instance, entry: dict[str, str], message: str
) -> None:
    instance.configure(**entry)
    check = subprocess.run(
        instance.argv[:-2],
        env=instance.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert check.returncode == 1
    assert check.stderr == f"amazon-cloudwatch-agent: error: {message}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("-a fetch-config -s -c ssm:x", "-c is 'ssm:x'; this stand-in takes file:PATH only"),
        (
            "-a append-config -c file:x",
            "-a is 'append-config'; this stand-in knows fetch-config, start, stop and status",
        ),
        ("-a status -m onPremise", "-m is 'onPremise'; a guest is ec2"),
        ("-a status -l DEBUG", "option -l is unknown to this stand-in, or lacks its value"),
        ("-a start", "no configuration yet; pass one with -a fetch-config -c file:PATH"),
    ],
)
def test_the_control_command_refuses_what_it_does_not_do(arguments: str, message: str) -> None:
    ctl = ["bash", str(FILES / "amazon-cloudwatch-agent-ctl.sh"), *arguments.split()]
    done = subprocess.run(ctl, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr == f"amazon-cloudwatch-agent-ctl: error: {message}\n"
