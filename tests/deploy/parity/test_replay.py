"""Requests to both sides, over real HTTP on loopback."""

from __future__ import annotations

from deploy.parity.difference import Ignored
from deploy.parity.replay import Replay
from deploy.parity.request import Request
from tests.deploy.wire import answering

REQUESTS = (Request("POST", "/1", (), b"x"), Request("HEAD", "/2"))


def test_every_instance_is_compared_with_lambda() -> None:
    with answering(200, "a") as lambda_, answering(200, "a") as same, answering(201, "a") as other:
        sides = {"lambda": lambda_, "instance i-1": same, "instance i-2": other}
        replay = Replay(sides, REQUESTS, Ignored(), print)
        replay.run()
    asked = [
        (one.exchange.request.target, one.exchange.on_instance.side, one.verdict)
        for one in replay.compared
    ]
    assert asked == [
        ("/1", "instance i-1", "equal"),
        ("/1", "instance i-2", "unknown"),
        ("/2", "instance i-1", "equal"),
        ("/2", "instance i-2", "unknown"),
    ]
    assert replay.asked == 2


def test_a_side_that_is_gone_is_a_difference_of_each_request() -> None:
    with answering(200) as gone:
        pass
    with answering(200) as lambda_:
        replay = Replay({"lambda": lambda_, "instance": gone}, REQUESTS, Ignored(), print)
        replay.run()
    found = [finding.difference for one in replay.compared for finding in one.findings]
    assert [(one.what, one.on_lambda) for one in found] == [("answer", "200")] * 2
    assert all("Connection refused" in one.on_instance for one in found)


def test_of_the_answers_only_what_is_told_is_kept() -> None:
    with answering(201, "a") as lambda_, answering(201, "b") as instance:
        replay = Replay({"lambda": lambda_, "instance": instance}, REQUESTS, Ignored(), print)
        replay.run()
    answers = [
        answer
        for one in replay.compared
        for answer in (one.exchange.on_lambda, one.exchange.on_instance)
    ]
    assert [(one.status, one.headers, one.body) for one in answers] == [(201, (), b"")] * 4
    assert [finding.difference.what for finding in replay.compared[0].findings] == ["body"]
