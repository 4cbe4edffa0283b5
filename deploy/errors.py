"""What can go wrong, sorted by what the reader must do about it.

The command line prints the message of a TwofoldError and exits with its code; any
other exception is a bug and shows its traceback.
"""


class TwofoldError(Exception):
    """Something the reader can act on; the message says what, with which value, what next."""

    exit_code = 1


class SettingsError(TwofoldError):
    """A setting, a flag or a file of the reader's needs a change."""

    exit_code = 2


class BuildError(TwofoldError):
    """The artifact cannot be built from what is there."""

    exit_code = 3


class AwsError(TwofoldError):
    """AWS refused, or cannot be reached: credentials, permissions, bucket, region."""

    exit_code = 4


class StackError(TwofoldError):
    """CloudFormation did not bring the stack to where it was asked to be."""

    exit_code = 5


class LocalError(TwofoldError):
    """Something on this machine is in the way: a port, a process, an interpreter."""

    exit_code = 6
