"""Files that are part of the package and served as they are."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

from flask import Response

SCRIPT = "text/javascript; charset=utf-8"
STYLE = "text/css; charset=utf-8"


def answer_file(path: str, content_type: str, headers: Mapping[str, str]) -> Response:
    """The file at ``path`` below web/."""
    return Response(_read(path), headers=dict(headers), content_type=content_type)


@cache
def _read(path: str) -> bytes:
    return resources.files("minequeue.web").joinpath(*path.split("/")).read_bytes()
