"""The fast path for the usual submission: one plain transaction, answered before Flask is asked.

Flask and werkzeug take longer over a request than all that a submission needs, and while they do,
the threads of those that wait contend for the interpreter. So a POST /chain/new that is as nearly
all of them are is answered here. Whatever is not goes to Flask, with its body, and so does every
request as soon as the app has hooks, which are not run here.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Flask

from minequeue.chain.ledger import Submission
from minequeue.chain.protocol import fast_transactions
from minequeue.chain.protocol.transaction import Transaction
from minequeue.web.http.request_ids import DIGITS, HEADER, Named, name_by
from minequeue.web.http.requests import parse_number, read_whole
from minequeue.web.intake.submissions import make_nonces
from minequeue.web.replies.answers import JSON
from minequeue.web.replies.receipts import describe_known, path_of, write_receipt
from minequeue.web.services import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_MAX_BYTES = 4096  # bytes of a body; a plain transaction has a tenth
# another length or coding is for Flask to judge, and so are a key and a request that is tracked
_UNUSUAL = ("HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING", "HTTP_IDEMPOTENCY_KEY")


class FastPath:
    """Stands before an app.

    Args:
        app: answers all the rest; its ``wsgi_app`` is what this one replaces.
        services: what its views work with.
    """

    def __init__(self, app: Flask, services: Services) -> None:
        self._app = app
        self._flask: WSGIApplication = app.wsgi_app
        self._services = services
        self._unusual = (*_UNUSUAL, *services.asks)
        self._max_bytes = min(_MAX_BYTES, services.limits.body_bytes)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        if not self._is_usual(environ):
            return self._flask(environ, start_response)
        access = self._services.access
        try:
            token = access.authenticate(environ, "submit")
            transaction = self._read(environ)
            if transaction is None:
                return self._flask(environ, start_response)
            access.charge(token, requests=1, entries=1)
            submission = Submission([transaction])
            self._services.intake.queue(submission)
        except Exception as error:  # noqa: BLE001  # Flask answers it, a fault with 500
            return self._answer(error, environ, start_response)
        receipt = write_receipt(transaction)
        headers = [
            ("Content-Type", JSON),
            ("Content-Length", str(len(receipt))),
            ("Location", path_of(transaction)),
            describe_known(submission),
            (HEADER, name_by(environ, transaction.id[:DIGITS])),
        ]
        start_response("202 ACCEPTED", headers)
        return [receipt]

    def _answer(
        self, error: Exception, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer ``error`` as if the view had raised it."""
        with self._app.request_context(environ):
            try:
                answer = self._app.make_response(self._app.handle_user_exception(error))
            except Exception as fault:  # noqa: BLE001  # Flask logs it
                answer = self._app.handle_exception(fault)
            return Named(answer)(environ, start_response)

    def _is_usual(self, environ: "WSGIEnvironment") -> bool:
        """Whether it may be a plain transaction that is submitted."""
        return (
            environ["PATH_INFO"] == "/chain/new"
            and environ["REQUEST_METHOD"] == "POST"
            and environ.get("CONTENT_TYPE") == JSON
            and not any(name in environ for name in self._unusual)
            and 0 < (parse_number(environ.get("CONTENT_LENGTH", "")) or 0) <= self._max_bytes
            and not (self._app.before_request_funcs or self._app.after_request_funcs)
        )

    def _read(self, environ: "WSGIEnvironment") -> Transaction | None:
        """The plain transaction that is submitted; of what is none the body can be read again.

        Raises:
            Problem: it is not whole, or there is no free slot to read it in.
        """
        body = self._services.body_slots.read(lambda: read_whole(environ))
        environ["wsgi.input"] = BytesIO(body)
        return fast_transactions.read_one(body, make_nonces(None))
