"""Access: who may pass, by the origin and the token of the request, and how often a second."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minequeue.web.guard.origins import Origins
from minequeue.web.guard.tokens import Token, Tokens
from minequeue.web.replies.problems import Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class Access:
    """Who may pass.

    Attributes:
        tokens: those that are known.
        count: takes a token's name, its requests and entries a second, and how many of each are
            asked for; gives 0, or in how many seconds to come again.
        origins: whose pages may change something.
    """

    tokens: Tokens
    count: Callable[[str, tuple[int, int], tuple[int, int]], float]
    origins: Origins

    def authenticate(self, environ: "WSGIEnvironment", scope: str) -> Token | None:
        """The token of a request that may do what needs ``scope``; None where none is needed.

        Whatever changes something asks here, so that no foreign page changes anything.

        Raises:
            Problem: it may not.
        """
        self.origins.check_origin(environ)
        if not self.tokens:
            return None
        credentials: str = environ.get("HTTP_AUTHORIZATION", "")
        if credentials[: len(_SCHEME)].lower() != _SCHEME:
            raise _unauthorized("Send a token of this node as Authorization: Bearer TOKEN.")
        token = self.tokens.find(credentials[len(_SCHEME) :].strip())
        if token is None:
            raise _unauthorized("Unknown token. Ask the operator for one.", error="invalid_token")
        if not token.may(scope):
            raise Problem(
                403,
                "insufficient-scope",
                "Insufficient scope",
                f"This request needs a token with the scope {scope}. Ask the operator for one.",
                headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
            )
        return token

    def charge(self, token: Token | None, *, requests: int = 0, entries: int = 0) -> None:
        """Count against the limits of ``token``.

        Raises:
            Problem: they are reached; nothing was counted.
            LedgerUnavailable: the server is away.
        """
        if token is None or not (token.requests or token.entries):
            return
        limits = token.requests, token.entries
        wait_s = self.count(token.name, limits, (requests, entries))
        if wait_s:
            raise Problem(
                429,
                "rate-limited",
                "Rate limited",
                f"The token {token.name} may send {_describe(limits)}. Repeat the request later.",
                headers={"Retry-After": str(max(1, -int(-wait_s // 1)))},
            )


def _unauthorized(detail: str, *, error: str = "") -> Problem:
    challenge = 'Bearer realm="minequeue"' + (f', error="{error}"' if error else "")
    return Problem(
        401, "unauthorized", "Unauthorized", detail, headers={"WWW-Authenticate": challenge}
    )


def _describe(limits: tuple[int, int]) -> str:
    names = ("requests", "transactions")
    return " and ".join(
        f"{limit} {name} a second" for limit, name in zip(limits, names, strict=True) if limit
    )
