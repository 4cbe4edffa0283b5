"""Process start to first answer under AWS's runtime client: our artifact, as it is unpacked."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from deploy.artifact.build import build
from deploy.console import Console
from deploy.local import runtime_client
from deploy.local.environment import interpreter
from deploy.target import host, running_python
from tests.benchmarks.report import Row, at_most
from tests.service.events import function_url
from tests.service.runtime_api import HANDLER, function

TITLE = "Cold start: process start to first answer under awslambdaric"
ROOT = Path(__file__).parent.parent.parent
_BARE = """
def lambda_handler(event, context):
    return {"statusCode": 200, "body": "Hello world from Twofold!"}
"""


def measure(rounds: int = 15) -> list[Row]:
    """Medians over alternating rounds; no process here writes a .pyc."""
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        handlers = _folders(scratch)
        runtime_client.link_into(scratch / "runtime")
        spent: dict[str, list[float]] = {name: [] for name in handlers}
        for name, handler in handlers.items():
            _milliseconds(scratch, name, handler)  # warm the file cache
        for _ in range(rounds):
            for name, handler in handlers.items():
                spent[name].append(_milliseconds(scratch, name, handler))
    figures = {name: median(times) for name, times in spent.items()}

    def ratio(other: str) -> float:
        return median(a / b for a, b in zip(spent["artifact"], spent[other], strict=True))

    return [
        Row("bare function", figures["bare"], "ms"),
        Row("artifact without its .pyc", figures["sources"], "ms"),
        Row("artifact", figures["artifact"], "ms", ratio("sources"), at_most(0.7), "of no .pyc"),
        Row(
            "the same", figures["artifact"], "ms", ratio("bare"), at_most(3.4), "of a bare function"
        ),
    ]


def _folders(scratch: Path) -> Mapping[str, str]:
    """Unpacks what is compared under `scratch`; each folder's name, and its handler's."""
    artifact = build(
        ROOT, host(running_python()), "hello", Console(), ROOT / ".twofold" / "cache", seconds=30
    )
    for name in ("artifact", "sources"):
        with zipfile.ZipFile(artifact.path) as archive:
            archive.extractall(scratch / name)
    for cached in list((scratch / "sources").rglob("__pycache__")):
        shutil.rmtree(cached)
    (scratch / "bare").mkdir()
    (scratch / "bare" / "bare.py").write_text(_BARE)
    return {"bare": "bare.lambda_handler", "sources": HANDLER, "artifact": HANDLER}


def _milliseconds(scratch: Path, name: str, handler: str) -> float:
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{scratch / name}:{scratch / 'runtime'}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    printed = scratch / f"{name}.log"
    python = str(interpreter())  # of no packages but its own, as on Lambda
    with function(scratch / name, printed, environ, handler, python) as running:
        answer = running.invoke(function_url("/"))
        spent = (time.perf_counter() - running.started) * 1000
    assert answer.payload["body"] == "Hello world from Twofold!", printed.read_text()
    return spent
