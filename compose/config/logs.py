"""Logs: one line an event, as JSON or for people, the same for every part.

An event is what a logger is told as its message; what belongs to it stands in ``extra={"fields":
{...}}`` and becomes members of the JSON object, or words behind the message.
"""

import logging
import logging.config
from datetime import UTC, datetime
from typing import Any

import msgspec

from minequeue.compose.text.terminal import escape

_OURS = ("minequeue", "celery")


class _Lines(logging.Formatter):
    """What both forms have in common."""

    def read(self, record: logging.LogRecord) -> dict[str, Any]:
        """The event's members."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return {
            "time": when.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }

    def explain(self, record: logging.LogRecord) -> str:
        """The traceback that belongs to the event, or ""."""
        return self.formatException(record.exc_info) if record.exc_info else ""


class JsonLines(_Lines):
    """A JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """As the base class says."""
        members = self.read(record)
        if told := self.explain(record):
            members["exception"] = told
        return msgspec.json.encode(members, enc_hook=str).decode()


class TextLines(_Lines):
    """A line for people; a traceback stands below it."""

    def format(self, record: logging.LogRecord) -> str:
        """As the base class says."""
        members = self.read(record)
        head = [members.pop(name) for name in ("time", "level", "logger", "event")]
        words = [f"{name}={value}" for name, value in members.items()]
        event = " ".join(head[3].splitlines())
        line = escape(" ".join([head[0], head[1].upper(), f"{head[2]}:", event, *words]))
        told = "\n".join(map(escape, self.explain(record).splitlines()))
        return f"{line}\n{told}" if told else line


_FORMS = {"json": JsonLines, "text": TextLines}


def make_config(form: str) -> dict[str, Any]:
    """What :func:`logging.config.dictConfig` takes, for the form "json" or "text"."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": _FORMS[form]}},
        "handlers": {
            "output": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "lines",
            }
        },
        "root": {"handlers": ["output"], "level": "WARNING"},
        "loggers": {name: {"level": "INFO"} for name in _OURS},
    }


def configure(form: str) -> None:
    """Log so in this process and in those that it forks."""
    logging.config.dictConfig(make_config(form))
    logging.captureWarnings(True)
