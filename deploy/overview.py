"""What `twofold --help` shows: the commands and the exit codes.

Imports nothing, so that the overview is there as quickly as Python itself.
"""

from __future__ import annotations

COMMANDS = {
    "demo": "Play the whole stack on this machine once, ask both sides, and end.",
    "up": "Play the whole stack on this machine until Ctrl-C.",
    "guest": "Boot and look into a Debian guest that plays an instance.",
    "build": "Build the artifact that Lambda and every instance run.",
    "template": "Print the CloudFormation template.",
    "provision": "Create or update the stack.",
    "status": "Show the stack and the digest that each side really runs.",
    "invoke": "Ask the service: a direct invocation, or HTTP on either side.",
    "parity": "Ask both sides the same requests and show where the answers differ.",
    "delete": "Delete the stack.",
}
"""What each command does, in the order of the overview; a test holds the modules to it."""

EXIT_CODES = {
    0: "done, also when there was nothing to change",
    1: "the service answered with an error (invoke), or its sides differ (parity)",
    2: "a flag, a setting or a file of yours needs a change",
    3: "the artifact cannot be built",
    4: "AWS refused, or cannot be reached",
    5: "CloudFormation did not get there",
    6: "something on this machine is in the way",
    130: "interrupted with Ctrl-C",
}


def overview() -> str:
    """What `twofold --help` prints."""
    commands = "\n".join(f"  {name:<10} {text}" for name, text in COMMANDS.items())
    codes = "\n".join(f"  {code:<10} {text}" for code, text in EXIT_CODES.items())
    return f"""\
Usage: twofold [OPTIONS] COMMAND [ARGS]...

  One Python service on AWS Lambda and on EC2, from one artifact.

Commands:
{commands}

Options:
  --version  Show the version and the project's folder.
  -h, --help Show this, or after a COMMAND what that command takes.

Exit codes:
{codes}
"""
