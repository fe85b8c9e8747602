"""Why an invocation fails: then AWS delivers its event again, and at last where failures go."""

from minequeue.chain.errors import MinequeueError


class NotAccepted(MinequeueError):
    """A part of the event was rejected; the log names it, and says what to change."""


class UnknownEvent(MinequeueError):
    """Unknown kind of event; docs/lambda.md lists the accepted kinds."""
