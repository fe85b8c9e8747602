"""What the ledger says of itself: its format, and the rules of its network beside the blocks.

Whoever opens it is held to that, at the start and with every connection. A ledger of an earlier
format is taken over in place, in bounded steps: each is repeatable, and any number of parts may
take them together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from minequeue.chain.errors import (
    LedgerLost,
    NewerLedger,
    RulesNotRaised,
    WeakerRules,
    WrongNetwork,
    WrongRules,
)
from minequeue.chain.ledger.blocks import Blocks
from minequeue.chain.ledger.keys import Keys
from minequeue.chain.ledger.pool import Ask
from minequeue.chain.ledger.record import Record
from minequeue.chain.ledger.redis_client import RedisClient
from minequeue.chain.ledger.scripts import read_scripts
from minequeue.chain.protocol.header import genesis
from minequeue.chain.protocol.rules import WIDEST, Limits, RuleRecord, Rules

FORMAT = 2  # of the ledger; what the first version left has no mark and counts as 1
READER = "1.1.0"  # the least version that reads this format
_BATCH = 1000  # blocks in one step of taking over a ledger

# a part of taking over a format; it may be done again. True once nothing of it is left
Step: TypeAlias = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Page:
    """What the ledger said of itself.

    Attributes:
        first: the genesis block's record, empty where there is none.
        tip: the index of the tip, 0 where there is none.
        fields: of the rules; empty where nothing is there.
    """

    first: bytes
    tip: int
    fields: Mapping[str, str]

    @property
    def format(self) -> int:
        """The ledger's format."""
        return int(self.fields.get("format", "1"))

    @property
    def revision(self) -> str:
        """How often its rules changed."""
        return self.fields.get("revision", "0")

    @property
    def record(self) -> RuleRecord:
        """The rules that blocks had to keep; in the first version nobody wrote them down."""
        changes = [
            (int(name.removeprefix("from:")), _read_limits(text))
            for name, text in self.fields.items()
            if name.startswith("from:")
        ]
        return RuleRecord(sorted(changes, key=lambda change: change[0]) or [(2, WIDEST)])


