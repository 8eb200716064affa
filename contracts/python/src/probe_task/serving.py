"""The other side of the contract: a Python peer that answers the probe subjects itself."""

import asyncio
import json
import logging
import re
from typing import Awaitable, Callable, Dict, List, Optional, Sequence, Set, TypeVar

from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from . import _constants as contract
from .errors import ProbeTaskError
from .faults import Faults
from .replies import VerboseRow, read_one_shoot_reply, read_one_shoot_verbose_reply
from .requests import (
    OneShootRequest,
    OneShootVerboseRequest,
    decode_one_shoot_request,
    decode_one_shoot_verbose_request,
)

_logger = logging.getLogger("probe_task")
_Result = TypeVar("_Result")

OneShootHandler = Callable[[OneShootRequest], Awaitable[Sequence[str]]]
OneShootVerboseHandler = Callable[[OneShootVerboseRequest], Awaitable[Sequence[VerboseRow]]]

MAX_CONCURRENT = 64
#: What is left of ``resp_timeout`` for the way back.
_MARGIN_S = 0.1
_MAX_HEADER_TEXT = 500
#: A request must not make a server publish on these.
_NO_REPLY_PREFIXES = ("probe.agent.", "probe.gateway.", "$SYS.", "$SRV.", "$JS.")
_REQUEST_SUBJECTS = frozenset(
    value for name, value in vars(contract).items() if name.startswith("SUBJECT_") and isinstance(value, str)
)


