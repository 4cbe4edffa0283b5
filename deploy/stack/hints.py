"""The commands that messages offer for a stack. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hints:
    """Commands that mean one stack, in its region of AWS or on this machine.

    Whoever copies one reaches no stack of the same name in another region.
    """

    stage: str
    region: str
    local: bool = False

    @property
    def flags(self) -> str:
        where = "--local" if self.local else f"--region {self.region}"
        return f"--stage {self.stage} {where}"

    @property
    def status(self) -> str:
        return f"twofold status {self.flags}"

    @property
    def delete(self) -> str:
        return f"twofold delete {self.flags}"

    def after_failed_rollback(self, stack: str) -> str:
        """What to do; on this machine there is nothing to save, and no AWS to ask for more."""
        if self.local:
            return f"Delete it with: {self.delete}"
        return (
            "Remove the cause, then run: aws cloudformation continue-update-rollback "
            f"--region {self.region} --stack-name {stack}"
        )
