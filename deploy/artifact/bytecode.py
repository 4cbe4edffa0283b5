"""A script: sources on standard input, their bytecode on standard output.

The target's own interpreter runs it (`compiler` does), so it imports nothing of Twofold.
Both streams are one marshalled list. In: (path as the traceback shall show it, source).
Out, for each: the bytes of its .pyc, or (line, message) where it does not compile.
"""

import importlib.util
import marshal
import sys
import warnings
from types import CodeType

UNCHECKED_HASH = (0b01).to_bytes(4, "little")
"""PEP 552: the import system takes the .pyc without looking at the source."""


def pyc(path: str, source: bytes) -> bytes:
    """The same bytes wherever, whenever and after whatever else it is compiled."""
    code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    header = importlib.util.MAGIC_NUMBER + UNCHECKED_HASH + importlib.util.source_hash(source)
    held = _held(code)
    compiled = header + marshal.dumps(code)
    del held
    return compiled


def _held(constant: object) -> list[object]:
    """References to everything inside, so that nothing has a single one.

    marshal marks what has more than one reference, and before Python 3.13 an identifier
    has more when this process happens to know the word from elsewhere: the bytes would
    depend on what else was imported or compiled before.
    """
    if isinstance(constant, CodeType):
        names = (constant.co_name, constant.co_qualname, constant.co_filename, constant.co_names)
        variables = (constant.co_varnames, constant.co_freevars, constant.co_cellvars)
        return [constant, *map(_held, (*names, *variables, constant.co_consts))]
    if isinstance(constant, tuple | frozenset):
        return [constant, *map(_held, constant)]
    return [constant]


def compiled_or_reason(path: str, source: bytes) -> bytes | tuple[int, str]:
    """Its .pyc, or the line and the message of what is wrong with it."""
    try:
        return pyc(path, source)
    except SyntaxError as error:
        return error.lineno or 1, error.msg
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return 1, f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # a dependency's invalid escape is not this build's news
    sources = marshal.load(sys.stdin.buffer)  # noqa: S302 - compiler.py wrote it
    marshal.dump([compiled_or_reason(*source) for source in sources], sys.stdout.buffer, 2)