class OneShootServer:
    """A running server; :meth:`stop` ends it."""

    def __init__(
        self, connection: NatsClient, answer: Callable[[bytes], Awaitable[bytes]], max_concurrent: int
    ) -> None:
        """Made by :func:`serve_one_shoot` and :func:`serve_one_shoot_verbose`."""
        self._connection = connection
        self._answer = answer
        self._max_concurrent = max_concurrent
        self._running: Set[asyncio.Task[None]] = set()
        self._subscription: Optional[Subscription] = None

    async def start(self, subject: str, queue: str) -> None:
        """Subscribes; resolves when the server knows of it."""
        self._subscription = await self._connection.subscribe(subject, queue=queue, cb=self._take)
        # nats-py's ping overtakes a subscription that its flusher has not written yet; the second one cannot.
        await self._connection.flush()
        await self._connection.flush()

    async def stop(self) -> None:
        """Takes no further requests and resolves when those in flight have been answered."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None and not self._connection.is_closed:
            await subscription.drain()  # type: ignore[no-untyped-call]  # nats-py leaves it without annotations
        await asyncio.gather(*self._running)
        if not self._connection.is_closed:
            await self._connection.flush()

    async def _take(self, message: Msg) -> None:
        # nats-py awaits one callback after the other: the work runs in a task, so that requests run side by side.
        task = asyncio.ensure_future(self._serve(message, is_full=len(self._running) >= self._max_concurrent))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _serve(self, message: Msg, is_full: bool) -> None:
        if not _is_reply_subject(message.reply):
            _logger.warning("%s: request without a reply subject that may be used", message.subject)
            return
        try:
            if is_full:
                raise ProbeTaskError("OVERLOADED", f"{self._max_concurrent} requests are being answered already")
            body = await self._answer(message.data)
            _check_size(body, self._connection.max_payload)
            await self._connection.publish(message.reply, body)
        except Exception as fault:  # nothing that a handler raises may leave the caller without a reply
            await self._reply_error(message, _as_coded_error(fault))

    async def _reply_error(self, message: Msg, error: ProbeTaskError) -> None:
        # Never a header named Status: nats-py takes a 503 there for "no responders".
        text = re.sub(r"[^ -~]+", " ", f"{error.code}: {error.message}")[:_MAX_HEADER_TEXT]
        headers = {contract.HEADER_ERROR_TEXT: text, contract.HEADER_ERROR_CODE: str(error.status)}
        try:
            await self._connection.publish(message.reply, json.dumps(error.to_reply()).encode(), headers=headers)
        except Exception:
            _logger.exception("%s: a reply could not be sent", message.subject)


async def serve_one_shoot(
    connection: NatsClient,
    handler: OneShootHandler,
    *,
    queue: str = contract.GATEWAY_QUEUE,
    max_concurrent: int = MAX_CONCURRENT,
) -> OneShootServer:
    """Answers ``probe.task.dns_result.one_shoot`` with what ``handler`` returns: the text of the answers.

    A request gets to the handler checked; faulty ones are answered here. A handler that raises
    :class:`ProbeTaskError` replies with its code, one that raises anything else with ``INTERNAL``, one that is
    not done within ``resp_timeout`` with ``AGENTS_SILENT``; requests beyond ``max_concurrent`` get
    ``OVERLOADED``. Members of one ``queue`` share the requests; the default is the queue of the gateways, so
    that a request is never answered twice.
    """

    async def answer(body: bytes) -> bytes:
        request = decode_one_shoot_request(body)
        results = await _within(request.resp_timeout, handler(request))
        return _encode_results(results, read_one_shoot_reply)

    server = OneShootServer(connection, answer, max_concurrent)
    await server.start(contract.SUBJECT_ONE_SHOOT, queue)
    return server


async def serve_one_shoot_verbose(
    connection: NatsClient,
    handler: OneShootVerboseHandler,
    *,
    queue: str = contract.GATEWAY_QUEUE,
    max_concurrent: int = MAX_CONCURRENT,
) -> OneShootServer:
    """Answers ``probe.task.dns_result.one_shoot.verbose`` with the rows that ``handler`` returns.

    Everything else is as for :func:`serve_one_shoot`.
    """

    async def answer(body: bytes) -> bytes:
        request = decode_one_shoot_verbose_request(body)
        results = await _within(request.resp_timeout, handler(request))
        return _encode_results(results, read_one_shoot_verbose_reply)

    server = OneShootServer(connection, answer, max_concurrent)
    await server.start(contract.SUBJECT_ONE_SHOOT_VERBOSE, queue)
    return server


async def _within(seconds: float, work: Awaitable[_Result]) -> _Result:
    running = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({running}, timeout=seconds - _MARGIN_S)
    if not done:
        running.cancel()
        raise ProbeTaskError("AGENTS_SILENT", f"no result within {seconds:g} s")
    return running.result()


def _encode_results(results: Sequence[object], read: Callable[[object, str, Faults], object]) -> bytes:
    """The reply body; raises when a handler returned something that is no reply of this call."""
    reply: Dict[str, List[object]] = {"results": [results] if isinstance(results, str) else list(results)}
    faults = Faults()
    read(reply, "", faults)
    if isinstance(results, str) or faults.total > 0:
        raise TypeError(f"the handler's result is no reply: {faults.describe() if faults.total else 'a string'}")
    return json.dumps(reply, ensure_ascii=False).encode()


def _is_reply_subject(subject: str) -> bool:
    return bool(subject) and not subject.startswith(_NO_REPLY_PREFIXES) and subject not in _REQUEST_SUBJECTS


def _check_size(body: bytes, limit: int) -> None:
    if len(body) > limit:
        message = f"the reply has {len(body)} octets, one message takes {limit}"
        raise ProbeTaskError("PAYLOAD_TOO_LARGE", message, details={"size": len(body), "limit": limit})


def _as_coded_error(fault: Exception) -> ProbeTaskError:
    if isinstance(fault, ProbeTaskError) and fault.code in contract.ERROR_CATALOG:
        return fault
    _logger.error("a handler failed", exc_info=fault)
    if isinstance(fault, ProbeTaskError) and fault.code == "TIMEOUT":
        return ProbeTaskError("AGENTS_SILENT", fault.message)
    return ProbeTaskError("INTERNAL", "the service failed; its log has the reason")
