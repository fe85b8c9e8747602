"""GET /docs: the OpenAPI document in a viewer, whose files are kept here and served from here."""

from flask import Blueprint, Response

from minequeue.web.http.files import SCRIPT, STYLE, answer_file
from minequeue.web.http.parameters import in_path
from minequeue.web.replies.describe import Reply, describe
from minequeue.web.replies.problems import not_found

blueprint = Blueprint("docs", __name__, url_prefix="/docs")
_FILES = {
    "index.html": ("viewer/index.html", "text/html; charset=utf-8"),
    "start.js": ("viewer/start.js", SCRIPT),
    "swagger-ui-bundle.js": ("vendor/swagger-ui/swagger-ui-bundle.js", SCRIPT),
    "swagger-ui.css": ("vendor/swagger-ui/swagger-ui.css", STYLE),
}
_HEADERS = {
    # the viewer sets the style of single elements; scripts are these files alone
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "max-age=3600",
}


@blueprint.get("")
@describe(Reply(200, "The viewer.", {"type": "string"}, "text/html"), reads_ledger=False)
def read_page() -> Response:
    """The API in a viewer, for people."""
    return _answer("index.html")


@blueprint.get("/<name>")
@describe(
    Reply(200, "The file.", {"type": "string"}, "text/javascript"),
    problems=(404, 429),
    parameters=[in_path("name", "The file's name.", r"^start\.js$", "start.js")],
    reads_ledger=False,
)
def read_file(name: str) -> Response:
    """A file of the viewer."""
    if name not in _FILES:
        raise not_found("Page not found. See /docs for all paths.")
    return _answer(name)


def _answer(name: str) -> Response:
    path, kind = _FILES[name]
    return answer_file(path, kind, _HEADERS)
