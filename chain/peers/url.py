"""A node's address: scheme, host and port, and one way to write it."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from minequeue.chain.errors import InvalidPeer
from minequeue.chain.peers.names import is_host_name

_MAX = 300  # characters
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class PeerUrl:
    """A node's address.

    Attributes:
        scheme: http or https.
        host: a name in lower case, or an IP address in its shortest form, without brackets.
        port: from 1 to 65535.
    """

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "PeerUrl":
        """Read http://host:port or host:port.

        Raises:
            InvalidPeer: it is something else; the message says what.
        """
        if len(text) > _MAX or not text.isascii() or not text.isprintable() or " " in text:
            raise InvalidPeer(f"An address has at most {_MAX} printable ASCII characters.")
        try:
            parts = urlsplit(text if "://" in text else f"http://{text}")
            port = parts.port
        except ValueError as error:
            raise InvalidPeer(f"{text!r} is not a node's address: {error}.") from None
        if parts.scheme not in _PORTS:
            raise InvalidPeer(f"The scheme {parts.scheme!r} is not supported; use http or https.")
        if parts.path not in {"", "/"} or any(mark in text for mark in "?#@\\"):
            raise InvalidPeer("A node's address is just http://host:port.")
        if port == 0 or not parts.hostname:
            raise InvalidPeer(f"{text!r} is not a node's address; give http://host:port.")
        return cls(parts.scheme, _read_host(parts.hostname), port or _PORTS[parts.scheme])

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def _read_host(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass  # then it has to be a name
    if not is_host_name(host):
        raise InvalidPeer(f"{host!r} is neither a host name nor an IP address.")
    return host
