"""The documents that the service takes and gives, as types that the OpenAPI document is made of."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from minequeue.chain.protocol.header import MAX_U64
from minequeue.chain.protocol.proof_of_work import HASH_BITS
from minequeue.chain.protocol.strict_json import MAX_INTEGER
from minequeue.chain.protocol.transaction import (
    MAX_ADDRESS,
    MAX_CONTRACT_BYTES,
    MAX_CONTRACT_DEPTH,
    MAX_NONCE,
)

# the bounds of Struct fields are for readers of the document; chain/ checks what comes in
Digest = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{64}$",
        examples=["6c23d3677ea59764627a02f918ffa6adec34ac252d0afa2925fe87c94083d2cc"],
    ),
]
Job = Annotated[str, Meta(pattern="^[0-9a-f]{32}$", examples=["2a00c9c7b8854b789d716dbb1acdf395"])]
Text = Annotated[str, Meta(min_length=1, max_length=MAX_ADDRESS, examples=["alice"])]
Nonce = Annotated[str, Meta(min_length=1, max_length=MAX_NONCE, examples=["order-17"])]
Amount = Annotated[int, Meta(ge=0, extra_json_schema={"maximum": MAX_INTEGER}, examples=[5])]
# a schema that names itself is none that a type here could have
CONTRACT = {
    "title": "Contract",
    "description": "Strings, integers within 2^53-1, booleans, null, arrays and objects; at most "
    f"{MAX_CONTRACT_DEPTH} levels deep and {MAX_CONTRACT_BYTES} bytes long in canonical form.",
    "anyOf": [
        {"type": ["string", "boolean", "null"]},
        {"type": "integer", "minimum": -MAX_INTEGER, "maximum": MAX_INTEGER},
        {"type": "array", "items": {"$ref": "#/components/schemas/Contract"}},
        {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Contract"}},
    ],
}
_Contract = Annotated[Any, Meta(extra_json_schema={"$ref": "#/components/schemas/Contract"})]
Signature = Annotated[str, Meta(pattern="^[0-9a-f]{128}$")]
_U64 = Annotated[int, Meta(ge=0, extra_json_schema={"maximum": MAX_U64})]
_Count = Annotated[int, Meta(ge=0)]
_Path = Annotated[str, Meta(examples=["/chain/tip"])]


class Submission(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A transaction as a client sends it."""

    sender: Text
    recipient: Text
    amount: Amount
    nonce: Nonce | UnsetType = UNSET
    contract: _Contract = UNSET
    signature: Signature | UnsetType = UNSET


class Transaction(Struct):
    """A transaction as it stands in a block, in canonical form (RFC 8785)."""

    id: Digest
    sender: Text
    recipient: Text
    amount: Amount
    nonce: Nonce
    contract: _Contract = UNSET
    signature: Signature | UnsetType = UNSET


class Header(Struct):
    """A block's header (96 bytes, all that is hashed)."""

    index: Annotated[int, Meta(ge=1)]
    timestamp: _U64
    proof: _U64
    previous_hash: Digest
    hash: Digest
    merkle_root: Digest
    bits: Annotated[int, Meta(ge=0, le=HASH_BITS)]
    version: Literal[1]


class Tip(Header):
    """The last header, the work of the whole chain, and whether the network demands signatures."""

    cumulative_work: Annotated[str, Meta(pattern="^[0-9]{1,78}$")]
    signatures: Literal["optional", "required"]


class Block(Header):
    """A block."""

    transactions: list[Transaction]


class MinedBlock(Block):
    """A block that a mine request made."""

    message: str
    job: Job


class Chain(Struct):
    """The chain or a page of it."""

    chain: list[Block]
    length: Annotated[int, Meta(ge=1)]


class Headers(Struct):
    """A page of headers."""

    headers: list[Header]
    length: Annotated[int, Meta(ge=1)]


class Links(Struct, omit_defaults=True):
    """Where to go on."""

    self: _Path
    proof: str = ""
    block: str = ""


class Receipt(Struct):
    """A receipt: the transaction is on disk, and will be in exactly one block."""

    message: str
    id: Digest
    status: Literal["pending"]
    links: Links


class Problem(Struct):
    """A refusal (RFC 9457)."""

    type: Annotated[str, Meta(pattern="^urn:minequeue:problem:[a-z0-9-]+$")]
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str


class Refused(Struct):
    """An entry of a batch that was refused."""

    status: Literal["refused"]
    problem: Problem


class JobReceipt(Struct):
    """The receipt of a request for work."""

    message: str
    id: Job
    status: Literal["queued"]
    links: Links


class BlockLocation(Struct):
    """A block by its index and its hash."""

    index: Annotated[int, Meta(ge=1)]
    hash: Digest


class JobState(Struct, omit_defaults=True):
    """What became of a request for work."""

    id: Job
    kind: Literal["mine", "resolve"]
    status: Literal["queued", "mining", "done"]
    links: Links
    block: BlockLocation | UnsetType = UNSET
    on_best_chain: bool = True
    replaced: bool = False
    peers_asked: _Count = 0
    peers_at_fault: _Count = 0


class TransactionState(Struct, omit_defaults=True):
    """Where a transaction is."""

    id: Digest
    status: Literal["pending", "mined"]
    links: Links
    block: BlockLocation | UnsetType = UNSET
    position: _Count = 0


class Proof(Struct):
    """The Merkle path (RFC 6962) from a transaction to its block's header."""

    id: Digest
    transaction: Transaction
    leaf_index: _Count
    tree_size: Annotated[int, Meta(ge=1)]
    path: list[Digest]
    merkle_root: Digest
    block: Header


PeerState = Literal["new", "same", "ahead", "behind", "faulty", "away", "not allowed"]


class Node(Struct):
    """A node that is known, and what was last seen of it."""

    address: Annotated[str, Meta(examples=["http://127.0.0.1:3001"])]
    state: PeerState
    reason: str
    seen_ms: _Count
    index: _Count
    failures: _Count
    next_ms: _Count
    slow: bool


class Nodes(Struct):
    """All nodes that are known."""

    total_nodes: list[str]
    nodes: list[Node]


class Registration(Struct, forbid_unknown_fields=True):
    """Nodes to be known."""

    nodes: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=300)]],
        Meta(min_length=1, examples=[["http://127.0.0.1:3001"]]),
    ]


class Registered(Struct):
    """The answer to a registration."""

    message: str
    total_nodes: list[str]


class Resolved(Struct, omit_defaults=True):
    """What came of resolving, with the chain as it is now."""

    message: str
    length: Annotated[int, Meta(ge=1)]
    chain: list[Block] | UnsetType = UNSET
    new_chain: list[Block] | UnsetType = UNSET


class QueueLimits(Struct):
    """What one submission may hold: transactions of a batch, and bytes of a body."""

    batch: Annotated[int, Meta(ge=1)]
    body_bytes: Annotated[int, Meta(ge=1)]


class QueueState(Struct):
    """What waits, and who works on it; what scalers read."""

    depth: _Count
    pending_transactions: _Count
    pending_bytes: _Count
    mine_requests: _Count
    oldest_age_s: Annotated[float, Meta(ge=0)]
    backlog_hashes: _Count
    estimated_drain_s: float | None
    hash_rate: Annotated[float, Meta(ge=0)]
    miners: _Count
    miners_busy: _Count
    miners_wanted: _Count
    kernels: dict[str, int]
    warnings: list[str]
    bits: Annotated[int, Meta(ge=1, le=HASH_BITS)]
    limits: QueueLimits
    tip: BlockLocation


class Health(Struct):
    """A probe's answer."""

    status: Literal["live", "ready"]
