"""The topology with a project's own files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.composition import composer
from deploy.decorators.work_queue import work_queue
from deploy.errors import SettingsError
from deploy.topology import TOPOLOGY
from tests.deploy.stacks import USER_DATA, deployment, pointer

SLOW = work_queue("slow", runtime="instance")
QUICK = work_queue("quick", runtime="lambda")
DEPLOYMENT = deployment()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "ops/cloud-init").mkdir(parents=True)
    (tmp_path / "ops/cloud-init/user-data.sh").write_text(USER_DATA)
    return tmp_path


def lock(project: Path, *pins: str) -> None:
    (project / "service.lock").write_text("".join(f"{pin} \\\n    --hash=x\n" for pin in pins))


def test_a_queue_of_the_instances_needs_boto3_in_the_artifact(project: Path) -> None:
    lock(project, "starlette==1.0", "boto3-stubs==1.0")
    with pytest.raises(SettingsError) as refused:
        composer(DEPLOYMENT.settings, project, (QUICK, SLOW, *TOPOLOGY))
    assert str(refused.value) == (
        "Queue 'slow' runs on the instances, whose worker needs boto3. "
        'Add "boto3" to [project] dependencies in pyproject.toml and run make lock.'
    )


def test_a_queue_of_the_instances_is_composed_with_boto3(project: Path) -> None:
    lock(project, "boto3==1.43.106")
    text = composer(DEPLOYMENT.settings, project, (SLOW, *TOPOLOGY))(pointer())
    assert "SlowQueueUrl" in json.loads(text)["Outputs"]


def test_a_queue_of_the_function_needs_no_boto3(project: Path) -> None:
    lock(project, "starlette==1.0")
    text = composer(DEPLOYMENT.settings, project, (QUICK, *TOPOLOGY))(pointer())
    assert "QuickQueueUrl" in json.loads(text)["Outputs"]
