"""A stack with a fleet of machines in an embedded AWS behind the gateway, as `up` has it."""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from deploy.artifact import Artifact, ReleasePointer
from deploy.aws import Aws
from deploy.connection import LOCAL_CREDENTIALS
from deploy.console import Console
from deploy.errors import TwofoldError
from deploy.local.embedded_aws import EmbeddedAws
from deploy.local.guests.change import Rhythm
from deploy.local.guests.changes import Changes
from deploy.local.guests.fleet import Fleet
from deploy.local.guests.gateway import gateway
from deploy.settings import Settings, read
from deploy.stack.plan import plan
from deploy.stack.provision import Outcome, provision, survey
from tests.deploy.local.guests.machines import Factory, Machine
from tests.deploy.local.guests.served import served

BUCKET = "artifacts-of-fleets"
MAKING = threading.Lock()
NAMES = (f"fleet{number}" for number in itertools.count())
# The tool looks at a stack this old every half a second at most, on a machine that is not busy.
RHYTHM = Rhythm(look=0.05, follow=0.2, begin=60.0, linger=4.0)


def template(
    user_data: str = "one",
    release: str = "a",
    *,
    smallest: int = 1,
    largest: int = 2,
    timeout: str = "PT10M",
    **properties: Any,
) -> dict[str, Any]:
    """The resources of a stack that has a fleet and not much besides."""
    launched = {"ImageId": "ami-0abc", "InstanceType": "t3.micro", "UserData": user_data}
    version = {"Fn::GetAtt": ["ServiceLaunchTemplate", "LatestVersionNumber"]}
    return {
        "ServiceInstanceLogs": {"Type": "AWS::Logs::LogGroup"},
        "ServiceLaunchTemplate": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {"LaunchTemplateData": launched},
        },
        "ServiceFleet": {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            "Metadata": {"Release": {"Sha256": release}},
            "Properties": {
                "MinSize": str(smallest),
                "MaxSize": str(largest),
                "AvailabilityZones": ["eu-central-1a"],
                "LaunchTemplate": {
                    "LaunchTemplateId": {"Ref": "ServiceLaunchTemplate"},
                    "Version": version,
                },
                **properties,
            },
            "CreationPolicy": {"ResourceSignal": {"Count": smallest, "Timeout": timeout}},
            "UpdatePolicy": {
                "AutoScalingRollingUpdate": {
                    "MaxBatchSize": 1,
                    "MinInstancesInService": min(smallest, largest - 1),
                    "MinSuccessfulInstancesPercent": 100,
                    "PauseTime": timeout,
                    "WaitOnResourceSignals": True,
                }
            },
        },
    }


@dataclass
class Site:
    """What a test has in its hands.

    `aws` goes through the gateway, as the tool and the instances do; `direct` past it.
    """

    name: str
    url: str
    aws: Aws
    direct: Aws
    factory: Factory
    fleet: Fleet
    folder: Path
    progress: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def stack(self) -> str:
        return f"{self.name}-dev"

    @property
    def group(self) -> str:
        (group,) = [
            one.physical_id
            for one in self.direct.resources(self.stack)
            if one.logical_id == "ServiceFleet"
        ]
        return group

    def client(self, service: str) -> Any:
        """Of an instance's own or an operator's; sessions are made by one thread at a time."""
        key, secret = LOCAL_CREDENTIALS
        with MAKING:
            return boto3.Session(key, secret, region_name="eu-central-1").client(
                service, endpoint_url=self.url
            )

    def provision(self, resources: Mapping[str, Any]) -> Outcome:
        """As `twofold provision --local` does it."""

        def compose(pointer: ReleasePointer) -> str:
            return json.dumps({"Resources": resources})

        self.progress.clear()
        settings = self._settings()
        destination = survey(self.aws, settings, local=True)
        made = plan(settings, self._artifact(), BUCKET, compose)
        return provision(self.aws, destination, made, Console(self.progress.append))

    def failure(self, resources: Mapping[str, Any]) -> str:
        """Why it cannot be provisioned; empty when it can."""
        try:
            self.provision(resources)
        except TwofoldError as error:
            return str(error)
        return ""

    def succeed(self, machine: Machine) -> None:
        """As user data does it: that nobody waits for the signal is no failure."""
        with suppress(ClientError):
            self.signal(machine, "SUCCESS")

    def signal(self, machine: Machine, status: str) -> None:
        """The instance tells CloudFormation."""
        self.client("cloudformation").signal_resource(
            StackName=self.stack,
            LogicalResourceId="ServiceFleet",
            UniqueId=machine.instance,
            Status=status,
        )

    def log(self, machine: Machine, text: str) -> None:
        """As user data does it before it signals a failure."""
        (group,) = [
            one.physical_id
            for one in self.aws.resources(self.stack)
            if one.logical_id == "ServiceInstanceLogs"
        ]
        logs, stream = self.client("logs"), f"{machine.instance}/bootstrap"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [{"timestamp": 1_790_000_000_000, "message": text}]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def told(self, logical_id: str) -> list[str]:
        """What the stack's events say of a resource or of the stack: status, or reason."""
        events = self.aws.events(self.stack)
        return [one.reason or one.status for one in events if one.logical_id == logical_id]

    def _settings(self) -> Settings:
        return read({"stages": {"dev": {}}}, {}, {"name": self.name, "bucket": BUCKET})

    def _artifact(self) -> Artifact:
        path = self.folder / "artifact.zip"
        path.write_bytes(b"the artifact")
        digest = hashlib.sha256(b"the artifact").hexdigest()
        return Artifact(path, self.name, digest, 12, 12)


@contextmanager
def playing(
    embedded: EmbeddedAws,
    folder: Path,
    rhythm: Rhythm = RHYTHM,
    kind: type[Aws] = Aws,
) -> Iterator[Site]:
    """While the block runs, one stack's changes are played with machines that signal success.

    `kind` is what the player of the changes asks the embedded AWS by.
    """
    name, said, factory = next(NAMES), list[str](), Factory()
    direct = kind(embedded.region, embedded.endpoint, credentials=LOCAL_CREDENTIALS)
    direct.make_bucket(BUCKET)
    with Fleet(factory, said.append) as fleet:
        changes = Changes(direct, f"{name}-dev", BUCKET, fleet, said.append, rhythm=rhythm)
        with served(gateway(embedded.endpoint, changes, {})) as url, changes:
            aws = Aws(embedded.region, url, credentials=LOCAL_CREDENTIALS)
            site = Site(name, url, aws, direct, factory, fleet, folder, said=said)
            factory.boots = site.succeed
            try:
                yield site
            finally:
                factory.join()
