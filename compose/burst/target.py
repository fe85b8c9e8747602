"""Where a burst may go: to this machine, unless the user says that the other one is theirs."""

import ipaddress
import socket
from urllib.parse import urlsplit

from minequeue.chain.errors import MinequeueError


class BadTarget(MinequeueError):
    """The burst cannot go there; give the URL of a node, such as http://127.0.0.1:3000."""


def check_target(url: str, *, is_owned: bool) -> str:
    """The node's URL without a path, if a burst may be sent there.

    Args:
        url: as the user gave it.
        is_owned: the user says that the target is theirs, wherever it is.

    Raises:
        BadTarget: it is no URL of a node, or one of its addresses is not loopback.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadTarget(f"{url} is no URL ({error}).") from None
    if parts.scheme not in {"http", "https"} or not host or parts.path.strip("/") or parts.query:
        raise BadTarget(f"{url} is no URL of a node; give one such as http://127.0.0.1:3000.")
    if not is_owned:
        _check_loopback(host, port or parts.scheme)
    return f"{parts.scheme}://{parts.netloc}"


def _check_loopback(host: str, port: int | str) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BadTarget(f"{host} has no address ({error}).") from None
    for address in sorted({str(entry[4][0]) for entry in found}):
        if not _is_loopback(address):
            raise BadTarget(
                f"{host} ({address}) is not this machine; a burst goes to loopback only, unless "
                "--yes-i-own-this says that the target is yours."
            )


def _is_loopback(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback
