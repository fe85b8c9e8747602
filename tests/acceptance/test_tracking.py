"""A request is tracked from its answer to its block, in the logs and in a trace."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.http import post, request
from tests.stack import Stack
from tests.waiting import wait_for

CLIENT_TRACE = "0af7651916cd43dd8448eb211c80319c"
CLIENT_SPAN = "b7ad6b7169203331"
WEB, WORKER = "minequeue-web", "minequeue-worker"


class Collector:
    """An OTLP collector that keeps the spans that it is sent, with the names of their services."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Any]] = []

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            (service,) = [
                attribute.value.string_value
                for attribute in resource.resource.attributes
                if attribute.key == "service.name"
            ]
            for scope in resource.scope_spans:
                self.spans += [(service, span) for span in scope.spans]

    def of(self, trace: str) -> dict[str, Any]:
        """The spans of a trace, by their services."""
        return {service: span for service, span in self.spans if span.trace_id.hex() == trace}


@contextmanager
def collect() -> Iterator[tuple[Collector, str]]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield collector, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def find_event(stack: Stack, part: str, event: str, request_id: str) -> dict[str, Any] | None:
    """The line of a part's log, every one of which is a JSON object."""
    for line in (stack.data_dir / "logs" / f"{part}.log").read_text().splitlines():
        found: dict[str, Any] = json.loads(line)
        if found["event"] == event and found.get("request_id") == request_id:
            return found
    return None


def test_a_request_is_followed_in_the_logs_and_in_one_trace(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data", log="json", traces="yes")
    with collect() as (collector, url):
        stack.environment |= {
            "http_proxy": "",  # the exporter follows it, as it should
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        stack.start()
        try:
            answer = post(
                stack.url,
                [{"sender": "a", "recipient": "b", "amount": amount} for amount in range(3)],
                X_Request_Id="checkout-17",
                traceparent=f"00-{CLIENT_TRACE}-{CLIENT_SPAN}-01",
            )
            assert (answer.status, answer.headers["X-Request-Id"]) == (202, "checkout-17")
            mine = request(
                "POST",
                f"{stack.url}/chain/mine",
                b"",
                {"X-Request-Id": "mine-18", "Prefer": "wait=20"},
            )
            assert mine.status == 200
            wait_for(lambda: find_event(stack, "workers", "mined", "checkout-17"), "its block", 20)
            wait_for(lambda: len(collector.of(CLIENT_TRACE)) == 2, "both spans", 20)
            for _ in range(20):  # whose traces begin here
                assert post(stack.url, {"sender": "a", "recipient": "b", "amount": 9}).status == 202
            stack.wait_until_drained()
        finally:
            assert stack.stop() == 0
        accepted = find_event(stack, "web", "accepted", "checkout-17")
        mined = find_event(stack, "workers", "mined", "checkout-17")
        assert accepted
        assert mined
        assert (accepted["entries"], mined["entries"]) == (3, 3)
        assert accepted["time"] <= mined["time"]
        job = find_event(stack, "workers", "mined", "mine-18")
        assert job
        assert job["index"] == mine.json()["index"]
    # a clean stop sends what was not sent yet: no trace lacks its other half
    traces = {span.trace_id.hex() for _, span in collector.spans}
    assert len(traces) == 22
    assert all(set(collector.of(trace)) == {WEB, WORKER} for trace in traces)
    spans = collector.of(CLIENT_TRACE)
    web, worker = spans[WEB], spans[WORKER]
    assert web.parent_span_id.hex() == CLIENT_SPAN
    assert worker.parent_span_id == web.span_id
    told = {attribute.key: attribute.value for attribute in worker.attributes}
    assert told["minequeue.request_id"].string_value == "checkout-17"
    assert told["minequeue.block.index"].int_value == mined["index"]
    assert worker.start_time_unix_nano < worker.end_time_unix_nano
