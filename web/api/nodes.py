"""/nodes: the other nodes of the network, and resolving conflicts with them."""

from typing import Any

import msgspec
from flask import Blueprint, Response
from werkzeug.routing import PathConverter

from minequeue.chain.errors import ForbiddenPeer, InvalidPeer, MalformedJson
from minequeue.chain.ledger import PeerStatus, ResolveResult
from minequeue.chain.peers.url import PeerUrl
from minequeue.chain.protocol.strict_json import make_reader
from minequeue.web.api.chain import stream_chain
from minequeue.web.http.parameters import PREFER, in_path
from minequeue.web.http.requests import read_body, read_kind, validate_method
from minequeue.web.http.scopes import require_scope
from minequeue.web.http.waiting import wait_for
from minequeue.web.replies.answers import JSON, answer_json
from minequeue.web.replies.describe import Body, Reply, describe
from minequeue.web.replies.problems import not_found
from minequeue.web.replies.receipts import answer_queued
from minequeue.web.replies.schemas import JobReceipt, Nodes, Registered, Registration, Resolved
from minequeue.web.services import services

blueprint = Blueprint("nodes", __name__, url_prefix="/nodes")
_MAX_BYTES = 64 * 1024  # of a body that names nodes
_NAMES = 'The body must be {"nodes": ["http://host:port", ...]} with at least one address.'


class NodeConverter(PathConverter):
    """An address in a path; it has a colon, and no other route under /nodes has."""

    regex = "[^/].*?:.*?"


class _Registration(msgspec.Struct, forbid_unknown_fields=True):
    nodes: list[str]


_read_registration = make_reader(_Registration)


@blueprint.get("/")
@describe(Reply(200, "All known nodes.", Nodes))
def list_nodes() -> Response:
    """All nodes that are known, and what was last seen of each."""
    peers = services().ledger.peers.list_all()
    return answer_json(
        {
            "total_nodes": list(peers),
            "nodes": [_show(address, status) for address, status in peers.items()],
        },
        headers={"Cache-Control": "no-store"},
    )


@blueprint.post("/register")
@describe(
    Reply(201, "The nodes are registered.", Registered),
    problems=(400, 409),
    body=Body(
        {JSON: Registration}, "The addresses of nodes.", {"nodes": ["http://127.0.0.1:3001"]}
    ),
)
@require_scope("admin")
def register_nodes() -> Response:
    """Add nodes; one that is known already is asked again at once."""
    read_kind(JSON)
    try:
        named = _read_registration(read_body(_MAX_BYTES)).nodes
    except MalformedJson:
        raise InvalidPeer(_NAMES) from None
    if not named:
        raise InvalidPeer(_NAMES)
    peers = [PeerUrl.parse(text) for text in named]
    for peer in peers:
        if not services().allow_list.may_permit(peer.host):
            raise ForbiddenPeer(
                f"This node may not call {peer.host}. Name another node, or ask its operator to "
                "add this one to MINEQUEUE_PEER_ALLOW."
            )
    known = services().ledger.peers
    known.register(list(map(str, peers)))
    services().wake_resolver()
    return answer_json(
        {"message": "New nodes have been added.", "total_nodes": list(known.list_all())}, 201
    )


@blueprint.delete("/<node:address>")
@describe(
    Reply(204, "The node is removed."),
    problems=(400, 404),
    parameters=[
        in_path("address", "Its address.", "^http://[a-z0-9.:]+$", "http://127.0.0.1:3001")
    ],
)
@require_scope("admin")
def remove_node(address: str) -> Response:
    """Remove the node at an address."""
    if not services().ledger.peers.remove(str(PeerUrl.parse(address))):
        raise not_found("Unknown node. GET /nodes/ lists all known nodes.")
    return Response(status=204)


@blueprint.route("/resolve", methods=["GET", "POST"])
@describe(
    Reply(
        200,
        "The result, with the present chain, if the request waited for it.",
        Resolved,
        headers={"Preference-Applied": "The answer was delayed."},
    ),
    Reply(
        202,
        "The nodes will be queried.",
        JobReceipt,
        headers={"Location": "Where the job is read."},
    ),
    parameters=[PREFER],
)
@require_scope("peer")
def resolve() -> Response:
    """Ask for the nodes to be met; with ``Prefer: wait=N``, wait for what comes of it."""
    validate_method()
    job = services().ledger.peers.request_resolve()
    services().wake_resolver()
    outcome = wait_for(lambda: services().ledger.peers.find_result(job))
    if isinstance(outcome, ResolveResult):
        return _answer_chain(outcome)
    return answer_queued(job, "The nodes will be queried.")


def _show(address: str, status: PeerStatus) -> dict[str, Any]:
    return {
        "address": address,
        "state": status.state,
        "reason": status.reason,
        "seen_ms": status.seen_ms,
        "index": status.index,
        "failures": status.failures,
        "next_ms": status.next_ms,
        "slow": status.slow,
    }


def _answer_chain(outcome: ResolveResult) -> Response:
    """The ancestor's answer: the whole chain, as GET /chain streams it."""
    if outcome.replaced:
        message, name = "Our chain was replaced.", "new_chain"
    else:
        message, name = "Our chain is authoritative.", "chain"
    head = b'{"message":"%b","%b":[' % (message.encode(), name.encode())
    answer = stream_chain(head)
    answer.headers["Preference-Applied"] = "wait"
    return answer
