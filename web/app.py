"""The Flask app: one blueprint per resource, and before them the fast path of submissions."""

from flask import Flask, Response

from minequeue.web import pages
from minequeue.web.api import (
    chain,
    docs,
    events,
    health,
    metrics,
    mining,
    nodes,
    openapi,
    queue,
    submissions,
    transactions,
)
from minequeue.web.api.nodes import NodeConverter
from minequeue.web.api.openapi import provide_document
from minequeue.web.fast_path import FastPath
from minequeue.web.http.host_check import HostCheck
from minequeue.web.http.request_ids import Named, name_request
from minequeue.web.http.streams import bound, give_back
from minequeue.web.replies.problems import Problem, register_problems
from minequeue.web.services import Services, provide

BLUEPRINTS = (
    submissions,
    mining,
    chain,
    transactions,
    nodes,
    queue,
    health,
    metrics,
    openapi,
    docs,
    events,
    pages,
)


class App(Flask):
    """Flask, with a bound for whatever is answered."""

    def process_response(self, response: Response) -> Response:
        """The last step of every answer; a hook would keep requests off the fast path."""
        try:
            return bound(super().process_response(response))
        except Problem as problem:
            return self.make_response(self.handle_user_exception(problem))


def create_app(services: Services) -> Flask:
    """Make the app that serves ``services``."""
    app = App(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    # else a path with two slashes is answered with a redirect to the host that the client named
    app.url_map.merge_slashes = False
    app.url_map.converters["node"] = NodeConverter
    provide(app, services)
    register_problems(app, services.refusals.count)
    app.teardown_request(give_back)
    app.logger.addFilter(name_request)
    for module in BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    provide_document(app)
    app.wsgi_app = Named(app.wsgi_app)  # type: ignore[method-assign]  # as Flask advises
    if not services.ledger.rules.signed:  # what is plain has no signature
        app.wsgi_app = FastPath(app, services)  # type: ignore[method-assign]  # as Flask advises
    if not services.access.tokens:  # whoever has to show one is known by that, whatever led here
        check = HostCheck(app.wsgi_app, services.access.origins, services.refusals.count)
        app.wsgi_app = check  # type: ignore[method-assign]  # as Flask advises
    return app
