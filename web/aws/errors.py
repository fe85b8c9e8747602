"""Why an invocation fails: then AWS delivers its event again, and at last where failures go."""

from minequeue.chain.errors import MinequeueError


class NotAccepted(MinequeueError):
    """Something of the event was not accepted; the log says what, and what to change."""


class UnknownEvent(MinequeueError):
    """The event is of no kind that is taken here; docs/lambda.md lists those that are."""
