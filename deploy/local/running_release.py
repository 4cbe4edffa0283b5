"""What the stack says should run: read back from it, as the two sides themselves would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from deploy import logical_id
from deploy.artifact import ReleasePointer
from deploy.aws import Aws
from deploy.aws.running import FleetState
from deploy.errors import StackError
from deploy.local.environment import Function


@dataclass(frozen=True)
class Wanted:
    """The function, the domain of its URL, the fleet, and the release that both run."""

    function: Function
    domain: str
    fleet: FleetState
    release: ReleasePointer


def wanted(aws: Aws, stack: str) -> Wanted:
    """What the stack's own services say of it.

    Raises:
        StackError: one side is missing, or the function's code is not the fleet's release.
    """
    found = aws.stack(stack)
    outputs = found.outputs if found else {}
    release = _pointer(aws, stack)
    function = _function(aws, outputs, release)
    fleet = aws.fleet(outputs.get(logical_id.OUTPUT_FLEET, ""))
    if fleet is None:
        raise StackError(_missing(stack, "fleet"))
    domain = urlsplit(outputs.get(logical_id.OUTPUT_FUNCTION_URL, "")).hostname or "localhost"
    return Wanted(function, domain, fleet, release)


def _pointer(aws: Aws, stack: str) -> ReleasePointer:
    metadata = aws.resource_metadata(stack, logical_id.FLEET).get(logical_id.RELEASE)
    if not metadata:
        raise StackError(_missing(stack, "fleet"))
    return ReleasePointer(
        metadata["Bucket"], metadata["Key"], metadata["Sha256"], metadata["BuildId"]
    )


def _function(aws: Aws, outputs: Mapping[str, str], release: ReleasePointer) -> Function:
    name = outputs.get(logical_id.OUTPUT_FUNCTION_NAME, "")
    version = outputs.get(logical_id.OUTPUT_FUNCTION_VERSION, "$LATEST")
    state = aws.function(name, version) if name else None
    if state is None:
        raise StackError(_missing(name or "The stack", "function"))
    if state.sha256 != release.sha256:
        raise StackError(
            f"Function {name!r} has the code {state.sha256[:12]}, but the fleet's release is "
            f"{release.sha256[:12]}. Provision again."
        )
    return Function(
        name=state.name,
        handler=state.handler,
        memory=state.memory,
        timeout=float(state.timeout),
        region=aws.region,
        account=aws.identity().account,
        environment=state.environment,
        version=version,
        log_group=outputs.get(logical_id.OUTPUT_FUNCTION_LOGS, f"/aws/lambda/{name}"),
    )


def _missing(where: str, what: str) -> str:
    return (
        f"{where} has no {what}, so there is nothing to play for it. "
        f"Put it back into deploy/topology.py."
    )
