"""GET /: the live page."""

from flask import Blueprint, Response, request

from minequeue.web.pages.rendering import page_reply, refusals, render
from minequeue.web.replies.describe import describe
from minequeue.web.services import services

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@describe(
    page_reply("The live page: queue, workers, newest blocks, and a form to submit."),
    *refusals(),
    reads_ledger=False,
)
def read_page() -> Response:
    """The live page for people."""
    view = services().live.view()
    return render(
        "home.html",
        now=view.newest,
        is_away=view.is_away,
        reason=view.reason,
        warnings=view.warnings,
        blocks=view.blocks,
        rules=services().ledger.rules,
        asks_token=bool(services().access.tokens),
        flower_url=_find_flower(services().flower_url),
    )


def _find_flower(url: str) -> str:
    """Flower's address as this browser reaches it."""
    if not url.startswith(":"):
        return url
    host = request.host
    if not host.endswith("]"):  # an IPv6 address without a port
        host = host.rpartition(":")[0] or host
    return f"{request.scheme}://{host}{url}"
