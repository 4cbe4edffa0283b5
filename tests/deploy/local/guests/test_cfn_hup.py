"""AWS's own cfn-hup, as user data installs it in a guest, with the configuration from ops/.

It runs in namespaces of this machine, under Python 2.7, beside a CloudFormation that
answers as cfn-hup asks: in JSON.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from deploy.local.guests import python2
from deploy.local.guests.metadata import metadata_service
from tests.conftest import ROOT
from tests.deploy.local.guests.secluded import Secluded, secluded, why_not
from tests.deploy.local.guests.test_metadata import DESCRIBED

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

POLL_SECONDS = 300.0
INSTALLER = """#!/bin/bash
printf '%s\\n' "$CFN_NEW_METADATA" >>"{log}"
env >"{log}.environment"
exit "$(cat "{status}")"
"""


@dataclass
class CloudFormation:
    """What the fleet's resource is by now, and who asked for it."""

    release: str = "one"
    status: str = "UPDATE_COMPLETE"
    asked: list[Mapping[str, str]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        self.asked.append({**request.query_params, **request.headers})
        await self._answer(request.query_params)(scope, receive, send)

    def _answer(self, query: Mapping[str, str]) -> Response:
        if query.get("Action") != "DescribeStackResource" or query["StackName"] != "hello-dev":
            return Response(status_code=400)
        detail = {
            "LogicalResourceId": query["LogicalResourceId"],
            "ResourceType": "AWS::AutoScaling::AutoScalingGroup",
            "ResourceStatus": self.status,
            "LastUpdatedTimestamp": 1.0,
            "Metadata": json.dumps({"Release": {"Sha256": self.release}}),
        }
        result = {"DescribeStackResourceResult": {"StackResourceDetail": detail}}
        return JSONResponse({"DescribeStackResourceResponse": result})


@dataclass(frozen=True)
class Hup:
    """cfn-hup on an instance whose install-release writes down that it ran."""

    cloudformation: CloudFormation
    there: Secluded
    program: Path
    folder: Path

    def start(self) -> str:
        """It runs by itself from now on, as a daemon; what it said before."""
        return self.there.run(self.program, "--config", self.folder / "cfn").stderr

    def poll(self) -> None:
        """It looks once."""
        self.there.run(self.program, "--config", self.folder / "cfn", "--no-daemon")

    def installer_exits(self, status: int) -> None:
        (self.folder / "status").write_text(f"{status}\n", encoding="utf-8")

    @property
    def installed(self) -> list[str]:
        """The release of each run of install-release."""
        log = self.folder / "installed"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return [json.loads(line)["Sha256"] for line in lines]

    @property
    def pid(self) -> int | None:
        """By the file that it keeps; as the processes in there count."""
        there = self.there.run("cat", "/run/cfn-hup.pid", check=False)
        return int(there.stdout) if there.returncode == 0 else None

    def log(self) -> str:
        return self.there.run("cat", "/var/log/cfn-hup.log").stdout


@pytest.fixture(scope="module")
def program(installed: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("helper-scripts") / "venv")


@pytest.fixture(scope="module")
def old_python(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("python2")
    python2.install(root, cache / "guests")
    return root


@pytest.fixture
def hup(program: Path, old_python: Path, tmp_path: Path) -> Iterator[Hup]:
    configure(tmp_path)
    cloudformation = CloudFormation()
    metadata = metadata_service(replace(DESCRIBED, tokens_required=True))
    with (
        secluded(old_python, tmp_path) as there,
        there.serving(metadata, 80),
        there.serving(cloudformation, 4566),
    ):
        there.environment["AWS_CONFIG_FILE"] = str(tmp_path / "aws-config")
        yield Hup(cloudformation, there, program, tmp_path)


def configure(folder: Path) -> None:
    """cfn-hup's configuration and hooks from ops/, and what they name."""
    tokens = {
        "STACK": "hello-dev",
        "REGION": DESCRIBED.region,
        "ROLE": DESCRIBED.role,
        "FLEET": "Fleet",
        "HOME": str(folder),
        "ENV": str(folder / "instance.env"),
    }
    shutil.copytree(ROOT / "ops" / "cfn-hup", folder / "cfn")
    for path in (path for path in (folder / "cfn").rglob("*") if path.is_file()):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"@([A-Z]+)@", lambda found: tokens[found[1]], text), "utf-8")
    shutil.copy(ROOT / "deploy/local/guests/image/aws-config", folder / "aws-config")
    scripts = folder / "current" / "ops" / "instance"
    scripts.mkdir(parents=True)
    text = INSTALLER.format(log=folder / "installed", status=folder / "status")
    (scripts / "install-release.sh").write_text(text, encoding="utf-8")
    (folder / "status").write_text("0\n", encoding="utf-8")


