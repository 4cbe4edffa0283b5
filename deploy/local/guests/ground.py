"""What is there before any guest is: image, packages, the AWS that guests and the tool ask."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from deploy.local.embedded_aws import LOOPBACK
from deploy.local.guests.gateway import gateway
from deploy.local.guests.guest import GATEWAY, Ground
from deploy.local.guests.image import held, image
from deploy.local.guests.played import Played
from deploy.local.guests.requirements import refuse_without
from deploy.local.guests.stand_ins import packages
from deploy.local.instance_side import Begun, Laid
from deploy.local.laptop import cache
from deploy.local.server import listen, serving

_HELPER_SCRIPTS = "aws-cfn-bootstrap.tar.gz"
_AGENT = "amazon-cloudwatch-agent.deb"


@dataclass(frozen=True)
class Prepared:
    """The ground of the guests, and how the tool reaches the same AWS."""

    ground: Ground
    laid: Laid


def prepare(stack: ExitStack, begun: Begun, played: Played, *, bare: bool = False) -> Prepared:
    """Guests can be started until `stack` closes.

    Args:
        played: what the embedded AWS leaves out.
        bare: boot the image that has nothing of what user data installs.

    Raises:
        LocalError: this machine cannot boot guests, or image or packages cannot be made.
    """
    refuse_without()
    kept = cache(begun.root)
    made = image(kept, begun.settings.target.python, begun.console, prepared=not bare)
    stack.enter_context(held(made))
    files = packages(kept, begun.console)
    app = gateway(begun.embedded.endpoint, played, files)
    listener = listen(0, "")
    served = serving(app, listener)
    begun.background.run(served.__aenter__())
    stack.callback(lambda: begun.background.run(served.__aexit__(None, None, None)))
    return Prepared(
        Ground(begun.workspace, begun.background, made, app),
        Laid(f"http://{LOOPBACK}:{listener.getsockname()[1]}", _settings(files)),
    )


def _settings(files: Mapping[str, Path]) -> dict[str, str]:
    return {
        "bootstrap_url": f"{GATEWAY}/stand-ins/{_HELPER_SCRIPTS}",
        "bootstrap_sha256": _sha256(files[_HELPER_SCRIPTS]),
        "agent_url": f"{GATEWAY}/stand-ins/{_AGENT}",
        "agent_sha256": _sha256(files[_AGENT]),
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
