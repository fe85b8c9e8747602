"""Requests that come as events, of API Gateway (both versions), function URLs and load balancers.

The answer goes back as one JSON text of bounded size, so one that is larger is a problem instead.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from apig_wsgi import make_lambda_handler

from minequeue.chain.errors import MinequeueError
from minequeue.web.replies.problems import Problem, of_error

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# bytes of a body: half of what AWS carries, since a character may take two in the JSON around it
_MAX_BYTES = 2_900_000
_MAX_BALANCER_BYTES = 480_000
_PRINTABLE = "".join(map(chr, range(33, 127)))  # stands as it is in what is encoded already
_FULL_EVENT = "apig_wsgi.full_event"  # in the WSGI environment


def is_request(event: Mapping[str, Any]) -> bool:
    """Whether ``event`` is a request."""
    context = event.get("requestContext")
    return isinstance(context, dict) and ("httpMethod" in event or "http" in context)


def make_http(app: "WSGIApplication") -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """What takes a request as an event and its context, and gives ``app``'s answer to it."""
    answer = make_lambda_handler(_bound(app), binary_support=True)
    return lambda event, context: answer(_in_ascii(event), context)


def closed(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """The app of a function that nobody may call."""
    problem = Problem(
        403,
        "closed",
        "Closed",
        "This function has no tokens, so it accepts no requests. Its operator must set "
        "MINEQUEUE_TOKENS, or MINEQUEUE_OPEN_TO_ALL=yes behind a proxy that controls access.",
    )
    return problem.as_response()(environ, start_response)


def _in_ascii(event: dict[str, Any]) -> dict[str, Any]:
    """The event with path, query and headers as WSGI has them: bytes, one in each character."""
    context = event["requestContext"]
    changed: dict[str, Any] = {
        name: {key: _as_latin_1(value) for key, value in event[name].items()}
        for name in ("headers", "multiValueHeaders")
        if event.get(name)
    }
    if "http" in context:
        # rawPath is as it was sent in a function URL, and decoded in an HTTP API; this is decoded
        # in both
        changed["rawPath"] = _encode(_cut_stage(context["http"]["path"], context))
        changed["rawQueryString"] = _encode(event["rawQueryString"], safe=_PRINTABLE)
    elif "version" in event:  # an HTTP API in the first version of its format; a REST API has none
        changed["path"] = _encode(_cut_stage(event["path"], context))
    else:
        changed["path"] = _encode(event["path"], safe=_PRINTABLE)
    return {**event, **changed}


def _encode(text: str, *, safe: str = "/") -> str:
    return quote(text, safe=safe, errors="surrogatepass")


def _as_latin_1(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_latin_1(each) for each in value]
    return value.encode("utf-8", "surrogatepass").decode("latin-1")


def _cut_stage(path: str, context: Mapping[str, Any]) -> str:
    """The path as the client means it: an HTTP API puts its stage before it, but for $default."""
    stage = f"/{context.get('stage')}"
    return path.removeprefix(stage) or "/" if f"{path}/".startswith(f"{stage}/") else path


def _bound(app: "WSGIApplication") -> "WSGIApplication":
    def bounded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        # an event holds the whole body, however the client sent it
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        is_balancer = "elb" in environ[_FULL_EVENT]["requestContext"]
        try:
            head, body = _collect(app, environ, _MAX_BALANCER_BYTES if is_balancer else _MAX_BYTES)
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
                    f"The answer has over {most} bytes; read it in pages, with from and limit.",
                )
            parts.append(part)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return heads[-1], parts
