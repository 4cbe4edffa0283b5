"""The instance metadata service, as botocore, cloud-init and curl ask it, over real HTTP."""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.utils import InstanceMetadataFetcher, InstanceMetadataRegionFetcher

from deploy.local.guests.metadata import Described, metadata_service
from tests.deploy.local.guests.served import served

DESCRIBED = Described(
    instance="i-0123456789abcdef0",
    image="ami-0abc",
    type="t3.micro",
    architecture="x86_64",
    region="eu-central-1",
    zone="eu-central-1b",
    account="000000000000",
    private_address="10.0.7.100",
    public_address="127.77.0.7",
    role="hello-instance-role",
    user_data=b"#!/bin/sh\necho \xff\n",
    tokens_required=True,
    key="ASIAKEY",
    secret="wJalr",
    session="FwoG",
)
START = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
TTL = "X-aws-ec2-metadata-token-ttl-seconds"


@dataclass
class Clock:
    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Service:
    """A running metadata service, and the way cloud-init talks to it: one token for all."""

    url: str
    clock: Clock = field(default_factory=Clock)

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()

    def token(self, seconds: str = "21600") -> str:
        status, body, _ = self.ask("PUT", "/latest/api/token", {TTL: seconds})
        assert status == 200
        return body.decode()

    def read(self, path: str) -> bytes:
        header = {"X-aws-ec2-metadata-token": self.token()}
        status, body, _ = self.ask("GET", path, header)
        assert status == 200, (path, status)
        return body

    def tree(self, path: str) -> Any:
        """All below a listing, as cloud-init's MetadataMaterializer walks it."""
        found = {}
        for name in self.read(path).decode().splitlines():
            below = f"{path.rstrip('/')}/{name}"
            if name.endswith("/"):
                found[name.rstrip("/")] = self.tree(below)
            else:
                found[name] = self.read(below).decode()
        return found


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    clock = Clock()
    with served(metadata_service(DESCRIBED, clock)) as url:
        yield Service(url, clock)


@pytest.fixture
def fleeting(service: Service) -> Iterator[Clock]:
    """The clock, which a test may move; it goes back afterwards."""
    yield service.clock
    service.clock.now = START


def test_a_token_says_for_how_long_it_is_good(service: Service) -> None:
    status, body, headers = service.ask("PUT", "/latest/api/token", {TTL: "60"})
    assert (status, headers[TTL.lower()]) == (200, "60")
    assert len(body) >= 40


@pytest.mark.parametrize("seconds", ["", "0", "21601", "-1", "soon"])
def test_a_token_is_refused_for_no_time_at_all_or_too_long(service: Service, seconds: str) -> None:
    assert service.ask("PUT", "/latest/api/token", {TTL: seconds})[0] == 400


def test_a_token_is_refused_without_its_time(service: Service) -> None:
    assert service.ask("PUT", "/latest/api/token")[:2] == (400, b"400 - Bad Request")


def test_a_token_is_refused_to_a_proxy(service: Service) -> None:
    headers = {TTL: "60", "X-Forwarded-For": "10.0.0.1"}
    assert service.ask("PUT", "/latest/api/token", headers)[:2] == (403, b"403 - Forbidden")


def test_nothing_is_told_without_a_token_where_tokens_are_required(service: Service) -> None:
    for path in ("/", "/latest/meta-data/", "/latest/user-data", "/latest/no-such-thing"):
        assert service.ask("GET", path)[:2] == (401, b"401 - Unauthorized")


def test_nothing_is_told_for_a_token_that_was_not_given_out(service: Service) -> None:
    header = {"X-aws-ec2-metadata-token": "made-up"}
    assert service.ask("GET", "/latest/meta-data/", header)[0] == 401


def test_a_token_ends_with_its_time(service: Service, fleeting: Clock) -> None:
    header = {"X-aws-ec2-metadata-token": service.token("60")}
    fleeting.now += 59
    assert service.ask("GET", "/latest/meta-data/", header)[0] == 200
    fleeting.now += 1
    assert service.ask("GET", "/latest/meta-data/", header)[0] == 401


def test_version_1_is_answered_where_the_launch_template_lets_it() -> None:
    with served(metadata_service(replace(DESCRIBED, tokens_required=False))) as url:
        service = Service(url)
        assert service.ask("GET", "/latest/meta-data/instance-id")[1] == b"i-0123456789abcdef0"
        wrong = {"X-aws-ec2-metadata-token": "made-up"}
        assert service.ask("GET", "/latest/meta-data/instance-id", wrong)[0] == 401


