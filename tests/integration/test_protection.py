"""A real worker beside an HTTP server that stands for the ECS agent, which runs on AWS alone."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from minequeue.chain.ledger import RedisClient
from minequeue.workers.runtime.ecs_protection import EXPIRES_MIN, Agent, AgentFailed
from tests.ledgers import request_mine
from tests.waiting import wait_for
from tests.workers import StartWorker, is_drained, open_ledger

PATH = "/api/some-id/task-protection/v1/state"
ARN = "arn:aws:ecs:eu-central-1:123456789012:task/minequeue/1"


class StandIn(ThreadingHTTPServer):
    """Answers as the agent documents it.

    Attributes:
        asked: path, content type and body of each request.
        fault: what it does instead of its work: "refuse", "break", "hang".
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str | None, dict[str, Any]]] = []
        self.fault = ""
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/some-id"

    def wants(self) -> list[bool]:
        return [body["ProtectionEnabled"] for _, _, body in self.asked]


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.headers["Content-Type"], body))
        if self.server.fault == "hang":
            self.server.stopping.wait()
        if self.server.fault == "break":
            self._answer(500, b"<html>")
        elif self.server.fault == "refuse":
            failure = {"Arn": ARN, "Reason": "DEPLOYMENT_BLOCKED"}
            self._answer(200, json.dumps({"failure": failure}).encode())
        else:
            state = {"TaskArn": ARN, "ProtectionEnabled": body["ProtectionEnabled"]}
            self._answer(200, json.dumps({"protection": state}).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def agent() -> Iterator[StandIn]:
    with StandIn() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.stopping.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def agent_of_workers(
    agent: StandIn, redis_client: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> StandIn:
    """The agent that ECS names to the workers of this test, whose server is empty."""
    assert redis_client.client.ping()
    monkeypatch.setenv("ECS_AGENT_URI", agent.url)
    return agent


def test_the_agent_is_asked_as_it_documents(agent: StandIn) -> None:
    Agent(agent.url).protect(True)
    Agent(agent.url).protect(False)
    assert agent.asked == [
        (PATH, "application/json", {"ProtectionEnabled": True, "ExpiresInMinutes": EXPIRES_MIN}),
        (PATH, "application/json", {"ProtectionEnabled": False}),
    ]


@pytest.mark.parametrize("fault", ["refuse", "break", "hang"])
def test_a_fault_of_the_agent_has_one_name(agent: StandIn, fault: str) -> None:
    agent.fault = fault
    with pytest.raises(AgentFailed):
        Agent(agent.url).protect(True)


def test_an_agent_that_is_not_there_is_such_a_fault(agent: StandIn) -> None:
    agent.server_close()
    with pytest.raises(AgentFailed):
        Agent("http://127.0.0.1:9/api").protect(True)


@pytest.mark.parametrize("fault", ["", "refuse", "break", "hang"])
def test_a_worker_mines_whatever_the_agent_does(
    server_url: str, start_worker: StartWorker, agent_of_workers: StandIn, fault: str
) -> None:
    agent = agent_of_workers
    agent.fault = fault
    with open_ledger(server_url, bits="22") as ledger:
        start_worker(server_url, bits="22")
        for _ in range(60):
            request_mine(ledger)
        wait_for(agent.wants, "a request for protection", 60)
        wait_for(lambda: is_drained(ledger), "draining", 60)
        assert agent.wants()[0] is True
        if not fault:
            wait_for(lambda: agent.wants()[-1] is False, "an idle worker's request", 60)