def test_the_release_seen_first_is_installed_and_then_left_alone(hup: Hup) -> None:
    hup.poll()
    assert hup.installed == ["one"]
    hup.poll()
    assert hup.installed == ["one"]


def test_a_changed_release_is_installed(hup: Hup) -> None:
    hup.poll()
    hup.cloudformation.release = "two"
    hup.poll()
    assert hup.installed == ["one", "two"]


def test_an_installation_that_fails_is_tried_again_at_every_look(hup: Hup) -> None:
    hup.installer_exits(3)
    hup.poll()
    hup.poll()
    hup.installer_exits(0)
    hup.poll()
    hup.poll()
    assert hup.installed == ["one", "one", "one"]
    assert "Action for release exited with 3; will retry on next iteration" in hup.log()


def test_nothing_is_installed_while_the_stack_is_being_changed(hup: Hup) -> None:
    hup.cloudformation.status = "UPDATE_IN_PROGRESS"
    hup.poll()
    assert hup.installed == []
    assert len(hup.cloudformation.asked) == 1
    hup.cloudformation.status = "UPDATE_COMPLETE"
    hup.poll()
    assert hup.installed == ["one"]


def test_it_asks_with_the_credentials_of_the_instances_role(hup: Hup) -> None:
    hup.poll()
    (asked,) = hup.cloudformation.asked
    assert f"Credential={DESCRIBED.key}/" in asked["authorization"]
    assert f"/{DESCRIBED.region}/cloudformation/aws4_request" in asked["authorization"]
    assert asked["x-amz-security-token"] == DESCRIBED.session
    assert asked["user-agent"].startswith("CfnTools/1.4-31 ")


def test_the_hook_gets_nothing_of_what_cfn_hup_was_started_with(hup: Hup) -> None:
    hup.poll()
    told = (hup.folder / "installed.environment").read_text(encoding="utf-8")
    names = {line.split("=")[0] for line in told.splitlines()}
    assert "CFN_NEW_METADATA" in names
    assert [name for name in names if re.match(r"PYTHON|LD_|https?_proxy", name)] == []


def test_as_a_daemon_it_looks_by_itself_every_minute_and_ends_when_asked(
    hup: Hup, eventually: Callable[[Callable[[], object], float], None]
) -> None:
    assert hup.start() == ""
    eventually(lambda: hup.installed == ["one"], POLL_SECONDS)
    first = hup.pid
    assert first is not None
    hup.cloudformation.release = "two"
    eventually(lambda: hup.installed == ["one", "two"], POLL_SECONDS)
    hup.there.run("kill", f"-{signal.SIGTERM.value}", str(first))
    eventually(lambda: hup.pid is None, POLL_SECONDS)


def test_without_an_endpoint_it_says_so(hup: Hup) -> None:
    nowhere = hup.folder / "no-config"
    hup.there.environment["AWS_CONFIG_FILE"] = str(nowhere)
    ended = hup.there.run(hup.program, "--config", hup.folder / "cfn", check=False)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"cfn-hup: {nowhere} names no endpoint_url (No section: 'default'); the guest has no AWS\n"
    )
