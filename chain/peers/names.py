"""What a host may be called."""

import re

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_MAX = 253  # characters (RFC 1035)
# what some resolvers read as an IPv4 address, as 0x7f.1 or 2130706433
_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")


def is_host_name(text: str) -> bool:
    """Tell whether ``text`` is a host's name in lower case, and no address however it is read."""
    return len(text) <= _MAX and bool(_NAME.fullmatch(text)) and not _NUMBER.fullmatch(text)
