"""Requests that come as events, of API Gateway (both versions), function URLs and load balancers.

The answer goes back as one JSON text of bounded size, so one that is larger is a problem instead.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from apig_wsgi import make_lambda_handler

from chain.errors import MinequeueError
from web.problems import Problem, of_error

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# bytes of a body: half of what AWS carries, since a character may take two in the JSON around it
_MOST = 2_900_000
_MOST_OF_BALANCER = 480_000
_FULL_EVENT = "apig_wsgi.full_event"  # in the WSGI environment


def is_request(event: Mapping[str, Any]) -> bool:
    """Whether ``event`` is a request."""
    context = event.get("requestContext")
    return isinstance(context, dict) and ("httpMethod" in event or "http" in context)


def make_http(app: "WSGIApplication") -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """What takes a request as an event and its context, and gives ``app``'s answer to it."""
    answer = make_lambda_handler(_bound(app), binary_support=True)
    return lambda event, context: answer(_without_stage(event), context)


def closed(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """The app of a function that nobody may call."""
    problem = Problem(
        403,
        "closed",
        "Closed",
        "Without tokens this function takes no requests: its operator has to set MINEQUEUE_TOKENS, "
        "or MINEQUEUE_OPEN_TO_ALL=yes where something before it lets nobody through.",
    )
    return problem.as_response()(environ, start_response)


def _without_stage(event: dict[str, Any]) -> dict[str, Any]:
    """In the second version the path begins with the stage, unless that is the default one."""
    path = event.get("rawPath", "")
    prefix = f"/{event['requestContext'].get('stage')}/"
    return {**event, "rawPath": path[len(prefix) - 1 :]} if path.startswith(prefix) else event


def _bound(app: "WSGIApplication") -> "WSGIApplication":
    def bounded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        is_balancer = "elb" in environ[_FULL_EVENT]["requestContext"]
        try:
            head, body = _collect(app, environ, _MOST_OF_BALANCER if is_balancer else _MOST)
        except MinequeueError as error:
            # a stream that breaks off: nothing of it was sent yet
            return of_error(error).as_response()(environ, start_response)
        except Problem as problem:
            return problem.as_response()(environ, start_response)
        start_response(*head)
        return body

    return bounded


def _collect(
    app: "WSGIApplication", environ: "WSGIEnvironment", most: int
) -> tuple[tuple[str, list[tuple[str, str]]], list[bytes]]:
    """The whole answer of ``app``: status and headers, and its body.

    Raises:
        Problem: the body has more than ``most`` bytes.
        MinequeueError: it broke off.
    """
    heads: list[tuple[str, list[tuple[str, str]]]] = []
    parts: list[bytes] = []
    size = 0

    def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], Any]:
        heads.append((status, headers))
        return parts.append

    answer = app(environ, start)
    try:
        for part in answer:
            size += len(part)
            if size > most:
                raise Problem(
                    413,
                    "answer-too-large",
                    "Answer too large",
                    f"Here an answer has at most {most} bytes; read it in pages: from and limit.",
                )
            parts.append(part)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return heads[-1], parts
