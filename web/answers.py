"""Answers in JSON."""

from typing import Any

import msgspec
from flask import Response

_encode = msgspec.json.Encoder().encode


def answer_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer ``value`` as JSON."""
    return Response(_encode(value), status, headers=headers, content_type="application/json")
