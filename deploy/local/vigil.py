"""What `twofold up` does while it runs: shows log lines, follows the stack, tells who died."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.errors import TwofoldError
from deploy.local.cloud import Cloud
from deploy.local.log_lines import LogLines
from deploy.local.running_release import wanted
from deploy.local.workspace import Child

_LOOK_SECONDS = 0.2
_FOLLOW_SECONDS = 1.0


@dataclass
class Vigil:
    """Looks after a cloud until it is interrupted.

    Args:
        show: takes the name of a side and a line of its log.
        note: takes a sentence for the user.
    """

    cloud: Cloud
    show: Callable[[str, str], None]
    note: Callable[[str], None]
    _lines: LogLines = field(default_factory=LogLines)
    _dead: set[int] = field(default_factory=set)
    _digest: str = ""
    _problem: str = ""

    def keep(self) -> None:
        """Comes to no end by itself; KeyboardInterrupt ends it."""
        self._digest = self.cloud.wanted.release.sha256
        following = time.monotonic()
        while True:
            self.look()
            if time.monotonic() - following > _FOLLOW_SECONDS and not self._dead:
                self.follow()
                following = time.monotonic()
            time.sleep(_LOOK_SECONDS)

    def look(self) -> None:
        """New log lines are shown, and a process that has ended is named, once."""
        folder, instances = self.cloud.workspace.folder, self.cloud.instances
        for _, line in self._lines.new(folder.glob("function/*.log")):
            self.show("lambda", line)
        for log, line in self._lines.new(folder.glob(instances.logs)):
            self.show(instances.said_by(log), line)
        self._tell_dead("The embedded AWS", self.cloud.embedded.child)
        for name, child in self.cloud.instances.children.items():
            self._tell_dead(name, child)

    def follow(self) -> None:
        """A release that was provisioned meanwhile is what the next invocation meets."""
        try:
            want = wanted(self.cloud.aws, self.cloud.settings.stack)
        except TwofoldError as error:
            self._tell_problem(str(error))
            return
        self._problem = ""
        if want.release.sha256 != self._digest or want.function != self.cloud.function.described:
            self.cloud.function.follow(self.cloud.aws, want)
            self._digest = want.release.sha256
            self.note(f"The function now runs {self._digest}. {self.cloud.instances.follows}")

    def _tell_problem(self, text: str) -> None:
        if text != self._problem:
            self.note(f"The stack cannot be followed: {text}")
        self._problem = text

    def _tell_dead(self, name: str, child: Child) -> None:
        if child.exit_status is not None and child.pid not in self._dead:
            self._dead.add(child.pid)
            self.note(
                f"{name} ended with status {child.exit_status}; its side answers no more. "
                f"The end of its log:\n{child.end_of_log(10)}"
            )
