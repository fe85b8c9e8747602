"""Traces (OpenTelemetry): one from the request to the block that holds the last of what it asked.

Where they go, how many are taken and how they are named is told by OpenTelemetry's own variables
(OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER, OTEL_SERVICE_NAME and so on). The libraries are
the extra minequeue[otel]; nothing of them is loaded where MINEQUEUE_TRACES is no.
"""

import multiprocessing.util
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from celery.signals import worker_process_shutdown

from minequeue.chain.ledger import Trail
from minequeue.chain.protocol.header import Header
from minequeue.compose.errors import StartRefused
from minequeue.web.http.tracking import TRACEPARENT

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_TRACED = frozenset({"/chain/new", "/chain/mine", "/mine"})
_NS = 1_000_000  # in a millisecond


def trace_requests(app: "WSGIApplication") -> "WSGIApplication":
    """Let a span begin with each request of ``app`` that asks for something.

    Raises:
        StartRefused: the libraries are not installed.
    """
    provider = _make_provider("minequeue-web")
    from opentelemetry.instrumentation.wsgi import (  # noqa: PLC0415  # only where traces are wanted
        OpenTelemetryMiddleware,
    )

    traced = OpenTelemetryMiddleware(_hand_on(app), tracer_provider=provider)

    def choose(environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        return (traced if environ["PATH_INFO"] in _TRACED else app)(environ, start_response)

    return choose


def _hand_on(app: "WSGIApplication") -> "WSGIApplication":
    """Name the span of a request to ``app``, so that what follows the request follows it too."""
    from opentelemetry.trace import get_current_span  # noqa: PLC0415  # as above
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415  # as above
        TraceContextTextMapPropagator,
    )

    propagator = TraceContextTextMapPropagator()

    def name(environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        carrier: dict[str, str] = {}
        environ.pop(TRACEPARENT, None)
        if get_current_span().get_span_context().trace_flags.sampled:
            propagator.inject(carrier)
            environ[TRACEPARENT] = carrier["traceparent"]
        return app(environ, start_response)

    return name


def trace_blocks() -> Callable[[Trail, Header], None]:
    """What ends the trace of a followed request when it is mined.

    Raises:
        StartRefused: the libraries are not installed.
    """
    provider = _make_provider("minequeue-worker")
    from opentelemetry.trace import SpanKind  # noqa: PLC0415  # as above
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415  # as above
        TraceContextTextMapPropagator,
    )

    tracer = provider.get_tracer("minequeue")
    propagator = TraceContextTextMapPropagator()

    def trace(trail: Trail, header: Header) -> None:
        if not trail.traceparent:
            return
        span = tracer.start_span(
            "mine",
            propagator.extract({"traceparent": trail.traceparent}),
            SpanKind.CONSUMER,
            start_time=trail.since_ms * _NS,
            attributes={
                "minequeue.request_id": trail.request_id,
                "minequeue.entries": trail.entries,
                "minequeue.block.index": header.index,
                "minequeue.block.hash": header.hash.hex(),
            },
        )
        span.end()

    return trace


def _make_provider(service: str) -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415  # above
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise StartRefused(
            "MINEQUEUE_TRACES=yes needs OpenTelemetry; install minequeue[otel]."
        ) from error
    named = Resource({"service.name": service}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=named)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    # the processes of web server and pool are children, which end without what atexit would run
    multiprocessing.util.Finalize(None, provider.shutdown, exitpriority=1)
    worker_process_shutdown.connect(lambda **_: provider.shutdown(), weak=False)
    return provider
