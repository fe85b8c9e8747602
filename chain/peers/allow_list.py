"""Which addresses may be called: an allow-list of networks and names.

Whoever may register a node chooses what this service calls, so what is not on the list is never
called: neither another machine of the operator's network nor a cloud's metadata address.
"""

import ipaddress
from dataclasses import dataclass
from typing import TypeAlias

from minequeue.chain.errors import MinequeueError
from minequeue.chain.peers.names import is_host_name

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# clouds tell their secrets there, whatever name leads to it (AWS over IPv6; the others are
# link-local)
_METADATA = ipaddress.IPv6Network("fd00:ec2::/32")
_THIS_MACHINE = {4: "127.0.0.1", 6: "::1"}


class BadAllowList(MinequeueError):
    """An entry is neither a network (10.2.0.0/16) nor a name (node.example, *.nodes)."""


@dataclass(frozen=True, slots=True)
class AllowList:
    """An allow-list.

    Attributes:
        networks: any address in one of them may be called.
        names: a host of that name may be called at any address but a link-local, multicast,
            unspecified or reserved one; *.nodes stands for every name that ends with .nodes.
    """

    networks: tuple[_Network, ...]
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "AllowList":
        """Read networks and names, with commas between them.

        Raises:
            BadAllowList: an entry is neither.
        """
        networks, names = [], []
        for entry in filter(None, (word.strip().lower() for word in text.split(","))):
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError:
                if not is_host_name(entry.removeprefix("*.")):
                    raise BadAllowList(f"{entry!r} is neither a network nor a name.") from None
                names.append(entry)
        return cls(tuple(networks), tuple(names))

    def __str__(self) -> str:
        return ",".join([*map(str, self.networks), *self.names])

    def permits(self, host: str, address: str) -> bool:
        """Tell whether ``host``, which was resolved to ``address``, may be called there."""
        found = unwrap(ipaddress.ip_address(address.partition("%")[0]))
        if any(found in network for network in self.networks):
            # 0.0.0.0 and :: lead to this machine
            return not found.is_unspecified or self.permits(host, _THIS_MACHINE[found.version])
        return self._names_host(host) and not _is_special(found)

    def may_permit(self, host: str) -> bool:
        """Tell whether ``host`` may be called at some address; of an IP address that is all."""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return bool(self.networks) or self._names_host(host)
        return self.permits(host, host)

    def _names_host(self, host: str) -> bool:
        return any(
            host == name or (name.startswith("*.") and host.endswith(name[1:]))
            for name in self.names
        )


def unwrap(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, where it leads to one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_special(address: Address) -> bool:
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
        or (isinstance(address, ipaddress.IPv6Address) and address in _METADATA)
    )
