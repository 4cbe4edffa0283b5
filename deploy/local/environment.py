"""What a process of the function finds in its environment, and what Lambda calls it.

AWS Lambda Developer Guide, "Defined runtime environment variables".
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Function:
    """The function as the stack describes it; `memory` in MB, `timeout` in seconds.

    `version` is the published one that its URL leads to.
    """

    name: str
    handler: str
    memory: int
    timeout: float
    region: str
    account: str
    environment: Mapping[str, str]
    version: str = "$LATEST"
    log_group: str = ""

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"


@dataclass(frozen=True)
class Places:
    """Where the code, the runtime client and the temporary files of a process lie."""

    task: Path
    runtime: Path
    scratch: Path


def interpreter() -> Path:
    """The interpreter that made twofold's own environment: it sees no packages of that one."""
    made_by: str = getattr(sys, "_base_executable", sys.executable)
    return Path(made_by).resolve()


def variables(
    function: Function, places: Places, runtime_api: str, log_stream: str, endpoint: str
) -> dict[str, str]:
    """The whole environment of a process: Lambda's, the function's own, nothing of the laptop's.

    Two things differ from AWS: AWS_ENDPOINT_URL leads the service's own calls to the
    embedded AWS, and TMPDIR to a folder that goes when this program ends.
    """
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {
        "PATH": os.defpath,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "TMPDIR": str(places.scratch),
        "PYTHONPATH": os.pathsep.join((str(places.task), str(places.runtime))),
        "PYTHONDONTWRITEBYTECODE": "1",  # /var/task is read-only on AWS
        "LAMBDA_TASK_ROOT": str(places.task),
        "LAMBDA_RUNTIME_DIR": str(places.runtime),
        "_HANDLER": function.handler,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        **function.environment,
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{minor}",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
    }
