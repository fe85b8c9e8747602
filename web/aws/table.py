"""DynamoDB: an item that is inserted into a table is a transaction."""

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from minequeue.chain.errors import InvalidTransaction
from minequeue.chain.protocol import strict_json
from minequeue.chain.protocol.strict_json import Json
from minequeue.web.aws.messages import Message, Record, report, submit_messages
from minequeue.web.services import Services

_FIELDS = frozenset({"sender", "recipient", "amount", "nonce", "contract", "signature"})


def take_stream(records: Iterable[Record], services: Services) -> dict[str, Any]:
    """Submit the items that were inserted, and report the records that were not accepted.

    What changes or removes an item is no new transaction, and is passed over. All records of a
    batch are submitted, those behind a bad one too, so that none depends on what becomes of it.
    """
    messages = [
        Message(
            "DynamoDB",
            record["dynamodb"]["SequenceNumber"],
            record["eventID"],
            partial(_read_image, record["dynamodb"]),
        )
        for record in records
        if record["eventName"] == "INSERT"
    ]
    return report(submit_messages(messages, services))


def _read_image(change: Mapping[str, Any]) -> bytes:
    """The item as JSON; the table's keys are left out where they are no fields."""
    if "NewImage" not in change:
        raise InvalidTransaction("The record has no NewImage; set the stream's view to NEW_IMAGE.")
    foreign = set(change.get("Keys", ())) - _FIELDS
    item = {
        name: _read_value(value, name, strict_json.MAX_DEPTH)
        for name, value in change["NewImage"].items()
        if name not in foreign
    }
    return json.dumps(item).encode()


def _read_value(value: Mapping[str, Any], name: str, levels: int) -> Json:
    """What an attribute's value is in JSON; a number is read as strictly as in a request."""
    if not levels:
        raise strict_json.too_deep()
    ((kind, content),) = value.items()
    match kind:
        case "S" | "BOOL":
            return content  # type: ignore[no-any-return]  # by its kind
        case "N":
            return strict_json.loads(content.encode("utf-8", "surrogatepass"))
        case "NULL":
            return None
        case "L":
            return [_read_value(each, name, levels - 1) for each in content]
        case "M":
            return {key: _read_value(each, name, levels - 1) for key, each in content.items()}
    raise InvalidTransaction(
        f"{name[:80]!r} holds an attribute of the type {kind}, which JSON has not.", field=name[:80]
    )
