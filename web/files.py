"""Files that are part of the package and served as they are."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

from flask import Response

from web.reading import stream

SCRIPT = "text/javascript; charset=utf-8"
STYLE = "text/css; charset=utf-8"


_PART_BYTES = 64 * 1024


def stream_file(path: str, content_type: str, headers: Mapping[str, str]) -> Response:
    """As :func:`answer_file`, of a large one: in parts, so that no slow reader has a copy.

    Raises:
        Problem: too many read already.
    """
    content = memoryview(_read(path))
    parts = (bytes(content[at : at + _PART_BYTES]) for at in range(0, len(content), _PART_BYTES))
    answer = stream(parts, content_type)
    answer.headers.update(headers)
    answer.content_length = len(content)
    return answer


def answer_file(path: str, content_type: str, headers: Mapping[str, str]) -> Response:
    """The file at ``path`` below web/."""
    return Response(_read(path), headers=dict(headers), content_type=content_type)


@cache
def _read(path: str) -> bytes:
    return resources.files("web").joinpath(*path.split("/")).read_bytes()
