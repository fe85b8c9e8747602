"""What every server that keeps the ledger must be told, for tests, and what its user may do."""

from pathlib import Path

from minequeue.compose.config.embedded import server_command

# where it listens and where it keeps its data is its place's own; only the embedded one's
# environment is looked for
_OWN = frozenset({"port", "unixsocket", "unixsocketperm", "dir", "maxmemory", "set-proc-title"})
# what docs/security.md gives to the operator: of the user that nobody is, and of the parts'
DEFAULT_RIGHTS = ("off", "resetpass", "~*", "&*", "+@all")
RIGHTS = (
    "~{minequeue:*", "~{minequeue}:*", "&*", "+@all", "-@admin", "-@dangerous", "+info",
    "+config|get",
)  # fmt: skip


def kept_options(scratch: Path) -> dict[str, str]:
    """The options by which the embedded server keeps what it was given."""
    given = parse_options(server_command("valkey-server", scratch, scratch / "socket"))
    return {name: value for name, value in given.items() if name not in _OWN}


def parse_options(command: list[str]) -> dict[str, str]:
    """The options of a server's command line, all of which have a value."""
    words = command[1:]
    assert all(word.startswith("--") for word in words[::2]), words
    return dict(zip([word[2:] for word in words[::2]], words[1::2], strict=True))
