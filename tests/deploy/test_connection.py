"""How `--local` finds the `twofold up` that runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from deploy.connection import RECORD, LocalCloud, running_cloud
from deploy.decorators.launch_template import AGENT_URL, BOOTSTRAP_URL
from deploy.errors import LocalError

CLOUD = LocalCloud(
    os.getpid(), "http://a", "http://b", "http://c", "http://d", "bucket", "eu-x-1", "/x", {}
)


def record(root: Path, text: str) -> Path:
    path = root / RECORD
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return path


def test_the_record_of_a_running_cloud_is_read(tmp_path: Path) -> None:
    record(tmp_path, json.dumps({**asdict(CLOUD), "more": "than is known here"}))
    assert running_cloud(tmp_path) == CLOUD


def test_a_command_gets_those_of_the_clouds_own_settings_that_it_knows() -> None:
    cloud = replace(CLOUD, settings={"agent_url": "http://agent", "bootstrap_url": "http://cfn"})
    general = {"bucket": "bucket", "region": "eu-x-1"}
    assert cloud.own(()) == general
    assert cloud.own((AGENT_URL,)) == {**general, "agent_url": "http://agent"}
    assert cloud.own((AGENT_URL, BOOTSTRAP_URL))["bootstrap_url"] == "http://cfn"


def test_a_cloud_that_was_killed_is_named(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as ended:
        ended.wait()
    record(tmp_path, json.dumps({**asdict(CLOUD), "pid": ended.pid}))
    with pytest.raises(LocalError, match=rf"\(process {ended.pid}\) has ended\. Start it again"):
        running_cloud(tmp_path)


def test_whoever_asks_says_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(LocalError) as caught:
        running_cloud(tmp_path, need="This needs a running 'twofold guest boot'")
    assert str(caught.value) == (
        "This needs a running 'twofold guest boot', and none runs in this project. "
        "Start it in another terminal."
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": 1}', "nonsense"])
def test_a_record_of_another_form_is_one_error(tmp_path: Path, text: str) -> None:
    path = record(tmp_path, text)
    with pytest.raises(LocalError) as caught:
        running_cloud(tmp_path)
    assert str(caught.value).startswith(f"{path} is not what 'twofold up' writes")
    assert str(caught.value).endswith("Delete it and start 'twofold up' again.")