class RuleBook:
    """The ledger's word on its format and its rules, as it was read last.

    Attributes:
        page: that word.
        rules: this part's own.
    """

    def __init__(self, redis_client: RedisClient, keys: Keys, blocks: Blocks, rules: Rules) -> None:
        self._redis = redis_client
        self._keys = keys
        self._blocks = blocks
        self.rules = rules
        self.page = Page(b"", 0, {})
        self._is_held_to = False

    def look(self) -> Page:
        """Read it, whatever this part's rules are.

        Raises:
            LedgerLost: there is no chain.
            NewerLedger: a later version made it.
        """
        return _parse(self._redis.script(self._keys, "read_rules", []))

    def read(self) -> Page:
        """Read it, and see that it is this network's.

        Raises:
            LedgerLost, NewerLedger: see :meth:`look`.
            WrongNetwork, WrongRules: it is another one.
        """
        self.page = self._judge(self.look())
        return self.page

    def check(self, ask: Ask) -> str:
        """Judge a connection by what the ledger says there; for :meth:`CheckedPool.add_check`.

        Raises:
            LedgerLost, WrongNetwork, WrongRules, NewerLedger: see :meth:`read`.
            WeakerRules: blocks made by this part's rules would break the network's.
        """
        script = read_scripts()["read_rules"]
        keys = script.find_keys(self._keys)
        answer = ask("EVAL", script.source, str(len(keys)), *keys)
        self.page = self._judge(_parse(answer))
        self.check_own_rules(self.page.tip + 1)
        return ""

    def is_weaker(self, index: int) -> bool:
        """Whether a block at ``index`` that is made by this part's rules breaks the network's."""
        return not self.page.record.at(index).are_kept_by(self.rules.limits)

    def check_own_rules(self, index: int) -> None:
        """See that a block at ``index`` that is made by this part's rules keeps the network's.

        Raises:
            WeakerRules: it would not.
        """
        if self.is_weaker(index):
            raise WeakerRules(
                f"The ledger's rules are {_describe(self.page.record.at(index))}, and this part is "
                f"set to {_describe(self.rules.limits)}; set it to the ledger's, or change "
                "those with minequeue rules raise."
            )

    def open(self) -> None:
        """Read it, take the ledger over from an earlier format, and hold to it from now on.

        Raises:
            LedgerLost, WrongNetwork, WrongRules, NewerLedger, WeakerRules: see :meth:`check`.
        """
        self.read()
        self.upgrade({1: self._survey}, FORMAT)
        self.check_own_rules(self.page.tip + 1)
        if not self._is_held_to:
            self._redis.pool.add_check(self.check)
            self._is_held_to = True

    def upgrade(self, steps: Mapping[int, Step], newest: int) -> None:
        """Take the ledger over, format by format, up to ``newest``.

        Args:
            steps: what is to be done again and again with a ledger of each format; the last time
                marks it with the next.
            newest: the format to reach.
        """
        while (found := self.page.format) < newest:
            while not steps[found]():
                pass
            self.read()

    def raise_limits(self, limits: Limits, first: int | None = None) -> int:
        """Let blocks keep ``limits`` from the one at ``first`` on, or from the next one.

        Returns:
            The index of the first block that has to keep them.

        Raises:
            RulesNotRaised: that block is mined, there is a later change, a rule would be less than
                it is, or it was changed or mined meanwhile.
        """
        page = self.read()
        if page.format < FORMAT:
            raise RulesNotRaised(
                "The ledger is of an earlier format; start a part of this version on it first."
            )
        last, now = page.record.changes[-1]
        begins = first or page.tip + 1
        if not (
            limits.bits >= now.bits
            and limits.block_transactions >= now.block_transactions
            and limits.block_bytes >= now.block_bytes
        ):
            raise RulesNotRaised(
                f"The ledger's rules are {_describe(now)} already, and can only be raised."
            )
        if begins <= page.tip or begins < last:
            raise RulesNotRaised(
                f"Block {page.tip} is mined, and the last change is from block {last} on; name a "
                "block that comes after both."
            )
        if not self._change(page, begins, limits):
            raise RulesNotRaised
        return begins

    def _change(self, page: Page, first: int, limits: Limits, before: str = "") -> bool:
        answer: bytes = self._redis.script(
            self._keys,
            "change_rules",
            [page.revision, first, write_limits(limits), before, FORMAT, READER],
        )
        return answer == b"CHANGED"

    def _survey(self) -> bool:
        """Read more of the chain that the first version left, and then write down its rules.

        It had the bits of its parts' settings, which may have been raised since the chain began.
        So what is there has to keep the least of its blocks, and what comes our settings.
        """
        page = self.read()
        if page.format > 1:
            return True
        done, least = map(int, page.fields.get("surveyed", f"1:{self.rules.bits}").split(":"))
        records = self._blocks.read_records(done + 1, min(done + _BATCH, page.tip))
        least = min([least, *(record.header.bits for record in records)])
        done += len(records)
        if done < page.tip:
            surveyed = f"{done}:{least}"
            key = self._keys.rules
            self._redis.run(lambda client: client.hset(key, "surveyed", surveyed))
            return False
        before = replace(WIDEST, bits=least)
        # where it is refused, somebody else has done it, or mined: the next time tells
        self._change(page, page.tip + 1, self.rules.limits, write_limits(before))
        return False

    def _judge(self, page: Page) -> Page:
        if Record.unpack(page.first).header != genesis(self.rules.network):
            raise WrongNetwork
        if (page.fields.get("signed", "0") == "1") != self.rules.signed:
            raise WrongRules
        return page


def _parse(answer: Any) -> Page:
    first, tip, *flat = answer
    texts = [text.decode() for text in flat]
    page = Page(first, int(tip or 0), dict(zip(texts[::2], texts[1::2], strict=True)))
    if page.format > FORMAT:
        reader = page.fields["reader"]
        raise NewerLedger(
            f"The ledger has format {page.format}, which minequeue {reader} reads and this version "
            f"does not; use {reader} or later."
        )
    if not page.first or not page.tip:
        raise LedgerLost
    return page


def write_limits(limits: Limits) -> str:
    """How the ledger keeps them."""
    return f"{limits.bits}:{limits.block_transactions}:{limits.block_bytes}"


def _read_limits(text: str) -> Limits:
    return Limits(*map(int, text.split(":")))


def _describe(limits: Limits) -> str:
    return (
        f"{limits.bits} bits, {limits.block_transactions} transactions and {limits.block_bytes} "
        "bytes in a block"
    )
