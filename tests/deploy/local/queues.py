"""A project with a work queue on either side; its handler logs each record that it gets."""

from __future__ import annotations

import re
from pathlib import Path

# What boto3 consists of; the deploy tool's own lock pins it.
BOTO3 = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
HANDLER = """

import logging


@events.each("aws:sqs", queue="quick")
@events.each("aws:sqs", queue="slow")
def work(record):
    logging.getLogger("service.work").info("worked", extra={"record": record})
    if "poison" in record["body"]:
        raise ValueError("never")
"""
QUEUES = (
    'work_queue("quick", runtime="lambda", visibility_seconds=30)',
    'work_queue("slow", runtime="instance", visibility_seconds=10)',
)


def add_queues(folder: Path) -> None:
    """The project in the folder has them from now on."""
    _append(folder / "service/handler.py", HANDLER)
    add_to_topology(folder, *QUEUES)
    add_boto3(folder)


def add_to_topology(folder: Path, *queues: str) -> None:
    """The topology has these as well, each a call of `work_queue`."""
    lines = (
        "from deploy.decorators.work_queue import work_queue",
        f"TOPOLOGY = ({', '.join(queues)}, *TOPOLOGY)",
    )
    _append(folder / "deploy/topology.py", "\n".join(("", *lines, "")))


def add_boto3(folder: Path) -> None:
    """The artifact has boto3, which the instances' worker needs."""
    blocks = re.split(r"\n(?=\S)", (folder / "deploy.lock").read_text(encoding="utf-8"))
    mine = [block for block in blocks if block.partition("==")[0] in BOTO3]
    assert len(mine) == len(BOTO3)
    _append(folder / "service.lock", "".join(_without_comment(block) for block in mine))
    (pin,) = re.findall(r"^boto3==\S+", "\n".join(mine), re.MULTILINE)
    project = folder / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    text = text.replace("dependencies = [\n", f'dependencies = [\n    "{pin}",\n', 1)
    project.write_text(text, encoding="utf-8")


def _append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def _without_comment(block: str) -> str:
    """The lock says below each pin who asked for it: somebody else."""
    return (
        "\n".join(line for line in block.splitlines() if not line.lstrip().startswith("#")) + "\n"
    )
