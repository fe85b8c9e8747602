"""The design that minequeue replaces: the tutorial's blockchain, which mines inside the request.

Chain and waiting transactions live in the process, so each replica has its own; nothing is locked.
Run as ``python -m tests.chaos.synchronous PORT`` it is one replica. Written anew after what the
ancestor does; registering peers and resolving conflicts with them is left out.
"""

import json
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any, TypeAlias
from uuid import uuid4

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.serving import WSGIRequestHandler, run_simple

DIFFICULTY = "0000"  # what the hash of a proof must begin with, in hex
Block: TypeAlias = dict[str, Any]


class Blockchain:
    """A list of blocks, and a list of transactions for the next."""

    def __init__(self) -> None:
        self.chain: list[Block] = []
        self.current_transactions: list[dict[str, Any]] = []
        self.new_block(proof=100, previous_hash="1")

    def new_block(self, proof: int, previous_hash: str) -> Block:
        block = {
            "index": len(self.chain) + 1,
            "timestamp": time.time(),
            "transactions": self.current_transactions,
            "proof": proof,
            "previous_hash": previous_hash,
        }
        self.current_transactions = []
        self.chain.append(block)
        return block

    def new_transaction(self, sender: str, recipient: str, amount: int) -> int:
        """Let it wait for the next block, whose index is returned."""
        self.current_transactions.append(
            {"sender": sender, "recipient": recipient, "amount": amount}
        )
        return int(self.chain[-1]["index"]) + 1


def hash_block(block: Block) -> str:
    return sha256(json.dumps(block, sort_keys=True).encode()).hexdigest()


def is_proof(last_proof: int, proof: int, last_hash: str) -> bool:
    return sha256(f"{last_proof}{proof}{last_hash}".encode()).hexdigest().startswith(DIFFICULTY)


def find_proof(last_block: Block) -> int:
    last_proof, last_hash = last_block["proof"], hash_block(last_block)
    proof = 0
    while not is_proof(last_proof, proof, last_hash):
        proof += 1
    return proof


def is_valid_chain(chain: Sequence[Block]) -> bool:
    """The ancestor's own rule: each block names the one before and has its proof."""
    for last, block in pairwise(chain):
        last_hash = hash_block(last)
        if block["previous_hash"] != last_hash:
            return False
        if not is_proof(last["proof"], block["proof"], last_hash):
            return False
    return True


def create_app() -> Flask:
    app = Flask(__name__)
    node = uuid4().hex
    blockchain = Blockchain()

    @app.post("/chain/new")
    def new_transaction() -> ResponseReturnValue:
        values = request.get_json()
        if not all(name in values for name in ("sender", "recipient", "amount")):
            return "Missing values", 400
        index = blockchain.new_transaction(values["sender"], values["recipient"], values["amount"])
        return jsonify({"message": f"Transaction will be added to Block {index}"}), 201

    @app.get("/chain/mine")
    def mine() -> ResponseReturnValue:
        last_block = blockchain.chain[-1]
        proof = find_proof(last_block)
        blockchain.new_transaction(sender="0", recipient=node, amount=1)
        block = blockchain.new_block(proof, hash_block(last_block))
        return jsonify({"message": "New Block Forged", **block})

    @app.get("/chain")
    def full_chain() -> ResponseReturnValue:
        return jsonify({"chain": blockchain.chain, "length": len(blockchain.chain)})

    return app


class _Quiet(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), create_app(), threaded=True, request_handler=_Quiet)
