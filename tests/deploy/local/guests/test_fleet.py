"""A fleet of machines: launched, counted, terminated, replaced, and none left at its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from deploy.errors import LocalError
from deploy.local.guests.fleet import Fleet, FleetClosedError, Gone
from deploy.local.guests.policies import CreationPolicy
from deploy.local.guests.rolling import Done, Launch, Size, Step, Terminate, create
from tests.deploy.local.guests.machines import Factory, Machine, eventually


@dataclass
class Site:
    """A fleet, what launches its machines, and what it has told the user."""

    fleet: Fleet
    factory: Factory
    said: list[str] = field(default_factory=list)

    def follow(self, desired: int, version: str = "1") -> None:
        self.fleet.follow(Size(desired, 9), version)

    def states(self) -> list[str]:
        return [member.state for member in self.fleet.members()]


@pytest.fixture
def site() -> Iterator[Site]:
    factory, said = Factory(), list[str]()
    with Fleet(factory, said.append) as fleet:
        yield Site(fleet, factory, said)


def test_a_member_is_told_as_its_machine_is_described(site: Site) -> None:
    site.follow(1, "7")
    (member,) = site.fleet.members()
    machine = site.factory.made[0].described
    assert member.instance == machine.instance
    assert (member.state, member.launch_template_version) == ("InService", "7")
    assert (member.private_address, member.public_address) == (
        machine.private_address,
        machine.public_address,
    )
    assert (member.zone, member.type, member.image) == (machine.zone, machine.type, machine.image)


def test_a_fleet_grows_and_shrinks(site: Site) -> None:
    site.follow(3)
    assert len(site.factory.running) == 3
    site.follow(1)
    eventually(lambda: len(site.fleet.members()) == 1)
    assert [machine.ends for machine in site.factory.made] == [["stop"], ["stop"], []]


def test_a_machine_that_shuts_down_is_still_a_member(site: Site) -> None:
    site.follow(1)
    site.factory.made[0].may_stop.clear()
    site.follow(0)
    assert site.states() == ["Terminating"]
    assert site.fleet.standings() == ()
    site.factory.made[0].may_stop.set()
    eventually(lambda: not site.fleet.members())


def test_the_disk_of_a_terminated_machine_goes_once_it_has_shut_down(site: Site) -> None:
    site.follow(2)
    leaving, staying = site.factory.made
    leaving.may_stop.clear()
    site.follow(1)
    eventually(lambda: leaving.ends)
    assert not leaving.discarded
    leaving.may_stop.set()
    eventually(lambda: len(site.fleet.members()) == 1)
    assert (leaving.discarded, staying.discarded) == (True, False)


def test_a_machine_that_ended_is_replaced_and_told(site: Site) -> None:
    site.follow(2)
    lost = site.factory.made[0]
    lost.is_running = False
    site.follow(2)
    site.follow(2)
    eventually(lambda: len(site.fleet.members()) == 2)
    assert lost.instance not in [member.instance for member in site.fleet.members()]
    assert len(site.factory.running) == 2
    assert site.said == [f"Instance {lost.instance} has ended by itself; the group replaces it."]


def test_a_machine_that_does_not_shut_down_cleanly_is_told(site: Site) -> None:
    def refuse(self: Machine) -> None:
        raise LocalError("It hangs.")

    site.follow(1)
    machine = site.factory.made[0]
    machine.stop = partial(refuse, machine)  # type: ignore[method-assign]
    site.follow(0)
    eventually(lambda: not site.fleet.members())
    assert site.said == [f"Instance {machine.instance} did not shut down cleanly: It hangs."]
    assert not machine.discarded


def test_a_machine_that_does_not_start_is_no_member(site: Site) -> None:
    def boot(version: str) -> Machine:
        machine = site.factory(version)

        def start() -> None:
            raise LocalError("No network.")

        machine.start = start  # type: ignore[method-assign]
        return machine

    with Fleet(boot, site.said.append) as fleet:
        with pytest.raises(LocalError, match=r"No network\."):
            fleet.follow(Size(1, 1), "1")
        assert fleet.members() == ()


def test_settling_does_each_step_and_waits_for_what_leaves(site: Site) -> None:
    site.follow(1)
    old = site.factory.made[0]
    steps: list[Step] = [Launch(1), Terminate((old.instance,), 0)]

    def decide(_members: object, _now: float) -> Step:
        return steps.pop(0) if steps else Done()

    old.may_stop.clear()
    done = site.fleet.settle(decide, "2")
    assert next(done) == Launch(1)
    assert next(done) == Terminate((old.instance,), 0)
    threading.Timer(0.2, old.may_stop.set).start()
    assert list(done) == [Gone((old.instance,)), Done()]
    assert [member.launch_template_version for member in site.fleet.members()] == ["2"]


def test_settling_ends_with_the_signal(site: Site) -> None:
    def signal(machine: Machine) -> None:
        site.fleet.signalled(machine.instance, "SUCCESS")

    site.factory.boots = signal
    decide = partial(create, CreationPolicy(count=2, timeout=600.0), Size(2, 2))
    assert list(site.fleet.settle(decide, "1")) == [Launch(2), Done()]


def test_a_signal_is_awaited_once(site: Site) -> None:
    site.follow(1)
    instance = site.factory.made[0].instance
    assert site.fleet.awaits(instance)
    assert not site.fleet.awaits("i-nobody")
    site.fleet.signalled(instance, "FAILURE")
    assert not site.fleet.awaits(instance)
    assert [one.signal for one in site.fleet.standings()] == ["FAILURE"]


def test_an_equal_version_may_get_another_number(site: Site) -> None:
    site.follow(1, "1")
    site.follow(2, "2")
    site.fleet.renumber("1", "3")
    assert [one.version for one in site.fleet.standings()] == ["3", "2"]


def test_who_waits_is_told_when_the_fleet_is_taken_down(site: Site) -> None:
    waiting = site.fleet.settle(
        partial(create, CreationPolicy(count=1, timeout=600.0), Size(1, 1)), "1"
    )
    assert next(waiting) == Launch(1)
    threading.Timer(0.2, site.fleet.close).start()
    with pytest.raises(FleetClosedError):
        next(waiting)
    with pytest.raises(FleetClosedError):
        site.fleet.pause(600.0)
    with pytest.raises(FleetClosedError):
        site.follow(2)


def test_no_machine_outlives_the_fleet() -> None:
    factory = Factory()
    with Fleet(factory, list[str]().append) as fleet:
        fleet.follow(Size(2, 2), "1")
        factory.made[0].may_stop.clear()
        fleet.follow(Size(1, 2), "1")
        threading.Timer(0.2, factory.made[0].may_stop.set).start()
    assert factory.running == []
    assert [machine.ends for machine in factory.made] == [["stop"], ["kill"]]
