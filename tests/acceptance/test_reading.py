"""What the service answers of its chain, held against hashes that are computed here."""

from typing import Any

from tests.http import Answer, post, request
from tests.independent import canonical, digest, pack_header
from tests.stack import Stack
from tests.waiting import wait_for

PLAIN = {"sender": "alice", "recipient": "bob", "amount": 5}


def _mine(url: str, wait_s: int = 30, key: str = "") -> Answer:
    named = {"Idempotency-Key": key} if key else {}
    return request("POST", f"{url}/mine", headers={"Prefer": f"wait={wait_s}", **named})


def _root_by(proof: dict[str, Any]) -> bytes:
    """The root that an RFC 6962 audit path leads to (RFC 9162, section 2.1.3.2)."""
    node = digest(b"\x00" + canonical(proof["transaction"]))
    position, last = proof["leaf_index"], proof["tree_size"] - 1
    for sibling in map(bytes.fromhex, proof["path"]):
        if position % 2 == 1 or position == last:
            node = digest(b"\x01" + sibling + node)
            while position % 2 == 0 and position:
                position, last = position // 2, last // 2
        else:
            node = digest(b"\x01" + node + sibling)
        position, last = position // 2, last // 2
    assert last == 0
    return node


def test_a_receipt_leads_to_a_proof_that_needs_no_trust(stack: Stack, url: str) -> None:
    receipts = post(url, [PLAIN] * 7).json()
    assert _mine(url).status == 200
    stack.wait_until_drained()
    for receipt in receipts:
        place = stack.get(receipt["links"]["self"]).json()
        assert place["status"] == "mined"
        proof = stack.get(receipt["links"]["proof"]).json()
        header = proof["block"]
        assert _root_by(proof).hex() == header["merkle_root"] == proof["merkle_root"]
        assert digest(pack_header(header)).hex() == header["hash"]
        assert place["block"] == {"index": header["index"], "hash": header["hash"]}
        assert place["position"] == proof["leaf_index"]
        block = stack.get(f"/chain/blocks/{header['hash']}").json()
        assert block["transactions"][proof["leaf_index"]]["id"] == receipt["id"]


def test_a_receipt_names_where_to_look(url: str) -> None:
    answer = post(url, PLAIN)
    receipt = answer.json()
    assert answer.status == 202
    assert set(receipt) == {"message", "id", "status", "links"}
    assert receipt["status"] == "pending"
    assert (
        answer.headers["Location"] == receipt["links"]["self"] == f"/transactions/{receipt['id']}"
    )


def test_a_mine_request_that_waits_gets_its_block_and_one_that_does_not_a_job(
    stack: Stack, url: str
) -> None:
    answer = _mine(url)
    assert answer.status == 200
    assert answer.headers["Preference-Applied"] == "wait"
    block = answer.json()
    assert {"message", "index", "transactions", "proof", "previous_hash"} <= set(block)
    assert block["transactions"][-1]["sender"] == "0"
    queued = request("GET", f"{url}/chain/mine")
    assert queued.status == 202
    assert queued.json()["status"] == "queued"
    stack.wait_until_drained()
    job = stack.get(queued.headers["Location"]).json()
    assert (job["id"], job["kind"], job["status"]) == (queued.json()["id"], "mine", "done")
    assert stack.get(job["links"]["block"]).json()["index"] == job["block"]["index"]


def test_a_mine_request_repeated_with_its_key_makes_one_block(stack: Stack, url: str) -> None:
    first = _mine(url, key="one block").json()
    tip = stack.get("/chain/tip").json()["index"]
    assert _mine(url, key="one block").json()["index"] == first["index"]
    assert stack.get("/chain/tip").json()["index"] == tip


def test_a_wait_that_is_no_number_is_ignored(url: str) -> None:
    for wait in ("wait=abc", "wait=-1", "respond-async"):
        assert request("POST", f"{url}/mine", headers={"Prefer": wait}).status == 202


def test_the_chain_is_read_whole_by_page_by_header_and_by_tip(stack: Stack, url: str) -> None:
    for _ in range(3):
        _mine(url)
    stack.wait_until_drained()
    answer = stack.get("/chain")
    whole = answer.json()
    tip = stack.get("/chain/tip").json()
    assert whole["length"] == len(whole["chain"]) == tip["index"]
    assert answer.headers["ETag"] == f'"{tip["hash"]}"'
    assert int(tip["cumulative_work"]) == sum(2 ** block["bits"] for block in whole["chain"])
    page = stack.get("/chain?from=2&limit=2").json()
    assert page == {"chain": whole["chain"][1:3], "length": whole["length"]}
    headers = stack.get("/chain/headers?from=2&limit=2").json()["headers"]
    assert headers == [
        {name: value for name, value in block.items() if name != "transactions"}
        for block in whole["chain"][1:3]
    ]
    for name in (2, whole["chain"][1]["hash"]):
        assert stack.get(f"/chain/blocks/{name}").json() == whole["chain"][1]


def test_an_unchanged_chain_is_not_sent_again(stack: Stack, url: str) -> None:
    stack.wait_until_drained()
    etag = stack.get("/chain").headers["ETag"]
    again = request("GET", f"{url}/chain", headers={"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")


def test_an_empty_queue_means_that_all_is_in_blocks(stack: Stack, url: str) -> None:
    def mine_one() -> dict[str, Any]:
        assert post(url, PLAIN).status == 202
        assert stack.queue()["oldest_age_s"] >= 0
        stack.wait_until_drained()
        return stack.queue()

    # a miner tells its speed with its second range, and a new one may find its block in the first
    wait_for(lambda: mine_one()["hash_rate"] > 0, "a miner that knows its speed", 30)
    queue = mine_one()
    assert queue["pending_bytes"] == queue["backlog_hashes"] == queue["estimated_drain_s"] == 0
    assert queue["hash_rate"] > 0
    assert queue["miners"] >= 1
    assert queue["tip"]["index"] == stack.get("/chain/tip").json()["index"]


def test_the_probes_and_the_page_answer(stack: Stack) -> None:
    for path in ("/", "/health/live", "/health/ready"):
        assert stack.get(path).status == 200
