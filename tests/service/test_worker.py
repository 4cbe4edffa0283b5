"""service.worker on the queues of an embedded AWS, in processes of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.service import events as made
from tests.service.conftest import ROOT, environment, until
from tests.service.line import line_to
from tests.service.queues import MODULE, REGION, Queue, Queues, Workers, journal, told

Start = Callable[[str], Workers]

LIFE = """
@asynccontextmanager
async def life(app):
    write("started")
    yield
    write("shut down")

app = Starlette(lifespan=life)
"""

WRITES = """
@events.each("aws:sqs")
async def orders(record):
    write(record["body"])
"""


def test_messages_are_handled_once_and_deleted(workers: Start, queues: Queues) -> None:
    queue, running = queues.make(), workers(MODULE + WRITES)
    running.start({"orders": queue})
    queue.send(*(str(n) for n in range(25)))
    until(lambda: queue.left == 0)
    assert sorted(journal(running.folder / "journal"), key=int) == [str(n) for n in range(25)]


def test_a_record_is_as_lambda_delivers_it(workers: Start, queues: Queues) -> None:
    queue = queues.make()
    running = workers(MODULE + '@events.on("aws:sqs")\ndef orders(event): write(event)\n')
    attributes = {
        "colour": {"DataType": "String", "StringValue": "red"},
        "photo": {"DataType": "Binary", "BinaryValue": b"\xff\x00"},
    }
    (message_id,) = queue.send("hello", MessageAttributes=attributes)
    running.start({"orders": queue})
    until(lambda: queue.left == 0)
    (event,) = journal(running.folder / "journal")
    (record,) = event["Records"]
    assert set(record) >= set(made.sqs("a")["Records"][0])
    assert record["attributes"].keys() >= {
        "ApproximateReceiveCount",
        "SentTimestamp",
        "SenderId",
        "ApproximateFirstReceiveTimestamp",
    }
    del record["receiptHandle"], record["attributes"], record["md5OfMessageAttributes"]
    empty: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    assert record == {
        "messageId": message_id,
        "body": "hello",
        "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
        "messageAttributes": {
            "colour": {**empty, "stringValue": "red", "dataType": "String"},
            "photo": {**empty, "binaryValue": "/wA=", "dataType": "Binary"},
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": REGION,
    }


def test_a_poison_message_dies_and_blocks_nobody(workers: Start, queues: Queues) -> None:
    dead = queues.make()
    queue = queues.make(visibility=1, dead=(dead, 2))
    running = workers(
        MODULE
        + """
@events.each("aws:sqs")
def orders(record):
    write(record["body"])
    if record["body"] == "poison":
        sys.exit("poisoned")
"""
    )
    worker = running.start({"orders": queue}, SERVICE_WORKER_CONCURRENCY="1")
    queue.send("poison", *"abc")
    until(lambda: dead.left == 1)
    until(lambda: queue.left == 0)
    assert sorted(journal(running.folder / "journal")) == ["a", "b", "c", "poison", "poison"]
    assert worker.process.poll() is None
    exceptions = "".join(line["exception"] for line in worker.lines if "exception" in line)
    assert exceptions.count("tried to end the process: SystemExit('poisoned')") == 2


def test_a_handler_may_change_the_event_that_it_gets(workers: Start, queues: Queues) -> None:
    queue = queues.make()
    handler = '@events.on("aws:sqs")\ndef orders(event): event.pop("Records").clear()\n'
    running = workers(MODULE + handler)
    running.start({"orders": queue})
    queue.send("a", "b")
    until(lambda: queue.left == 0)


def test_a_failure_is_logged_with_the_message_id(workers: Start, queues: Queues) -> None:
    queue = queues.make()
    running = workers(
        MODULE + '@events.on("aws:sqs")\ndef orders(event): raise ValueError("no stock")\n'
    )
    worker = running.start({"orders": queue})
    (message_id,) = queue.send("a")
    worker.await_line("no stock")
    (line,) = [line for line in worker.lines if "exception" in line]
    assert line["request_id"] == message_id
    assert (line["message"], line["mode"]) == (f"aws:sqs queue {queue.name} failed", "instance")


def test_a_message_stays_invisible_while_its_handler_blocks_the_event_loop(
    workers: Start, queues: Queues
) -> None:
    queue = queues.make(visibility=1)
    running = workers(
        MODULE
        + """
@events.each("aws:sqs")
async def orders(record):
    write("begun")
    time.sleep(3)
    write("done")