@pytest.mark.parametrize("version", ["2021-03-23", "2009-04-04", "latest"])
def test_it_tells_what_the_instance_is(service: Service, version: str) -> None:
    told = service.tree(f"/{version}/meta-data/")
    iam = told.pop("iam")
    assert json.loads(iam["info"])["InstanceProfileArn"] == (
        "arn:aws:iam::000000000000:instance-profile/hello-instance-role"
    )
    assert {role: json.loads(told) for role, told in iam["security-credentials"].items()} == {
        "hello-instance-role": {
            "Code": "Success",
            "LastUpdated": "2026-01-01T00:00:00Z",
            "Type": "AWS-HMAC",
            "AccessKeyId": "ASIAKEY",
            "SecretAccessKey": "wJalr",
            "Token": "FwoG",
            "Expiration": "2026-01-01T06:00:00Z",
        }
    }
    host = "ip-10-0-7-100.eu-central-1.compute.internal"
    assert told == {
        "ami-id": "ami-0abc",
        "ami-launch-index": "0",
        "hostname": host,
        "instance-action": "none",
        "instance-id": "i-0123456789abcdef0",
        "instance-life-cycle": "on-demand",
        "instance-type": "t3.micro",
        "local-hostname": host,
        "local-ipv4": "10.0.7.100",
        "mac": "02:00:0a:00:07:64",
        "network": {
            "interfaces": {
                "macs": {
                    "02:00:0a:00:07:64": {
                        "device-number": "0",
                        "local-hostname": host,
                        "local-ipv4s": "10.0.7.100",
                        "mac": "02:00:0a:00:07:64",
                        "owner-id": "000000000000",
                        "public-ipv4s": "127.77.0.7",
                    }
                }
            }
        },
        "placement": {"availability-zone": "eu-central-1b", "region": "eu-central-1"},
        "services": {"domain": "amazonaws.com", "partition": "aws"},
        "public-ipv4": "127.77.0.7",
    }


def test_it_lists_its_versions_and_what_each_holds(service: Service) -> None:
    assert service.read("/").split()[-2:] == [b"2021-03-23/", b"latest/"]
    assert service.read("/latest/").split() == [b"dynamic/", b"meta-data/", b"user-data"]


def test_a_slash_at_the_end_makes_no_difference(service: Service) -> None:
    leaf = "/latest/meta-data/placement/availability-zone"
    assert service.read(f"{leaf}/") == service.read(leaf) == b"eu-central-1b"
    listing = "/latest/dynamic/instance-identity"
    assert service.read(f"{listing}/") == service.read(listing) == b"document"


def test_user_data_is_given_back_byte_for_byte(service: Service) -> None:
    assert service.read("/2021-03-23/user-data") == DESCRIBED.user_data


def test_the_identity_document_names_the_instance(service: Service) -> None:
    document = json.loads(service.read("/latest/dynamic/instance-identity/document"))
    assert document == {
        "accountId": "000000000000",
        "architecture": "x86_64",
        "availabilityZone": "eu-central-1b",
        "imageId": "ami-0abc",
        "instanceId": "i-0123456789abcdef0",
        "instanceType": "t3.micro",
        "pendingTime": "2026-01-01T00:00:00Z",
        "privateIp": "10.0.7.100",
        "region": "eu-central-1",
        "version": "2017-09-30",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/latest/meta-data/no-such-thing",
        "/latest/meta-data/instance-id/below",
        "/latest/meta-data/iam/security-credentials/another-role",
        "/latest-news/meta-data/",
        "/latest/api/token",
    ],
)
def test_what_is_not_there_is_not_found(service: Service, path: str) -> None:
    header = {"X-aws-ec2-metadata-token": service.token()}
    assert service.ask("GET", path, header)[:2] == (404, b"404 - Not Found")


def test_what_an_instance_need_not_have_is_not_found() -> None:
    bare = replace(DESCRIBED, user_data=b"", role="", public_address="", tokens_required=False)
    with served(metadata_service(bare)) as url:
        service = Service(url)
        for path in ("user-data", "meta-data/iam/", "meta-data/public-ipv4"):
            assert service.ask("GET", f"/latest/{path}")[0] == 404
        listed = service.tree("/latest/")
        assert list(listed) == ["dynamic", "meta-data"]
        assert not {"iam", "public-ipv4"} & set(listed["meta-data"])


@pytest.mark.parametrize(
    ("region", "host", "services"),
    [
        ("us-east-1", "ip-10-0-7-100.ec2.internal", ("amazonaws.com", "aws")),
        (
            "cn-north-1",
            "ip-10-0-7-100.cn-north-1.compute.internal",
            ("amazonaws.com.cn", "aws-cn"),
        ),
    ],
)
def test_names_follow_the_region(region: str, host: str, services: tuple[str, str]) -> None:
    with served(metadata_service(replace(DESCRIBED, region=region))) as url:
        service = Service(url)
        assert service.read("/latest/meta-data/hostname").decode() == host
        told = service.tree("/latest/meta-data/services/")
        assert (told["domain"], told["partition"]) == services


def test_botocore_takes_the_roles_credentials_with_a_token(
    service: Service, fleeting: Clock
) -> None:
    fleeting.now = datetime.now(UTC).timestamp()
    end = datetime.fromtimestamp(fleeting.now + 21600, UTC)
    fetcher = InstanceMetadataFetcher(timeout=60, base_url=f"{service.url}/")
    assert fetcher.retrieve_iam_role_credentials() == {
        "role_name": "hello-instance-role",
        "access_key": "ASIAKEY",
        "secret_key": "wJalr",
        "token": "FwoG",
        "expiry_time": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def test_botocore_takes_the_region_from_the_zone(service: Service) -> None:
    fetcher = InstanceMetadataRegionFetcher(timeout=60, base_url=f"{service.url}/")
    assert fetcher.retrieve_region() == "eu-central-1"
