"""Answers that end in the middle, because the server went away: one line of the log, no traceback.

The web server ends the connection, so that no half of a chain looks whole; it then writes the whole
traceback of what is no fault of the program.
"""

import logging

LOGGER = "_granian.utils"  # what granian writes an application's exceptions with
_NO_FAULTS = ("minequeue.chain.errors.LedgerUnavailable", "ConnectionAbortedError")


class CutAnswers(logging.Filter):
    """Shortens what is written of them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record through, in one line where it is of an answer that was cut."""
        said = record.getMessage().rstrip()
        last = said.rpartition("\n")[2]
        if "Traceback" in said and last.startswith(_NO_FAULTS):
            record.msg, record.args = f"an answer was cut: {last}", ()
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def shorten() -> None:
    """Do so in this process."""
    logging.getLogger(LOGGER).addFilter(CutAnswers())
