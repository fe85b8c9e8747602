"""/nodes: the other nodes of the network, and resolving conflicts with them."""

from typing import Any

import msgspec
from flask import Blueprint, Response
from werkzeug.routing import PathConverter

from minequeue.chain.errors import ForbiddenPeer, InvalidPeer, MalformedJson
from minequeue.chain.ledger import Outcome, Sight
from minequeue.chain.peers.url import PeerUrl
from minequeue.chain.protocol.strict_json import make_reader
from minequeue.web.api.chain import stream_chain
from minequeue.web.http.parameters import PREFER, in_path
from minequeue.web.http.requests import read_body, read_kind, refuse_head
from minequeue.web.http.scopes import needs
from minequeue.web.http.waiting import wait_for
from minequeue.web.replies.answers import JSON, answer_json
from minequeue.web.replies.describe import Body, Reply, described
from minequeue.web.replies.problems import not_found
from minequeue.web.replies.receipts import answer_queued
from minequeue.web.replies.schemas import JobReceipt, Nodes, Registered, Registration, Resolved
from minequeue.web.services import services

blueprint = Blueprint("nodes", __name__, url_prefix="/nodes")
_MOST_BYTES = 64 * 1024  # of a body that names nodes
_NAMES = 'The body must be {"nodes": ["http://host:port", ...]} with at least one address.'


class NodeConverter(PathConverter):
    """An address in a path; it has a colon, and no other route under /nodes has."""

    regex = "[^/].*?:.*?"


class _Registration(msgspec.Struct, forbid_unknown_fields=True):
    nodes: list[str]


_read_registration = make_reader(_Registration)


@blueprint.get("/")
@described(Reply(200, "All known nodes.", Nodes))
def list_nodes() -> Response:
    """All nodes that are known, and what was last seen of each."""
    peers = services().ledger.network.peers()
    return answer_json(
        {
            "total_nodes": list(peers),
            "nodes": [_show(address, sight) for address, sight in peers.items()],
        },
        headers={"Cache-Control": "no-store"},
    )


@blueprint.post("/register")
@described(
    Reply(201, "The nodes are registered.", Registered),
    problems=(400, 409),
    body=Body(
        {JSON: Registration}, "The addresses of nodes.", {"nodes": ["http://127.0.0.1:3001"]}
    ),
)
@needs("admin")
def register_nodes() -> Response:
    """Add nodes; one that is known already is asked again at once."""
    read_kind(JSON)
    try:
        named = _read_registration(read_body(_MOST_BYTES)).nodes
    except MalformedJson:
        raise InvalidPeer(_NAMES) from None
    if not named:
        raise InvalidPeer(_NAMES)
    at = services()
    peers = [PeerUrl.parse(text) for text in named]
    for peer in peers:
        if not at.allowed.may_permit(peer.host):
            raise ForbiddenPeer(
                f"This node may not call {peer.host}. Name another node, or ask its operator to "
                "add this one to MINEQUEUE_PEER_ALLOW."
            )
    network = at.ledger.network
    network.register(list(map(str, peers)))
    at.wake_resolver()
    return answer_json(
        {"message": "New nodes have been added.", "total_nodes": list(network.peers())}, 201
    )


@blueprint.delete("/<node:address>")
@described(
    Reply(204, "The node is removed."),
    problems=(400, 404),
    parameters=[
        in_path("address", "Its address.", "^http://[a-z0-9.:]+$", "http://127.0.0.1:3001")
    ],
)
@needs("admin")
def remove_node(address: str) -> Response:
    """Remove the node at an address."""
    if not services().ledger.network.remove(str(PeerUrl.parse(address))):
        raise not_found("Unknown node. GET /nodes/ lists all known nodes.")
    return Response(status=204)


@blueprint.route("/resolve", methods=["GET", "POST"])
@described(
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
@needs("peer")
def resolve() -> Response:
    """Ask for the nodes to be met; with ``Prefer: wait=N``, wait for what comes of it."""
    refuse_head()
    job = services().ledger.network.request_resolve()
    services().wake_resolver()
    outcome = wait_for(lambda: services().ledger.network.find_outcome(job))
    if isinstance(outcome, Outcome):
        return _answer_chain(outcome)
    return answer_queued(job, "The nodes will be queried.")


def _show(address: str, sight: Sight) -> dict[str, Any]:
    return {
        "address": address,
        "state": sight.state,
        "reason": sight.reason,
        "seen_ms": sight.seen_ms,
        "index": sight.index,
        "failures": sight.failures,
        "next_ms": sight.next_ms,
        "slow": sight.slow,
    }


def _answer_chain(outcome: Outcome) -> Response:
    """The ancestor's answer: the whole chain, as GET /chain streams it."""
    if outcome.replaced:
        message, name = "Our chain was replaced.", "new_chain"
    else:
        message, name = "Our chain is authoritative.", "chain"
    head = b'{"message":"%b","%b":[' % (message.encode(), name.encode())
    answer = stream_chain(head)
    answer.headers["Preference-Applied"] = "wait"
    return answer