"""
    )
    running.start({"orders": queue})
    queue.send("a")
    seen = []
    until(lambda: seen.append(queue.visible) or queue.left == 0)  # type: ignore[func-returns-value]
    assert journal(running.folder / "journal") == ["begun", "done"]
    assert sum(seen[-20:]) == 0


def test_a_message_that_comes_while_a_handler_blocks_the_event_loop_stays_invisible(
    workers: Start, queues: Queues
) -> None:
    queue = queues.make(visibility=1)
    running = workers(
        MODULE
        + """
@events.each("aws:sqs")
async def orders(record):
    await asyncio.sleep(0.5)  # until the next messages are asked for
    write(record["body"])
    time.sleep(3)
"""
    )
    running.start({"orders": queue})
    queue.send("a")
    until(lambda: journal(running.folder / "journal") == ["a"])
    queue.send("b")
    until(lambda: queue.visible == 0)
    seen: list[int] = []
    until(lambda: seen.append(queue.visible) or queue.left == 0)  # type: ignore[func-returns-value]
    assert sum(seen) == 0


def test_a_queue_whose_visibility_timeout_is_cut_keeps_its_messages_from_others(
    workers: Start, queues: Queues
) -> None:
    queue, running = queues.make(visibility=30), workers(MODULE + SLOW)
    running.start({"orders": queue})
    queue.client.set_queue_attributes(QueueUrl=queue.url, Attributes={"VisibilityTimeout": "1"})
    for seconds in ("0", "2.5"):  # the first is received by the request that is under way
        queue.send(seconds)
        until(lambda: queue.left == 0)
    assert journal(running.folder / "journal") == ["begun", "done"] * 2


def test_sync_handlers_run_side_by_side_up_to_the_limit(workers: Start, queues: Queues) -> None:
    queue = queues.make()
    running = workers(
        MODULE
        + """
working, most = 0, 0
lock = threading.Lock()

@events.each("aws:sqs")
def orders(record):
    global working, most
    with lock:
        working += 1
        most = max(most, working)
        write(most)
    time.sleep(0.3)
    with lock:
        working -= 1
"""
    )
    queue.send(*map(str, range(12)))
    running.start({"orders": queue}, SERVICE_WORKER_CONCURRENCY="3")
    until(lambda: queue.left == 0)
    assert max(journal(running.folder / "journal")) == 3


@pytest.mark.parametrize("decorator", ["each", "on"])
def test_a_message_whose_work_is_done_elsewhere_waits_until_that_has_ended(
    workers: Start, queues: Queues, decorator: str
) -> None:
    queue = queues.make(visibility=1)
    running = workers(
        MODULE
        + f"""
from service.errors import InProgressError

@events.{decorator}("aws:sqs")
async def orders(_):
    write(time.time())
    if len(path.read_text().splitlines()) == 1:
        raise InProgressError("elsewhere", 4)
"""
    )
    running.start({"orders": queue})
    queue.send("a")
    until(lambda: queue.left == 0)
    first, second = journal(running.folder / "journal")
    assert second - first > 3.5


def test_a_message_group_keeps_its_order_after_a_failure(workers: Start, queues: Queues) -> None:
    queue = queues.make(visibility=1, fifo=True)
    running = workers(
        MODULE
        + """
failed = []

@events.each("aws:sqs")
async def orders(record):
    if record["body"] == "a2" and not failed:
        failed.append(True)
        raise ValueError("later")
    write(record["body"])
"""
    )
    queue.send("a1", "a2", "a3", "a4", group="a")
    queue.send("b1", "b2", "b3", group="b")
    running.start({"orders": queue}, SERVICE_WORKER_CONCURRENCY="10")
    until(lambda: queue.left == 0)
    written = journal(running.folder / "journal")
    assert [body for body in written if body[0] == "a"] == ["a1", "a2", "a3", "a4"]
    assert [body for body in written if body[0] == "b"] == ["b1", "b2", "b3"]


def test_every_queue_gets_its_turn_whatever_the_others_do(workers: Start, queues: Queues) -> None:
    made_queues = {name: queues.make() for name in ("a", "b", "c")}
    running = workers(MODULE + WRITES)
    running.start(made_queues, SERVICE_WORKER_CONCURRENCY="1")
    started = time.monotonic()
    for name, queue in made_queues.items():
        queue.send(name)
    until(lambda: len(journal(running.folder / "journal")) == 3)
    assert time.monotonic() - started < 10


SLOW = """
@events.each("aws:sqs")
async def orders(record):
    write("begun")
    try:
        await asyncio.sleep(float(record["body"]))
        write("done")
    except asyncio.CancelledError:
        write("cut off")
        raise
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_handler_in_flight_may_end(workers: Start, queues: Queues, number: int) -> None:
    queue, running = queues.make(), workers(MODULE + SLOW)
    worker = running.start({"orders": queue})
    queue.send("1")
    until(lambda: journal(running.folder / "journal") == ["begun"])
    code, printed = worker.stop(number)
    assert code == 0, printed
    assert journal(running.folder / "journal") == ["begun", "done"]
    assert queue.left == 0


