"""A running node without tokens, asked by the names that deployments give it, and by others."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from minequeue.chain.peers.allow_list import AllowList
from minequeue.workers.peers.client import PeerClient
from minequeue.workers.peers.http_node import HttpNode
from minequeue.workers.peers.node import PeerFaulty
from tests.compose_file import SERVICES
from tests.http import post, request, talk
from tests.manifests import find, kustomizations, literals, written
from tests.stack import Stack

BALANCER = "Minequ-LoadB-1ABCDEF.eu-central-1.elb.amazonaws.com"
_MAPS = kustomizations()
# the variable as each deployment sets it; a unit test of each ties it to the names that it uses
HOSTS = ",".join(
    [
        SERVICES["web"]["environment"]["MINEQUEUE_HOSTS"],
        literals(_MAPS["base"])["MINEQUEUE_HOSTS"],
        literals(_MAPS["production"])["MINEQUEUE_HOSTS"],
        f"{BALANCER},",
    ]
)
NAMES = {
    "compose's service": "web:3000",
    "KEDA and Prometheus": "web.minequeue.svc:3000",
    "another namespace": "web.minequeue.svc.cluster.local:3000",
    "the ingress": find(written(), "Ingress", "web")["spec"]["rules"][0]["host"],
    "the balancer": BALANCER,
    "a pod's address": "10.42.0.17:3000",
    "a pod's address of IPv6": "[fd00::17]:3000",
    "this machine": "localhost:3000",
}
FOREIGN = "evil.example:3000"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("origins") / "data", hosts=HOSTS).start()
    yield stack
    assert stack.stop() == 0


def _ask(node: Stack, method: str, path: str, **headers: str) -> int:
    return request(method, f"{node.url}{path}", headers=headers).status


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_node_is_asked_by_every_name_that_its_deployment_gives_it(node: Stack, name: str) -> None:
    for path in ("/", "/queue", "/metrics", "/health/ready"):
        assert _ask(node, "GET", path, Host=name) == 200, path
    value = {"sender": "alice", "recipient": "bob", "amount": 5}
    assert post(node.url, value, Host=name).status == 202
    assert post(node.url, value, Host=name, Origin=f"https://{name}").status == 202
    assert _ask(node, "GET", "/chain/mine", Host=name) == 202


def test_a_node_is_asked_by_no_other_name(node: Stack) -> None:
    for path in ("/", "/queue", "/metrics", "/events", "/mine"):
        assert _ask(node, "GET", path, Host=FOREIGN) == 421, path
    assert post(node.url, {}, Host=FOREIGN, Origin=f"http://{FOREIGN}").status == 421
    assert _ask(node, "GET", "/health/ready", Host=FOREIGN) == 200


def test_a_peer_meets_a_node_by_its_name(node: Stack) -> None:
    # the name leads to the node, as its network's own resolver has it
    client = PeerClient(AllowList.parse("127.0.0.0/8"), resolve=lambda *_: ["127.0.0.1"])
    port = urlsplit(node.url).port
    peer = HttpNode(client, f"http://web.minequeue:{port}")
    assert peer.tip().header.index >= 1
    peer.announce()
    with pytest.raises(PeerFaulty, match="421"):
        HttpNode(client, f"http://evil.example:{port}").tip()


def test_what_is_no_browser_need_not_name_a_host(node: Stack) -> None:
    assert b" 200 OK\r\n" in talk(node.url, b"GET /queue HTTP/1.0\r\n\r\n")


def test_the_commands_reach_a_node_by_a_name(node: Stack) -> None:
    url = f"http://localhost:{urlsplit(node.url).port}"
    done = node.run("status", "--url", url, "--json")
    assert done.returncode == 0, done.stderr
