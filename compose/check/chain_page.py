"""Some blocks on their way to be checked: parsed late, by the process that checks them."""

from dataclasses import dataclass
from typing import Any

from minequeue.chain.errors import MalformedJson, MinequeueError
from minequeue.chain.protocol import strict_json


class CannotRead(MinequeueError):
    """No chain can be read there; give a node's URL, its answer in a file, or a data directory."""


@dataclass(frozen=True, slots=True)
class Page:
    """Blocks that follow one another; a value that can be sent to a process.

    Attributes:
        source: where they come from, for a message.
        raw: an answer of GET /chain as it came.
        count: how many blocks were asked for; None for the whole chain.
    """

    source: str
    raw: bytes
    count: int | None = None

    def read(self) -> list[Any]:
        """The blocks, as they were sent.

        Raises:
            CannotRead: it is no answer of GET /chain, or one with another number of blocks.
        """
        blocks, length = parse_answer(self.raw, self.source)
        expected = length if self.count is None else self.count
        if len(blocks) != expected:
            raise CannotRead(f"{self.source} holds {len(blocks)} blocks and not {expected}.")
        return blocks


def parse_answer(raw: bytes, source: str) -> tuple[list[Any], int]:
    """The blocks of an answer of GET /chain, and the length of the chain that it tells.

    Raises:
        CannotRead: it is none.
    """
    try:
        answer = strict_json.loads(raw)
    except MalformedJson as error:
        raise CannotRead(f"{source} is not JSON ({error}).") from None
    blocks, length = (
        (answer.get("chain"), answer.get("length")) if isinstance(answer, dict) else (None, None)
    )
    if not isinstance(blocks, list) or type(length) is not int:
        raise CannotRead(f"{source} is not an answer of GET /chain.")
    return blocks, length
