"""What all pages have in common: their headers, their filters, and refusals as pages."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, render_template
from werkzeug.exceptions import HTTPException

from minequeue.chain.errors import MinequeueError
from minequeue.web.replies.describe import Reply
from minequeue.web.replies.problems import Problem, of_error, of_http_error
from minequeue.web.services import services

HTML = "text/html"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def render(template: str, status: int = 200, **context: Any) -> Response:
    """The page of ``template``."""
    page = render_template(template, write_time=write_time, **context)
    headers = {**HEADERS, "Cache-Control": "no-store"}
    return Response(page, status, headers=headers, content_type=f"{HTML}; charset=utf-8")


def page_reply(text: str) -> Reply:
    """A page, for the description of its view."""
    return Reply(200, text, {"type": "string"}, HTML)


def refusals(*statuses: int) -> list[Reply]:
    """Refusals as pages, for the description of a view; an absent server is one of them."""
    return [
        Reply(status, "A page that says why not.", {"type": "string"}, HTML)
        for status in (*statuses, 503)
    ]


def write_time(time_ms: int) -> str:
    """Unix milliseconds as ISO 8601 in UTC, to the second; "-" for the genesis block's 0."""
    if not time_ms:
        return "-"
    try:
        return f"{datetime.fromtimestamp(time_ms // 1000, UTC):%Y-%m-%d %H:%M:%S}Z"
    except (OverflowError, ValueError, OSError):
        return f"{time_ms} ms"  # a header may say any year


def show_errors(blueprint: Blueprint) -> None:
    """Answer every error of the views of ``blueprint`` as a page, counted as any other."""

    def show(problem: Problem) -> Response:
        services().refusals.count(problem.slug)
        answer = render("problem.html", problem.status, problem=problem)
        answer.headers.update(problem.headers)
        return answer

    blueprint.register_error_handler(Problem, show)
    blueprint.register_error_handler(MinequeueError, lambda error: show(of_error(error)))
    blueprint.register_error_handler(HTTPException, lambda error: show(of_http_error(error)))
