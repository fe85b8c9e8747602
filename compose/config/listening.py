"""On which addresses a stack may listen: without tokens on loopback alone."""

import ipaddress

from minequeue.chain.peers.url import PeerUrl
from minequeue.compose.config.settings import Settings
from minequeue.compose.errors import StartRefused


def check_listening(settings: Settings) -> None:
    """See that not everybody who reaches an address of this machine may do everything.

    Raises:
        StartRefused: it would listen on more than loopback, and knows no tokens.
    """
    if not (settings.tokens or settings.open_to_all or is_loopback(settings.host)):
        raise StartRefused(
            f"Without tokens minequeue listens on loopback only, not on {settings.host}: make one "
            "with `minequeue token new` and put it in MINEQUEUE_TOKENS, or set "
            "MINEQUEUE_OPEN_TO_ALL=yes behind a proxy that controls access."
        )


def flower_host(settings: Settings) -> str:
    """Where Flower listens: without a password on loopback alone, whatever the web tier does."""
    if settings.flower_auth or is_loopback(settings.host):
        return settings.host
    return "127.0.0.1"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address ``host``."""
    return ipaddress.ip_address(host).is_loopback


def url_of(host: str, port: int) -> str:
    """Where a browser finds what listens on the address ``host``."""
    return str(PeerUrl("http", host, port))
