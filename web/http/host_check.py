"""What is sent to a host that is not this node is answered before the app is asked."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from minequeue.web.guard.origins import Origins
from minequeue.web.http.request_ids import Named
from minequeue.web.replies.problems import Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class HostCheck:
    """Stands before an app, and answers what is sent to another host.

    Args:
        app: answers all the rest.
        origins: tell whether a host is this node.
        count: is told of each refusal.
    """

    def __init__(
        self, app: "WSGIApplication", origins: Origins, count: Callable[[str], None]
    ) -> None:
        self._app = app
        self._check = origins.check_host
        self._count = count

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        try:
            self._check(environ)
        except Problem as problem:
            self._count(problem.slug)
            return Named(problem.as_response())(environ, start_response)
        return self._app(environ, start_response)