def test_after_the_grace_time_a_message_is_given_back_at_once(
    workers: Start, queues: Queues
) -> None:
    queue, running = queues.make(), workers(MODULE + SLOW)
    worker = running.start({"orders": queue}, SERVICE_WORKER_GRACE_SECONDS="0.2")
    queue.send("600")
    until(lambda: journal(running.folder / "journal") == ["begun"])
    code, printed = worker.stop()
    assert (code, "1 handlers were cut off" in printed) == (0, True), printed
    assert journal(running.folder / "journal") == ["begun", "cut off"]
    assert queue.visible == 1


def test_a_worker_that_ends_by_an_error_does_not_wait_for_threads_either(
    workers: Start, queues: Queues
) -> None:
    orders, hasty = queues.make(), queues.make(visibility=0)
    name = hasty.url.rpartition("/")[2]
    queues.client.delete_queue(QueueUrl=hasty.url)
    running = workers(
        MODULE
        + """
@events.each("aws:sqs")
async def orders(record):
    write("begun")
    await asyncio.to_thread(time.sleep, 600)
"""
    )
    worker = running.start(
        {"orders": orders, "hasty": hasty}, wait=False, SERVICE_WORKER_GRACE_SECONDS="0.2"
    )
    orders.send("a")
    until(lambda: journal(running.folder / "journal") == ["begun"])
    queues.client.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "0"})
    code, printed = worker.ended()
    assert code == 1
    assert "The queue hasty has a visibility timeout of 0 s" in printed
    assert "Stopped; 1 handlers were cut off" in printed


def test_a_worker_whose_application_exits_at_its_start_up_ends_and_takes_nothing(
    workers: Start, queues: Queues
) -> None:
    queue = queues.make()
    running = workers(
        MODULE
        + WRITES
        + """
async def app(scope, receive, send):
    raise SystemExit("no database")
"""
    )
    queue.send("a")
    code, printed = running.start({"orders": queue}, wait=False).ended()
    assert code == 1
    assert "no database" in printed
    assert journal(running.folder / "journal") == []
    assert queue.left == 1


@pytest.mark.parametrize("timeout", [None, 0.2])
def test_a_worker_ends_without_the_threads_of_handlers_that_were_cut_off(
    workers: Start, queues: Queues, timeout: float | None
) -> None:
    queue = queues.make()
    running = workers(
        MODULE
        + LIFE
        + f"""
@events.each("aws:sqs", timeout={timeout})
async def orders(record):
    write("begun")
    try:
        await asyncio.to_thread(time.sleep, 600)
    finally:
        write("cut off")
        print("printed", end="")
"""
    )
    worker = running.start({"orders": queue}, SERVICE_WORKER_GRACE_SECONDS="0.2")
    queue.send("a")
    until(lambda: len(journal(running.folder / "journal")) == (2 if timeout is None else 3))
    code, printed = worker.stop()
    assert code == 0, printed
    assert journal(running.folder / "journal") == ["started", "begun", "cut off", "shut down"]
    assert "handlers were cut off" in printed
    assert "printed" in printed
    assert queue.left == 1


def test_a_sync_handler_that_takes_too_long_ends_the_worker_which_gives_its_message_back(
    workers: Start, queues: Queues
) -> None:
    queue = queues.make()
    running = workers(
        MODULE
        + """
@events.each("aws:sqs", timeout=0.3)
def orders(record):
    time.sleep(600)
"""
    )
    worker = running.start({"orders": queue})
    queue.send("a")
    code, printed = worker.ended()
    assert code == 1
    assert "A handler's thread goes on after its timeout: this worker is replaced" in printed
    assert "took longer than its timeout of 0.3 s" in printed
    assert queue.left == 1


def test_a_killed_worker_loses_nothing(workers: Start, queues: Queues) -> None:
    queue, running = queues.make(visibility=1), workers(MODULE + SLOW)
    worker = running.start({"orders": queue})
    queue.send("0.5")
    until(lambda: journal(running.folder / "journal") == ["begun"])
    worker.stop(signal.SIGKILL)
    running.start({"orders": queue})
    until(lambda: queue.left == 0)
    assert journal(running.folder / "journal") == ["begun", "begun", "done"]


