"""The instance metadata service of one instance, version 2 and, where it is allowed, 1.

Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata" and
"Instance metadata categories", says what there is; it is told here as far as cloud-init,
the AWS SDKs and cfn-hup ask. Every dated version answers as the latest does.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

_TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105  a header's name
_TTL = f"{_TOKEN}-ttl-seconds"
_TTL_LIMIT = 21600
_CREDENTIALS_SECONDS = 21600
# As the root lists them: those that cloud-init looks for; any other date is answered as well.
_VERSIONS = ("2009-04-04", "2016-09-02", "2018-09-24", "2021-03-23", "latest")
_VERSION = re.compile(r"latest|\d{4}-\d\d-\d\d")

Tree: TypeAlias = Mapping[str, "Tree | str | bytes"]


@dataclass(frozen=True)
class Described:
    """One instance as its metadata tells it.

    `user_data` is decoded; `role` is the name under which the credentials `key`, `secret`
    and `session` are found, empty without an instance profile; `public_address` may be empty.
    """

    instance: str
    image: str
    type: str
    architecture: str
    region: str
    zone: str
    account: str
    private_address: str
    public_address: str
    role: str
    user_data: bytes
    tokens_required: bool
    key: str
    secret: str
    session: str


def metadata_service(described: Described, clock: Callable[[], float] = time.time) -> ASGIApp:
    """What answers at http://169.254.169.254 in this instance; `clock` is in Unix seconds."""
    sessions = _Sessions(clock)
    began = clock()

    async def token(request: Request) -> Response:
        if "x-forwarded-for" in request.headers:
            return _refused(403, "Forbidden")
        seconds = request.headers.get(_TTL, "")
        if not (seconds.isdecimal() and 1 <= int(seconds) <= _TTL_LIMIT):
            return _refused(400, "Bad Request")
        return PlainTextResponse(sessions.opened(int(seconds)), headers={_TTL: seconds})

    async def read(request: Request) -> Response:
        given = request.headers.get(_TOKEN)
        allowed = sessions.is_open(given) if given is not None else not described.tokens_required
        if not allowed:
            return _refused(401, "Unauthorized")
        return _answer(_found(_latest(described, began, clock()), request.path_params["path"]))

    return Starlette(
        routes=[
            Route("/latest/api/token", token, methods=["PUT"]),
            Route("/{path:path}", read, methods=["GET"]),
        ]
    )


class _Sessions:
    """The tokens that were given out, and until when each is good."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends: dict[str, float] = {}

    def opened(self, seconds: int) -> str:
        token = secrets.token_urlsafe(40)
        self._ends[token] = self._clock() + seconds
        return token

    def is_open(self, token: str) -> bool:
        return self._clock() < self._ends.get(token, 0.0)


def _refused(status: int, reason: str) -> Response:
    return PlainTextResponse(f"{status} - {reason}", status)


def _answer(found: Tree | str | bytes | None) -> Response:
    match found:
        case None:
            return _refused(404, "Not Found")
        case bytes():
            return Response(found, media_type="application/octet-stream")
        case str():
            return PlainTextResponse(found)
    return PlainTextResponse("\n".join(_listed(name, below) for name, below in found.items()))


def _listed(name: str, below: Tree | str | bytes) -> str:
    return f"{name}/" if isinstance(below, Mapping) else name


def _found(latest: Tree, path: str) -> Tree | str | bytes | None:
    """What stands at a path; a slash at its end makes no difference, as on EC2."""
    version, *names = path.strip("/").split("/")
    if not version:
        return dict.fromkeys(_VERSIONS, latest)
    found: Tree | str | bytes | None = latest if _VERSION.fullmatch(version) else None
    for name in filter(None, names):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _latest(described: Described, began: float, now: float) -> Tree:
    tree: dict[str, Tree | str | bytes] = {
        "dynamic": {"instance-identity": {"document": _identity(described, began)}},
        "meta-data": _metadata(described, now),
    }
    if described.user_data:
        tree["user-data"] = described.user_data
    return tree


def _metadata(described: Described, now: float) -> Tree:
    mac = _mac(described.private_address)
    tree: dict[str, Tree | str] = {
        "ami-id": described.image,
        "ami-launch-index": "0",
        "hostname": _hostname(described),
        "instance-action": "none",
        "instance-id": described.instance,
        "instance-life-cycle": "on-demand",
        "instance-type": described.type,
        "local-hostname": _hostname(described),
        "local-ipv4": described.private_address,
        "mac": mac,
        # cloud-init warns when it is missing, and configures nothing that has another MAC.
        "network": {"interfaces": {"macs": {mac: _interface(described, mac)}}},
        "placement": {"availability-zone": described.zone, "region": described.region},
        "services": {
            "domain": _domain(described.region),
            "partition": _partition(described.region),
        },
    }
    if described.public_address:
        tree["public-ipv4"] = described.public_address
    if described.role:
        tree["iam"] = {
            "info": _profile(described, now),
            "security-credentials": {described.role: _credentials(described, now)},
        }
    return tree


def _interface(described: Described, mac: str) -> Tree:
    tree = {
        "device-number": "0",
        "local-hostname": _hostname(described),
        "local-ipv4s": described.private_address,
        "mac": mac,
        "owner-id": described.account,
    }
    public = {"public-ipv4s": described.public_address} if described.public_address else {}
    return tree | public


def _identity(described: Described, began: float) -> str:
    document = {
        "accountId": described.account,
        "architecture": described.architecture,
        "availabilityZone": described.zone,
        "imageId": described.image,
        "instanceId": described.instance,
        "instanceType": described.type,
        "pendingTime": _moment(began),
        "privateIp": described.private_address,
        "region": described.region,
        "version": "2017-09-30",
    }
    return json.dumps(document, indent=2)


def _profile(described: Described, now: float) -> str:
    resource = f"iam::{described.account}:instance-profile/{described.role}"
    profile = {
        "Code": "Success",
        "LastUpdated": _moment(now),
        "InstanceProfileArn": f"arn:{_partition(described.region)}:{resource}",
        "InstanceProfileId": "AIPA00000000000000000",
    }
    return json.dumps(profile, indent=2)


def _credentials(described: Described, now: float) -> str:
    credentials = {
        "Code": "Success",
        "LastUpdated": _moment(now),
        "Type": "AWS-HMAC",
        "AccessKeyId": described.key,
        "SecretAccessKey": described.secret,
        "Token": described.session,
        "Expiration": _moment(now + _CREDENTIALS_SECONDS),
    }
    return json.dumps(credentials, indent=2)


def _hostname(described: Described) -> str:
    region = described.region
    domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{described.private_address.replace('.', '-')}.{domain}"


def _mac(private_address: str) -> str:
    return "02:00:" + ":".join(f"{int(part):02x}" for part in private_address.split("."))


def _partition(region: str) -> str:
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((name for prefix, name in prefixes.items() if region.startswith(prefix)), "aws")


def _domain(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
