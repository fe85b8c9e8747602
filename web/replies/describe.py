"""What a view says of itself for the OpenAPI document; the document is made of nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from minequeue.web.replies.answers import JSON

F = TypeVar("F", bound=Callable[..., Any])
_DESCRIPTION = "minequeue_description"  # the attribute of a view


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a request.

    Attributes:
        name: as it stands in the request.
        where: "query", "header" or "path".
        text: one sentence.
        schema: JSON Schema of its value.
        example: a value.
        is_required: whether the request has to have it; a part of the path it always has.
    """

    name: str
    where: str
    text: str
    schema: Mapping[str, Any]
    example: Any = None
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request: for each media type a JSON Schema, or a type that has one.

    Attributes:
        kinds: by media type.
        text: one sentence.
        example: of the first kind.
    """

    kinds: Mapping[str, Any]
    text: str
    example: Any = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is no problem.

    Attributes:
        status: of it.
        text: one sentence.
        body: a type or a JSON Schema; None where there is no body.
        media: the type of the body.
        headers: their meaning, by their names.
    """

    status: int
    text: str
    body: Any = None
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Description:
    """All that a view says of itself.

    Attributes:
        replies: what it answers.
        problems: the statuses of its refusals; those of tokens, of unreadable bodies and of
            an absent server are left out.
        parameters: of the request.
        body: of the request.
        reads_ledger: whether it needs the server.
    """

    replies: Sequence[Reply]
    problems: Sequence[int] = ()
    parameters: Sequence[Parameter] = ()
    body: Body | None = None
    reads_ledger: bool = True


def describe(
    *replies: Reply,
    problems: Sequence[int] = (),
    parameters: Sequence[Parameter] = (),
    body: Body | None = None,
    reads_ledger: bool = True,
) -> Callable[[F], F]:
    """Describe the view; its docstring's first line is the summary."""

    def decorate(view: F) -> F:
        setattr(view, _DESCRIPTION, Description(replies, problems, parameters, body, reads_ledger))
        return view

    return decorate


def description_of(view: Callable[..., Any]) -> Description | None:
    """What a view says of itself, None where it says nothing."""
    found: Description | None = getattr(view, _DESCRIPTION, None)
    return found
