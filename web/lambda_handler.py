"""What AWS Lambda is configured with: ``minequeue.web.lambda_handler.handler``.

To import it makes the function, so that this is done before the first event. How it is put together
is compose's matter, which web does not know: an entry point of the package says who does it.
"""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

(_maker,) = entry_points(group="minequeue.lambda", name="handler")
handler: Callable[[Any, Any], dict[str, Any]] = _maker.load()()
