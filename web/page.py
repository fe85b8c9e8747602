"""GET /: a first word to people who come with a browser."""

from flask import Blueprint, Response

from web.described import Reply, described

blueprint = Blueprint("page", __name__)
_TEXT = """minequeue takes transactions into a blockchain.

POST /chain/new      submit a transaction: {"sender": "a", "recipient": "b", "amount": 1}
GET  /chain/mine     ask for a block
GET  /chain          the chain
GET  /queue          what waits
GET  /docs           all of it
"""


@blueprint.get("/")
@described(Reply(200, "A page for people.", {"type": "string"}, "text/plain"), reads_ledger=False)
def read_page() -> Response:
    """Name the main resources."""
    return Response(_TEXT, content_type="text/plain; charset=utf-8")
