"""A service that would not start on AWS is refused here, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.artifact.cache import Cache
from deploy.artifact.compiler import Compiler, find_compiler
from deploy.artifact.member import Member, pack
from deploy.artifact.trial import WorkedQueue, refuse_broken
from deploy.errors import BuildError
from deploy.target import running_python

ROOT = Path(__file__).parent.parent.parent.parent
GOOD = {
    "service/__init__.py": "",
    "service/handler.py": "",
    "service/lambda_function.py": "",
    "service/http_server.py": "",
    "service/worker.py": "",
}
LIBRARY = [pack("library.py", b"def fail():\n    raise ValueError('too late')\n")]


@pytest.fixture
def compiler() -> Compiler:
    return find_compiler(running_python(), "")


def members(**changed: str) -> list[Member]:
    files = {**GOOD, **{f"service/{name}.py": text for name, text in changed.items()}}
    return [pack(path, text.encode()) for path, text in files.items()]


def attempt(folder: Path, compiler: Compiler, own: list[Member]) -> None:
    refuse_broken(LIBRARY, own, compiler, "hello", Cache(folder), seconds=30)


def refusal(folder: Path, compiler: Compiler, **changed: str) -> str:
    with pytest.raises(BuildError) as caught:
        attempt(folder, compiler, members(**changed))
    return str(caught.value)


def test_a_service_that_imports_passes(tmp_path: Path, compiler: Compiler) -> None:
    name = "import os\nprint('on standard output')\nassert os.environ['SERVICE_NAME'] == 'hello'\n"
    attempt(tmp_path, compiler, members(handler=name))


def test_a_thread_of_the_service_does_not_hold_the_build(
    tmp_path: Path, compiler: Compiler
) -> None:
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=[600]).start()\n"
    attempt(tmp_path, compiler, members(handler=thread))


def test_a_package_that_is_installed_but_does_not_ship_is_missing(
    tmp_path: Path, compiler: Compiler
) -> None:
    assert refusal(tmp_path, compiler, handler="\nimport pytest\n") == (
        "The service does not import. service/handler.py line 2: ModuleNotFoundError: No module "
        "named 'pytest'. If a package has it, add that to [project] dependencies in "
        "pyproject.toml and run `make lock`."
    )


def test_the_place_is_the_services_own_even_when_a_library_raises(
    tmp_path: Path, compiler: Compiler
) -> None:
    text = refusal(tmp_path, compiler, handler="import library\n\nlibrary.fail()\n")
    assert text == ("The service does not import. service/handler.py line 3: ValueError: too late")


def test_the_place_is_where_a_handler_is_declared_and_not_what_refuses_it(
    tmp_path: Path, compiler: Compiler
) -> None:
    with pytest.raises(BuildError) as caught:
        attempt(tmp_path, compiler, declaring('events.on("aws:sqs", timeout=0)(print)'))
    assert str(caught.value) == (
        "The service does not import. service/handler.py line 5: ValueError: @events.on('aws:sqs') "
        "'print': timeout is 0; expected seconds, more than 0."
    )


@pytest.mark.parametrize("module", ["handler", "lambda_function", "http_server", "worker"])
def test_every_entry_point_is_tried(tmp_path: Path, compiler: Compiler, module: str) -> None:
    text = refusal(tmp_path, compiler, **{module: "1 / 0"})
    assert f"service/{module}.py line 1: ZeroDivisionError" in text


def test_a_service_that_exits_at_import_is_refused(tmp_path: Path, compiler: Compiler) -> None:
    text = refusal(tmp_path, compiler, handler="import sys\nsys.exit(3)\n")
    assert text == "The service does not import. service/handler.py line 2: SystemExit: 3"


def test_an_interpreter_that_ends_is_reported_with_its_words(
    tmp_path: Path, compiler: Compiler
) -> None:
    text = refusal(tmp_path, compiler, handler="import os\nos.write(2, b'bye')\nos._exit(9)\n")
    assert text == "The interpreter ended with 9 while importing the service.\nbye"


def test_an_entry_point_that_is_missing_is_named(tmp_path: Path, compiler: Compiler) -> None:
    without = [member for member in members() if member.path != "service/http_server.py"]
    with pytest.raises(BuildError, match=r"import\. service\.http_server: ModuleNotFoundError"):
        attempt(tmp_path, compiler, without)


def test_a_damaged_folder_of_dependencies_refuses_nothing(
    tmp_path: Path, compiler: Compiler
) -> None:
    own = members(handler="import library\nlibrary.fail\n")
    attempt(tmp_path, compiler, own)
    (kept,) = tmp_path.glob("trees/*/library.py")
    kept.write_text("damaged(")
    attempt(tmp_path, compiler, own)


def test_the_dependencies_stay_unpacked(tmp_path: Path, compiler: Compiler) -> None:
    attempt(tmp_path, compiler, members())
    (kept,) = tmp_path.glob("trees/*/library.py")
    before = kept.stat()
    attempt(tmp_path, compiler, members(handler="import library"))
    assert kept.stat().st_ino == before.st_ino
    assert list((tmp_path / "scratch").iterdir()) == []


def declaring(handler: str) -> list[Member]:
    """A service with this event handler, and what it takes to declare one."""
    names = ("events", "event_handler", "event_kind", "batch")
    paths = [f"service/runtime/{name}.py" for name in names]
    runtime = [
        pack(path, (ROOT / path).read_bytes())
        for path in (*paths, "service/errors.py", "service/settings.py")
    ]
    begun = "from service.runtime.events import EventRouter\n\nevents = EventRouter()\n\n"
    return [*members(handler=begun + handler), *runtime]


def test_a_handler_longer_than_lambda_allows_is_refused_in_its_own_words(
    tmp_path: Path, compiler: Compiler
) -> None:
    handler = '@events.on("aws:sqs", queue="reports", timeout=3600)\ndef report(event): ...\n'
    with pytest.raises(BuildError) as caught:
        attempt(tmp_path, compiler, declaring(handler))
    assert (
        "ValueError: @events.on('aws:sqs', queue='reports') 'report': timeout is 3600 s, but "
        "Lambda ends a function after 900 s. Declare runtime='instance', or a timeout of at most "
        "900."
    ) in str(caught.value)


def test_handlers_longer_than_the_function_may_run_are_refused_together(
    tmp_path: Path, compiler: Compiler
) -> None:
    handlers = """
