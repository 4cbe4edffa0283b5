"""What an event handler raised, such that Lambda's runtime client can tell of it.

awslambdaric prints an exception's text, and posts it in a header with its frames. What it
cannot print or send ends the process, and the next event waits for a new one.
"""

from types import TracebackType

from service.errors import EventHandlerError

# As JSON both together stay under 64 KiB, which HTTP servers commonly take for a header.
_LONGEST = 4_000  # characters
_DEEPEST = 100  # frames
_TEXTLESS = "<its str() raises>"


def tellable(error: Exception) -> Exception:
    """The exception itself, or an EventHandlerError that says how it begins."""
    text, depth = _text(error), _depth(error.__traceback__)
    shown = _shown(text)
    if shown == text and depth <= _DEEPEST and text != _TEXTLESS:
        return error
    return EventHandlerError(
        f"The event handler raised {type(error).__name__}: {shown} "
        f"({len(text):,} characters, {depth} frames). The log has all of it."
    )


def _text(error: Exception) -> str:
    try:
        return str(error)
    except Exception:
        return _TEXTLESS


def _shown(text: str) -> str:
    encodable = text.encode("utf-8", "backslashreplace").decode()
    return encodable if len(encodable) <= _LONGEST else f"{encodable[:_LONGEST]}..."


def _depth(trace: TracebackType | None) -> int:
    depth = 0
    while trace is not None:
        depth, trace = depth + 1, trace.tb_next
    return depth