def test_sqs_that_is_away_is_asked_again(workers: Start, queues: Queues) -> None:
    queue, running = queues.make(), workers(MODULE + WRITES)
    worker = running.start({"orders": queue}, wait=False, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    worker.await_line("trying again in 1 s")
    code, printed = worker.stop()
    assert code == 0, printed
    assert "Asking for the attributes of orders failed: " in printed


def test_sqs_that_goes_away_in_mid_run_costs_no_message_and_no_work_twice(
    workers: Start, queues: Queues
) -> None:
    queue, running = queues.make(visibility=60), workers(MODULE + SLOW)
    with line_to(queues.endpoint) as line:
        worker = running.start(  # at most one, or a receive that is cut off takes the second
            {"orders": queue}, AWS_ENDPOINT_URL=line.url, SERVICE_WORKER_CONCURRENCY="1"
        )
        queue.send("1")
        until(lambda: journal(running.folder / "journal") == ["begun"])
        line.cut()
        worker.await_line("Receiving from orders failed: ")
        worker.await_line("Deleting from orders failed: ")
        queue.send("0")
        line.mend()
        until(lambda: queue.left == 0)
    assert journal(running.folder / "journal") == ["begun", "done"] * 2
    assert worker.process.poll() is None


def test_a_queue_that_is_gone_is_an_error_and_no_lost_connection(
    workers: Start, queues: Queues
) -> None:
    queue, running = queues.make(), workers(MODULE + WRITES)
    worker = running.start({"orders": queue})
    queue.client.delete_queue(QueueUrl=queue.url)
    worker.await_line("Receiving from orders was refused: ")
    lines = [line for line in worker.lines if "was refused" in line["message"]]
    assert {line["level"] for line in lines} == {"ERROR"}
    assert "(sqs:ReceiveMessage), or see that the queue is still there" in lines[0]["message"]
    code, printed = worker.stop()
    assert code == 0, printed


def test_a_worker_ends_while_sqs_is_away(workers: Start, queues: Queues) -> None:
    queue, running = queues.make(), workers(MODULE + SLOW + LIFE)
    with line_to(queues.endpoint) as line:
        worker = running.start({"orders": queue}, AWS_ENDPOINT_URL=line.url)
        queue.send("0")
        until(lambda: queue.left == 0)
        queue.send("1")
        until(lambda: len(journal(running.folder / "journal")) == 4)
        line.cut()
        code, printed = worker.stop()
    assert code == 0, printed
    assert journal(running.folder / "journal")[-3:] == ["begun", "done", "shut down"]
    assert queue.left == 1  # it was done, but could not be deleted


def test_the_application_lives_as_long_as_the_worker(workers: Start, queues: Queues) -> None:
    running = workers(MODULE + WRITES + LIFE)
    worker = running.start({"orders": queues.make()})
    worker.stop()
    assert journal(running.folder / "journal") == ["started", "shut down"]


def test_without_a_queue_there_is_nothing_to_do() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "service", "worker"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "SERVICE_WORKER_QUEUES names no queue: there is nothing to work on" in done.stdout


def test_a_queue_that_nobody_takes_is_refused_before_a_message_is_received(
    workers: Start, queues: Queues
) -> None:
    queue = queues.make()
    running = workers(
        MODULE + '@events.on("aws:sqs", queue="orders", runtime="lambda")\ndef f(_): ...\n'
    )
    code, printed = running.start({"orders": queue}, wait=False).ended()
    assert code == 1
    assert "service: error: The event aws:sqs queue orders came on an instance, but" in printed


def test_a_queue_that_hides_no_message_is_refused(workers: Start, queues: Queues) -> None:
    queue, running = queues.make(visibility=0), workers(MODULE + WRITES)
    code, printed = running.start({"orders": queue}, wait=False).ended()
    assert code == 1
    assert "service: error: The queue orders has a visibility timeout of 0 s, so others " in printed


def test_an_artifact_without_boto3_says_how_to_add_it(workers: Start, queues: Queues) -> None:
    running = workers(MODULE + WRITES)
    environ = environment() | told(queues.endpoint, {"orders": Queue(None, "http://x/1/orders")})
    hidden = "import sys, runpy; sys.modules['boto3'] = None; sys.argv = ['service', 'worker']"
    done = subprocess.run(
        [sys.executable, "-c", f"{hidden}\nrunpy.run_module('service', run_name='__main__')"],
        cwd=running.folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "service: error: The worker needs boto3, which the artifact does not hold. "
        'Add "boto3" to [project] dependencies in pyproject.toml, run make lock and '
        "release again.\n"
    )
