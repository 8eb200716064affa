"""Opening the NATS connection: the first time in a hurry, from then on with patience."""

import asyncio
import logging
import re
from typing import Any, Dict, Optional

import nats.errors
from nats.aio.client import Client as NatsClient

from .errors import ProbeTaskError

_LOG = logging.getLogger("probe_task")
#: Silent unless the program sets up logging: nats-py's own listener prints a traceback for every try.
_LOG.addHandler(logging.NullHandler())

#: How nats-py comes back when the server was away: for ever.
_LASTING: Dict[str, Any] = {"max_reconnect_attempts": -1, "reconnect_time_wait": 0.5}
#: Two tries for each server, the least that nats-py knows an end of.
_FIRST: Dict[str, Any] = {"max_reconnect_attempts": 1, "reconnect_time_wait": 0.05}


async def open_connection(url: str, timeout: float, options: Dict[str, Any]) -> NatsClient:
    """Raises ``UNAVAILABLE`` with the reason when no server takes the connection, at the latest after ``timeout``
    seconds. ``options`` are those of nats-py's ``connect``.
    """
    connection = NatsClient()
    lasting = {name: options.get(name, value) for name, value in _LASTING.items()}
    last_error: Optional[Exception] = None

    async def listen(error: Exception) -> None:
        nonlocal last_error
        last_error = error
        _LOG.warning("nats: %s", error or type(error).__name__)

    try:
        await asyncio.wait_for(connection.connect(url, **{"error_cb": listen, **options, **_FIRST}), timeout)
    except (OSError, asyncio.TimeoutError, nats.errors.Error) as error:
        # nats-py closes after each try that failed, and cannot close what never tried.
        if connection.is_connecting or connection.is_connected:
            await connection.close()
        # At the end of its tries nats-py only says that no servers are left.
        reason = str(last_error or error) or "no server answers"
        raise ProbeTaskError("UNAVAILABLE", f"no connection to {_hide_login(url)}: {reason}") from error
    connection.options.update(lasting)
    return connection


def _hide_login(url: str) -> str:
    return re.sub(r"//[^/]*@", "//…@", url)
