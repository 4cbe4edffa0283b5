"""The headers of a request, from what its gateway makes of them."""

import re
from collections.abc import Iterable
from itertools import chain

from mangum.types import LambdaEvent

_token = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch  # RFC 9110, section 5.6.2
# RFC 9110, section 5.5; no line feed, as one ends each value here.
_CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\n"})


class Names:
    """Names in lower case, in their order, and where the values of some of them stand.

    A name that is not there has the place of the last value, which is empty.
    """

    __slots__ = ("forwarded_for", "forwarded_port", "forwarded_proto", "host", "keys")

    def __init__(self, names: Iterable[str]) -> None:
        self.keys = [_key(name) for name in names]
        places = {key: place for place, key in enumerate(self.keys)}
        self.host = places.get(b"host", -1)
        self.forwarded_for = places.get(b"x-forwarded-for", -1)
        self.forwarded_port = places.get(b"x-forwarded-port", -1)
        self.forwarded_proto = places.get(b"x-forwarded-proto", -1)


Headers = tuple[Names, list[bytes]]
# Clients of one kind send the same names, in the same order. What is kept stays small, whatever
# is sent: so many sets of names, of so many characters.
_kept: dict[tuple[str, ...], Names] = {}
_MOST_KEPT = 256
_LONGEST_KEPT = 1024


def of(event: LambdaEvent) -> Headers:
    """Those of payload 1.0 or of a load balancer: all values of a name, where it has them."""
    several = event.get("multiValueHeaders")
    if several is None:
        single = event.get("headers") or {}
        return encoded(single, single.values())
    each = list.__iter__  # and of nothing else, say text
    names = [name for name, values in several.items() for _ in each(values)]
    return encoded(names, chain.from_iterable(several.values()))


def encoded(names: Iterable[str], values: Iterable[str]) -> Headers:
    """Names with their values in ISO-8859-1, as ASGI has them, and an empty value.

    All at once, as one by one takes twice as long. What no gateway sends is a ValueError,
    TypeError or AttributeError.
    """
    names = tuple(names)
    text = "\n".join([*values, ""])
    try:
        content = text.encode("latin-1")
    except UnicodeEncodeError:
        content = b"\n".join(map(_value, text.split("\n")))
    apart = content.split(b"\n")
    if len(apart) != len(names) + 1 or content.translate(None, _CONTROLS) != content:
        raise ValueError("a header has a control character")
    return _kept.get(names) or _read(names), apart


def _read(names: tuple[str, ...]) -> Names:
    read = Names(names)
    if sum(map(len, names)) <= _LONGEST_KEPT:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[names] = read
    return read


def _value(text: str) -> bytes:
    """A value with a character beyond ISO-8859-1 was UTF-8 when its gateway decoded it."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _key(name: str) -> bytes:
    if not _token(name):
        raise ValueError(f"{name!r:.50} is no name of a header")
    return name.lower().encode("ascii")
