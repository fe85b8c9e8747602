"""Where requests come from, and which hosts they name: foreign pages change nothing here.

A browser lets any page send requests to any address, also one that only its own machine reaches,
and tells where they come from. What is no browser tells nothing, and passes.
"""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from minequeue.web.replies.problems import Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

EXEMPT = "/health/"  # probes name the host as they like, and nothing is told there
_OWN = (None, "same-origin", "none")  # Sec-Fetch-Site; the last one: an address that was typed
_HOST = re.compile(r"(\[.*\]|[^:]*)(:\d*)?")  # with its port
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class Origins:
    """Which origins and hosts are this node.

    Attributes:
        names: of this node's hosts, in lower case, beside localhost and every IP address.
    """

    names: frozenset[str] = frozenset()

    def check_origin(self, environ: "WSGIEnvironment") -> None:
        """See that a request which changes something is sent by no page but this node's own.

        Raises:
            Problem: another page sends it.
        """
        site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
        if site in _OWN and (origin is None or self._is_own(origin, environ)):
            return
        raise Problem(
            403,
            "foreign-origin",
            "Foreign origin",
            "A page of another origin sent this request, so it was rejected. Send it from a page "
            "of this node, or from a program, without Origin and Sec-Fetch-Site.",
        )

    def check_host(self, environ: "WSGIEnvironment") -> None:
        """See that a request is sent to a host that is this node.

        A page may let its own name lead to this node, and is of the same origin then.

        Raises:
            Problem: it is sent to another host.
        """
        host = environ.get("HTTP_HOST", "")  # HTTP/1.0 need not name one, and browsers always do
        if not host or _is_always_own(host) or _name_in(host) in self.names:
            return
        if environ["PATH_INFO"].startswith(EXEMPT):
            return
        raise Problem(
            421,
            "misdirected-request",
            "Misdirected request",
            f"{host[:300]!r} is not a host name of this node. Use its IP address, or ask its "
            "operator to add the name to MINEQUEUE_HOSTS.",
        )

    def _is_own(self, origin: str, environ: "WSGIEnvironment") -> bool:
        scheme, _, authority = origin.lower().partition("://")
        if scheme not in _DEFAULT_PORTS:
            return False
        # a proxy may speak https for this node, so the scheme decides only which port is left out
        host = environ.get("HTTP_HOST", "").lower().removesuffix(_DEFAULT_PORTS[scheme])
        return authority == host or authority in self.names


@lru_cache(1024)  # an address takes longer to read than all else that is done here
def _is_always_own(host: str) -> bool:
    name = _name_in(host)
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _name_in(host: str) -> str:
    """The host without its port, in lower case; an IPv6 address keeps its brackets."""
    found = _HOST.fullmatch(host)
    return found[1].lower().removesuffix(".") if found else ""
