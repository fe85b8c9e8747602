"""GET /events: what live pages are told, as server-sent events.

The web tier gives a thread to each request, and a stream would keep it. So an answer holds what is
new and ends, and the browser's EventSource comes again by itself, on the connection that it has,
naming the last event that it saw. Nothing is missed, and an open page holds nothing of the server.
"""

import msgspec
from flask import Blueprint, Response, request

from minequeue.chain.errors import MinequeueError
from minequeue.web.http.requests import parse_number
from minequeue.web.live import PERIOD_S, View
from minequeue.web.replies.describe import Parameter, Reply, describe
from minequeue.web.services import services

blueprint = Blueprint("events", __name__)
EVENT = {
    "type": "object",
    "properties": {
        "event": {"enum": ["state", "away"]},
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "retry": {"type": "integer"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_HEAD = b"retry: %d\n" % (1000 * PERIOD_S)


@blueprint.get("/events")
@describe(
    Reply(
        200,
        "Changes since the last event: `state` with samples, blocks and warnings, or `away` with "
        "a reason, which may be empty, while the server is away. The answer ends; repeat with the "
        "last id after the time that it names.",
        EVENT,
        "text/event-stream",
    ),
    parameters=[
        Parameter(
            "Last-Event-ID",
            "header",
            "The last event that the client saw; EventSource sends it.",
            {"type": "string"},
            "883000000",
        )
    ],
    reads_ledger=False,
)
def read_events() -> Response:
    """What is new of queue, chain and workers, as server-sent events."""
    view = _find_view()
    if view is None or view.is_away:
        reason = msgspec.json.encode({"reason": view.reason if view else ""})
        return _answer(_HEAD + b"event: away\ndata: %b\n\n" % reason)
    after = parse_number(request.headers.get("Last-Event-ID", "")) or 0
    state = view.write_after(after)
    if state is None:
        return _answer(_HEAD + b"\n")
    return _answer(_HEAD + b"id: %d\nevent: state\ndata: %b\n\n" % (view.samples[-1][0], state))


def _find_view() -> View | None:
    """What there is to be seen; None if nothing was seen yet."""
    try:
        return services().live.view()
    except MinequeueError:
        return None


def _answer(body: bytes) -> Response:
    return Response(
        body, headers={"Cache-Control": "no-store"}, content_type="text/event-stream; charset=utf-8"
    )
