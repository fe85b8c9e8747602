"""What a fault is."""

from random import Random
from typing import Protocol

from tests.chaos.field import Field, Kind


class Fault(Protocol):
    """Something that happens to a stack and passes."""

    @property
    def name(self) -> str:
        """As it is counted."""
        ...

    @property
    def kind(self) -> Kind:
        """The kind of field that it needs."""
        ...

    def strike(self, field: Field, drawn: Random) -> None:
        """Make it happen.

        Raises:
            AssertionError: it did not happen, or what must follow it did not.
            NotCovered: it cannot happen here.
        """
        ...

    def heal(self, field: Field) -> None:
        """Undo what does not undo itself."""
        ...


class NotCovered(Exception):  # a finding, not a failure
    """This machine does not let the fault happen; the message says why."""
