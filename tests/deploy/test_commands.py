"""`twofold` as a user types it, in a project of its own, against an embedded AWS."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import signal
from pathlib import Path

import pytest

from deploy.aws import Aws
from deploy.connection import LOCAL_CREDENTIALS
from deploy.project import ROOT
from tests.deploy.local.queues import add_to_topology
from tests.deploy.tree import Tree
from tests.deploy.wire import answering, refusing

SAID = "twofold: error: "
IMAGE = "ami-0123456789abcdef0"


@pytest.fixture
def account(tree: Tree, endpoint: str, region: str, aws: Aws) -> Tree:
    """The tree, with credentials for the embedded AWS, which has a bucket."""
    assert aws.bucket_region("artifacts") == region
    key, secret = LOCAL_CREDENTIALS
    tree.environment |= {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": region,
        "TWOFOLD_BUCKET": "artifacts",
        "TWOFOLD_IMAGE": IMAGE,
    }
    return tree


def named(tree: Tree, name: str) -> Tree:
    """The tree as a service of this name: stacks of different tests do not meet."""
    tree.settings(f'name = "{name}"\n[tool.twofold.stages.dev]')
    return tree


def test_a_service_is_provisioned_asked_and_deleted(account: Tree) -> None:
    tree = named(account, "whole")
    created = tree.document("provision")
    assert (created["stack"], created["result"]) == ("whole-dev", "created")
    digest = created["release"]["sha256"]
    assert created["release"]["build_id"] == digest[:12]

    unchanged = tree.document("provision")
    assert (unchanged["result"], unchanged["changes"]) == ("unchanged", [])

    planned = tree.document("provision", "--noop", "--memory-mb", "256")
    assert planned["result"] == "planned"
    assert "ServiceFunction" in [change["logical_id"] for change in planned["changes"]]

    updated = tree.document("provision", "--build-id", "second")
    assert (updated["result"], updated["release"]["build_id"]) == ("updated", "second")

    status = tree.document("status")
    assert status["status"] == "UPDATE_COMPLETE"
    assert status["release"]["sha256"] == digest
    assert [(side["name"], side["digest"]) for side in status["sides"]] == [("lambda", digest)]
    assert status["drift"] == ["0 of 1 instances are in service."]

    (answer,) = tree.document("invoke", '{"name": "Ada"}')["answers"]
    assert json.loads(answer["body"]) == {"greeting": "Hello", "got": {"name": "Ada"}}

    failed = tree.run("invoke", '"fail"')
    assert failed.returncode == 1
    assert "as you wish" in failed.stdout

    deleted = tree.document("delete", "--yes")
    assert deleted["result"] == "deleted"
    assert deleted["stays"] == [
        "the artifacts in s3://artifacts/whole/ (other stages may run them)"
    ]
    absent = tree.document("delete", "--yes")
    assert (absent["region"], absent["result"]) == ("eu-central-1", "absent")


def test_the_ec2_side_may_be_left_out(account: Tree) -> None:
    tree = named(account, "serverless")
    topology = tree.root / "deploy" / "topology.py"
    text = topology.read_text()
    for entry in ("network", "instance_role", "launch_template", "fleet"):
        text = re.sub(rf"^    {entry},.*\n", "", text, flags=re.MULTILINE)
    topology.write_text(text)
    digest = tree.document("provision")["release"]["sha256"]
    status = tree.document("status")
    assert (status["release"]["sha256"], status["drift"]) == (digest, [])
    assert [(side["name"], side["digest"]) for side in status["sides"]] == [("lambda", digest)]


def test_a_stack_that_is_not_there_is_an_answer(account: Tree) -> None:
    done = named(account, "absent").run("status")
    assert (done.returncode, done.stdout) == (
        0,
        "Stack 'absent-dev' does not exist in eu-central-1. "
        "Create it with: twofold provision --stage dev --region eu-central-1\n",
    )
    document = account.document("status")
    assert (document["exists"], document["status"], document["sides"]) == (False, None, [])
    done = account.run("delete")
    assert (done.returncode, done.stdout) == (
        0,
        "Stack absent-dev does not exist in eu-central-1; there is nothing to delete.\n",
    )


@pytest.mark.parametrize("command", ["invoke", "parity"])
def test_asking_a_stack_that_is_not_there_is_an_error(account: Tree, command: str) -> None:
    assert named(account, "absent").error(command) == (
        5,
        [
            f"{SAID}Stack 'absent-dev' does not exist in eu-central-1. "
            "Create it with: twofold provision --stage dev --region eu-central-1"
        ],
    )


def test_deleting_without_a_terminal_wants_yes(account: Tree) -> None:
    tree = named(account, "asked")
    tree.document("provision")
    done = tree.run("delete")
    assert done.returncode == 2
    assert "  ServiceFunction (AWS::Lambda::Function)" in done.stderr.splitlines()
    assert done.stderr.endswith(
        "There is no terminal to confirm the deletion of stack 'asked-dev' at. Pass --yes.\n"
    )
    assert tree.document("status")["exists"]


def at_a_terminal(tree: Tree, typed: bytes) -> tuple[int, str]:
    """What `twofold delete` did when this was typed at a terminal."""
    ours, theirs = pty.openpty()
    try:
        with tree.start("delete", stdin=theirs) as process:
            os.write(ours, typed)
            printed, _ = process.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    return process.returncode, printed


def test_deleting_asks_at_a_terminal(account: Tree) -> None:
    tree = named(account, "typed")
    tree.document("provision")
    assert at_a_terminal(tree, b"n\n") == (0, "Nothing was deleted.\n")
    code, printed = at_a_terminal(tree, b"y\n")
    assert code == 0
    assert printed.startswith("Stack typed-dev is deleted.\n")


def test_the_template_is_printed_without_aws(tree: Tree) -> None:
    done = tree.run("template", "--noop")
    assert done.returncode == 0
    code = json.loads(done.stdout)["Resources"]["ServiceFunction"]["Properties"]["Code"]
    assert code["S3Bucket"] == "bucket-is-not-set"
    assert "No bucket is set: the template names 'bucket-is-not-set'" in done.stderr


def test_the_template_goes_to_a_file(tree: Tree) -> None:
    done = tree.run("template", "--noop", "-o", "t.json")
    assert (done.returncode, done.stdout) == (0, "")
    assert "Resources" in json.loads((tree.root / "t.json").read_text())


def test_a_file_that_cannot_be_written_is_one_error(tree: Tree) -> None:
    code, lines = tree.error("template", "--noop", "-o", "nowhere/t.json")
    assert code == 2
    assert lines[-1].startswith(f"{SAID}Cannot write nowhere/t.json: No such file or directory")


def test_without_noop_the_template_needs_a_bucket(tree: Tree) -> None:
    assert tree.error("template", "--region", "eu-central-1") == (
        2,
        [
            f"{SAID}bucket is not set. "
            "Pass --bucket or set it under [tool.twofold] in pyproject.toml."
        ],
    )


def test_a_build_names_the_zip_and_its_digest(tree: Tree) -> None:
    document = tree.document("build")
    content = Path(document["path"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == document["sha256"]
    assert len(content) == document["size"]
    assert tree.run("build").stdout == document["path"] + "\n"


def test_all_wrong_settings_are_reported_at_once(tree: Tree) -> None:
    tree.settings('name = "Hello!"\nmin_szie = 1\n[tool.twofold.stages.dev]\nmax_size = "many"')
    code, lines = tree.error("provision", "--instance-type", "t3,micro", "--bucket", "B")
    report = "\n".join(lines)
    assert code == 2
    for problem in (
        "name is 'Hello!' in pyproject.toml; expected",
        "is no setting; did you mean min_size?",
        "max_size is 'many' in stage 'dev' of pyproject.toml; expected",
        "instance_type is 't3,micro' on the command line; expected",
        "bucket is 'B' on the command line; expected",
    ):
        assert problem in report


@pytest.mark.parametrize(
    "command", ["build", "template", "provision", "status", "delete", "parity"]
)
def test_an_unknown_stage_is_an_error_everywhere(tree: Tree, command: str) -> None:
    code, lines = tree.error(command, "--stage", "prdo")
    assert code == 2
    assert lines == [
        f"{SAID}Stage 'prdo' is unknown; pyproject.toml has dev. "
        "Pass --stage or add [tool.twofold.stages.prdo]."
    ]


@pytest.mark.parametrize(
    "command", ["provision", "template", "status", "delete", "invoke", "parity"]
)
def test_no_credentials_is_one_error_before_any_work(tree: Tree, command: str) -> None:
    tree.environment |= {"TWOFOLD_BUCKET": "artifacts", "TWOFOLD_REGION": "eu-central-1"}
    code, lines = tree.error(command)
    assert code == 4
    assert lines == [
        f"{SAID}No AWS credentials were found. Run 'aws configure' or 'aws sso login', or set "
        "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    ]


@pytest.mark.parametrize("command", ["provision", "template"])
def test_expired_credentials_are_not_taken_for_a_bucket_of_somebody_else(
    tree: Tree, command: str
) -> None:
    tree.environment |= {"AWS_ACCESS_KEY_ID": "old", "AWS_SECRET_ACCESS_KEY": "old"}
    with answering(403, refusing("ExpiredToken")) as endpoint:
        tree.environment |= {"AWS_ENDPOINT_URL": endpoint, "TWOFOLD_BUCKET": "artifacts"}
        code, lines = tree.error(command, "--region", "eu-central-1")
    assert code == 4
    assert lines[0].startswith(f"{SAID}The AWS credentials have expired (ExpiredToken).")


def test_no_region_is_one_error(account: Tree) -> None:
    del account.environment["AWS_DEFAULT_REGION"]
    code, lines = account.error("provision")
    assert code == 4
    assert lines[0].startswith(f"{SAID}No AWS region is set. Pass --region")


def test_a_missing_bucket_is_one_error_before_any_work(account: Tree) -> None:
    assert account.error("provision", "--bucket", "nobodys-bucket") == (
        4,
        [
            f"{SAID}Bucket 'nobodys-bucket' does not exist. "
            "Create it with: aws s3 mb s3://nobodys-bucket --region eu-central-1"
        ],
    )


def test_a_bucket_elsewhere_is_one_error_before_any_work(account: Tree) -> None:
    code, lines = account.error("provision", "--region", "us-west-2")
    assert code == 4
    assert lines[0].startswith(
        f"{SAID}Bucket 'artifacts' is in eu-central-1, but stack 'hello-dev' is in us-west-2;"
    )


@pytest.mark.parametrize("arguments", [["--version"], ["status"]])
def test_a_malformed_project_file_is_one_error(tree: Tree, arguments: list[str]) -> None:
    (tree.root / "pyproject.toml").write_text("[")
    code, lines = tree.error(*arguments)
    assert code == 2
    assert lines[0].startswith(f"{SAID}pyproject.toml is not valid TOML: ")


def test_a_project_file_that_cannot_be_read_is_one_error(tree: Tree) -> None:
    path = tree.root / "pyproject.toml"
    path.unlink()
    path.mkdir()
    assert tree.error("status") == (2, [f"{SAID}Cannot read {path}: Is a directory."])


def test_local_without_up_says_so(tree: Tree) -> None:
    code, lines = tree.error("status", "--local")
    assert code == 6
    assert lines == [
        f"{SAID}--local needs a running 'twofold up', and none runs in this project. "
        "Start it in another terminal."
    ]


def test_local_asks_both_sides_of_what_runs(account: Tree, endpoint: str, region: str) -> None:
    tree = named(account, "nearby")
    digest = tree.document("provision")["release"]["sha256"]
    for name in [name for name in tree.environment if name.startswith("AWS_")]:
        del tree.environment[name]
    del tree.environment["TWOFOLD_BUCKET"]
    health = json.dumps({"status": "ok", "digest": digest})
    with answering(200, health) as function, answering(500, "broken") as instance:
        record = {
            "pid": os.getpid(),
            "endpoint": endpoint,
            "functions_endpoint": endpoint,
            "function_url": function,
            "instance_url": instance,
            "bucket": "artifacts",
            "region": region,
            "folder": "/nowhere",
            "settings": {},
        }
        (tree.root / ".twofold" / "local.json").write_text(json.dumps(record))
        both = tree.run("invoke", "--local", "--http", "/x?y=1", "--json")
        one = tree.run("invoke", "--local", "--http", "/x", "--on", "lambda")
        status = tree.document("status", "--local")
    answers = json.loads(both.stdout)["answers"]
    assert both.returncode == 1
    assert [(a["side"], a["url"], a["status"], a["body"]) for a in answers] == [
        ("lambda", f"{function}/x?y=1", 200, health),
        ("instance", f"{instance}/x?y=1", 500, "broken"),
    ]
    assert one.returncode == 0
    assert [side["name"] for side in status["sides"]] == ["lambda", "instance"]
    assert status["drift"] == [
        "instance: its digest is unknown (/healthz answered 500 without one)."
    ]
    assert tree.document("delete", "--local", "--yes")["result"] == "deleted"


def test_advice_about_what_runs_here_never_leads_to_aws(
    account: Tree, endpoint: str, region: str
) -> None:
    tree = named(account, "advised")
    tree.document("provision")
    record = {
        "pid": os.getpid(),
        "endpoint": endpoint,
        "functions_endpoint": endpoint,
        "function_url": "http://127.0.0.1:1/",
        "instance_url": "http://127.0.0.1:1",
        "bucket": "artifacts",
        "region": region,
        "folder": "/nowhere",
        "settings": {},
    }
    (tree.root / ".twofold" / "local.json").write_text(json.dumps(record))
    tree.settings('name = "advised"\n[tool.twofold.stages.dev]\n[tool.twofold.stages.prod]')
    absent = (
        f"Stack 'advised-prod' does not exist in {region}. Pass the --stage that runs here, or "
        "end that with Ctrl-C and start: twofold up --stage prod"
    )
    prod = ("--local", "--stage", "prod")
    assert tree.error("parity", *prod) == (5, [SAID + absent])
    assert tree.error("invoke", *prod, "--http", "/") == (5, [SAID + absent])
    assert tree.run("status", *prod).stdout == absent + "\n"
    assert tree.error("invoke", "--local", "--queue", "report") == (
        2,
        [
            f"{SAID}Stack 'advised-dev' has no queue 'report'; its queues: none. Correct "
            "--queue, or add the queue to deploy/topology.py and run: "
            "twofold provision --stage dev --local"
        ],
    )


def test_a_topology_that_cannot_be_imported_is_one_error(tree: Tree) -> None:
    with (tree.root / "deploy" / "topology.py").open("a") as file:
        file.write("\nTOPOLOGY += nonsense\n")
    code, lines = tree.error("template", "--noop")
    assert code == 2
    assert re.fullmatch(
        SAID + r"deploy/topology\.py cannot be imported: NameError: "
        r"name 'nonsense' is not defined \(.*deploy/topology\.py, line \d+\)\.",
        lines[0],
    )


def test_ctrl_c_while_building_leaves_nothing_half_done(account: Tree) -> None:
    tree = named(account, "stopped")
    with tree.start("provision") as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Account ")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "twofold: interrupted"
    assert "Traceback" not in errors
    assert not tree.document("status")["exists"]


@pytest.mark.parametrize("command", ["template", "provision"])
def test_a_queue_that_nobody_takes_is_one_error_before_anything_is_made(
    account: Tree, command: str
) -> None:
    tree = named(account, "untaken")
    for name in ("__init__", "events", "event_handler", "event_kind", "batch"):
        copy = tree.root / f"service/runtime/{name}.py"
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes((ROOT / f"service/runtime/{name}.py").read_bytes())
    (tree.root / "service/errors.py").write_bytes((ROOT / "service/errors.py").read_bytes())
    add_to_topology(tree.root, 'work_queue("typos", runtime="lambda")')
    code, lines = tree.error(command)
    assert code == 3
    assert lines[-1].startswith(f"{SAID}No handler takes queue 'typos' of deploy/topology.py")
    assert not tree.document("status")["exists"]
