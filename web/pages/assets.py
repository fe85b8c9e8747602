"""GET /assets/<name>: the pages' scripts, style and icon."""

from flask import Blueprint, Response

from minequeue.web.http.files import SCRIPT, STYLE, answer_file
from minequeue.web.http.parameters import in_path
from minequeue.web.pages.rendering import HEADERS, refusals
from minequeue.web.replies.describe import Reply, describe
from minequeue.web.replies.problems import not_found

blueprint = Blueprint("assets", __name__)
_KINDS = {
    "pages.css": STYLE,
    "icon.svg": "image/svg+xml",
    "live.js": SCRIPT,
    "plot.js": SCRIPT,
    "submit.js": SCRIPT,
    "proof.js": SCRIPT,
    "merkle.js": SCRIPT,
}
# asked for again with each page and each new version, and small
_ASSET_HEADERS = {**HEADERS, "Cache-Control": "max-age=60"}


@blueprint.get("/assets/<name>")
@describe(
    Reply(200, "The file.", {"type": "string"}, "text/css"),
    *refusals(404),
    parameters=[in_path("name", "The file's name.", r"^pages\.css$", "pages.css")],
    reads_ledger=False,
)
def read_file(name: str) -> Response:
    """A file of the pages."""
    if name not in _KINDS:
        raise not_found("Page not found. See /docs for all paths.")
    return answer_file(f"pages/assets/{name}", _KINDS[name], _ASSET_HEADERS)