@events.each("aws:sqs", queue="orders", timeout=60)
async def order(record): ...

@events.on("aws:s3", runtime="lambda", timeout=30.5)
def picture(event): ...
"""
    with pytest.raises(BuildError) as caught:
        attempt(tmp_path, compiler, declaring(handlers))
    rest = (
        "but Lambda ends the function after timeout_seconds, 30 s. Raise timeout_seconds under "
        "[tool.twofold] in pyproject.toml, lower the timeout, or declare runtime='instance'."
    )
    assert str(caught.value).splitlines() == [
        f"@events.each('aws:sqs', queue='orders') 'order': timeout is 60 s, {rest}",
        f"@events.on('aws:s3') 'picture': timeout is 30.5 s, {rest}",
    ]


HANDLERS = """
@events.each("aws:sqs", queue="orders", runtime="lambda")
async def order(record): ...

@events.each("aws:sqs", queue="hello-dev-reports.fifo")
def report(record): ...
"""


def asked(folder: Path, compiler: Compiler, handlers: str, *queues: WorkedQueue) -> None:
    own, cache = declaring(handlers), Cache(folder)
    refuse_broken(LIBRARY, own, compiler, "hello", cache, seconds=30, queues=queues)


def test_a_queue_may_be_taken_by_either_of_its_names_or_by_all_of_sqs(
    tmp_path: Path, compiler: Compiler
) -> None:
    queues = (
        ("orders", "hello-dev-orders", "lambda"),
        ("reports", "hello-dev-reports.fifo", "instance"),
    )
    asked(tmp_path, compiler, HANDLERS, *queues)
    asked(tmp_path, compiler, '@events.on("aws:sqs")\ndef work(event): ...\n', *queues)


def test_queues_that_no_handler_takes_are_refused_together(
    tmp_path: Path, compiler: Compiler
) -> None:
    queues = (
        ("orders", "hello-dev-orders", "instance"),
        ("typos", "hello-dev-typos", "instance"),
        ("more-typos", "hello-dev-more-typos", "lambda"),
    )
    with pytest.raises(BuildError) as caught:
        asked(tmp_path, compiler, HANDLERS, *queues)
    orders, typos, more = str(caught.value).splitlines()
    assert orders.startswith(
        "No handler takes queue 'orders' of deploy/topology.py, which has runtime='instance'. "
    )
    assert "its handler 'order' runs on Lambda only" in orders
    assert typos.startswith(
        "No handler takes queue 'typos' of deploy/topology.py, which has runtime='instance'. "
    )
    assert "aws:sqs queue orders (on Lambda)" in typos
    assert typos.endswith(
        "Add a function under @events.on('aws:sqs', queue='typos') to service/handler.py. "
        "Or correct the name in one of the two files."
    )
    assert "queue 'more-typos' of deploy/topology.py, which has runtime='lambda'. " in more


def test_a_service_without_event_handlers_takes_no_queue(
    tmp_path: Path, compiler: Compiler
) -> None:
    without = "@events.invoke\ndef invoke(payload): ...\ndel events\n"
    with pytest.raises(BuildError, match="No handler takes queue 'orders'"):
        asked(tmp_path, compiler, without, ("orders", "hello-dev-orders", "lambda"))


def test_a_handler_may_take_as_long_as_the_function_and_longer_on_the_instance(
    tmp_path: Path, compiler: Compiler
) -> None:
    handlers = """
@events.each("aws:sqs", queue="orders", timeout=30)
async def order(record): ...

@events.on("aws:sqs", queue="reports", runtime="instance", timeout=3600)
def report(event): ...

@events.invoke
def invoke(payload): ...
"""
    attempt(tmp_path, compiler, declaring(handlers))
