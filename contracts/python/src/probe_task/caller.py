"""One NATS connection and the calls over it, whatever they ask."""

import asyncio
import json
from types import TracebackType
from typing import Any, Callable, Optional, Type, TypeVar

import nats.errors
from nats.aio.client import Client as NatsClient

from .connecting import open_connection
from .decoding import decode_reply
from .errors import ProbeTaskError
from .faults import Faults

_Value = TypeVar("_Value")
_Self = TypeVar("_Self", bound="Caller")

CALL_TIMEOUT_S = 10.0


class Caller:
    """Request and reply over one connection; every failure is a :class:`ProbeTaskError`."""

    def __init__(self, connection: NatsClient, *, timeout: float = CALL_TIMEOUT_S) -> None:
        """Uses a connection that the caller opened and closes. ``timeout``: seconds for calls other than probes."""
        self._connection = connection
        self._timeout = timeout
        self._owns_connection = False

    @classmethod
    async def connect(
        cls: Type[_Self], url: str = "nats://127.0.0.1:4222", *, timeout: float = CALL_TIMEOUT_S, **options: Any
    ) -> _Self:
        """Opens a connection that lasts until :meth:`close`, coming back by itself when the server was away.

        ``options`` go to nats-py's ``connect`` (``user_credentials``, ``tls``, ``name``, ...). Raises ``UNAVAILABLE``
        with the reason when no server takes the connection: at once where it is refused, and within ``timeout``
        seconds otherwise. Faults of the connection go to the logger ``probe_task`` unless ``error_cb`` is given.
        """
        client = cls(await open_connection(url, timeout, options), timeout=timeout)
        client._owns_connection = True
        return client

    async def close(self) -> None:
        """Closes the connection if :meth:`connect` opened it."""
        if self._owns_connection and not self._connection.is_closed:
            await self._connection.close()

    async def __aenter__(self: _Self) -> _Self:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self.close()

    async def _ask(
        self,
        subject: str,
        body: object,
        read: Callable[[object, str, Faults], _Value],
        timeout: Optional[float] = None,
    ) -> _Value:
        return decode_reply(await self._request(subject, json.dumps(body).encode(), timeout), read)

    async def _request(self, subject: str, body: bytes, timeout: Optional[float]) -> bytes:
        seconds = self._timeout if timeout is None else timeout
        try:
            # Always with a timeout: nats-py's own is half a second, less than any probe takes.
            return (await self._connection.request(subject, body, timeout=seconds)).data
        except nats.errors.NoRespondersError as error:
            raise ProbeTaskError("UNAVAILABLE", f"nobody serves {subject}") from error
        except asyncio.TimeoutError as error:
            raise ProbeTaskError("TIMEOUT", f"no reply of {subject} within {seconds:g} s") from error
        except nats.errors.MaxPayloadError as error:
            raise ProbeTaskError("PAYLOAD_TOO_LARGE", f"a request of {len(body)} octets is too large") from error
        except nats.errors.Error as error:
            raise ProbeTaskError("UNAVAILABLE", f"{subject}: {error}") from error
