"""A view that changes something names the scope that it needs."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import request

from minequeue.web.services import services

F = TypeVar("F", bound=Callable[..., Any])
# in the WSGI environment: the name of the token that was shown
CALLER = "minequeue.caller"
_SCOPE = "minequeue_scope"  # the attribute of a view that tells what it needs


def require_scope(scope: str) -> Callable[[F], F]:
    """Let the view serve those alone whose token has ``scope``, and count the request."""

    def decorate(view: F) -> F:
        @wraps(view)
        def guarded(*arguments: Any, **named: Any) -> Any:
            access = services().access
            token = access.authenticate(request.environ, scope)
            if token:
                request.environ[CALLER] = token.name
            access.charge(token, requests=1)
            return view(*arguments, **named)

        setattr(guarded, _SCOPE, scope)
        return guarded  # type: ignore[return-value]  # as the view

    return decorate


def scope_of(view: Callable[..., Any]) -> str | None:
    """The scope that a view needs, None where everybody may call it."""
    scope: str | None = getattr(view, _SCOPE, None)
    return scope
