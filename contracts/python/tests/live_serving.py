"""A Python peer that serves the probe subjects, on a bus without a gateway (``PROBE_TEST_NATS_URL``)."""

import asyncio
import json
import logging
import unittest
from typing import Awaitable, Callable, List, Sequence

from nats.aio.client import Client as NatsClient
from probe_task import (
    Device,
    OneShootRequest,
    OneShootServer,
    OneShootVerboseRequest,
    ProbeTaskClient,
    ProbeTaskError,
    Region,
    VerboseRow,
    serve_one_shoot,
    serve_one_shoot_verbose,
)
from probe_task import _constants as contract

from live import connect, setting
from test_vectors import REPLIES, REQUESTS
from vector_file import read_vectors

_BODY = json.dumps({"target": {"type": "domain", "data": "a.example"}}).encode()


class ServingTest(unittest.IsolatedAsyncioTestCase):
    """serve_one_shoot and serve_one_shoot_verbose."""

    async def asyncSetUp(self) -> None:
        logging.disable(logging.CRITICAL)
        self.connection: NatsClient = await connect()
        self.client = ProbeTaskClient(await connect())
        self.servers: List[OneShootServer] = []

    async def asyncTearDown(self) -> None:
        for server in self.servers:
            await server.stop()
        await self.connection.close()
        await self.client._connection.close()
        logging.disable(logging.NOTSET)

    async def _serve(
        self, handler: Callable[[OneShootRequest], Awaitable[Sequence[str]]], max_concurrent: int = 64
    ) -> OneShootServer:
        server = await serve_one_shoot(self.connection, handler, max_concurrent=max_concurrent)
        self.servers.append(server)
        return server

    async def _code_of(self, call: Awaitable[object]) -> str:
        with self.assertRaises(ProbeTaskError) as caught:
            await call
        return caught.exception.code

    async def test_requests_reach_the_handler_checked(self) -> None:
        """Defaults filled in, regions as places, the handler's results as the reply."""
        requests: List[OneShootRequest] = []

        async def handle(request: OneShootRequest) -> Sequence[str]:
            requests.append(request)
            return ["192.0.2.1", request.target.rtype]

        await self._serve(handle)
        results = await self.client.one_shoot("a.example", "type28", ["192.0.2.53"], 3, [[86, 0, None, "电信"]], 2)
        self.assertEqual(results, ["192.0.2.1", "AAAA"])
        request = requests[0]
        self.assertEqual((request.dns_servers, request.group_id, request.resp_timeout), (("192.0.2.53",), 3, 2))
        self.assertEqual(request.regions, (Region(country="86", carrier="电信"),))

    async def test_verbose_rows(self) -> None:
        """The rows that the handler returns are the reply."""
        place: Device = {"country": "86", "province": "440000", "city": "440400", "carrier": "电信"}

        async def handle(request: OneShootVerboseRequest) -> Sequence[VerboseRow]:
            return [
                {
                    "domain": target.data,
                    "delay": None,
                    "dns_response_status": "TIMEOUT",
                    "dns_server": server,
                    "device": place,
                    "answer_section": [],
                    "authority_section": [],
                    "additional_section": [],
                }
                for target in request.targets
                for server in request.dns_servers
            ]

        self.servers.append(await serve_one_shoot_verbose(self.connection, handle))
        rows = await self.client.one_shoot_verbose(["a.example", "b.example"], ["192.0.2.1", "192.0.2.2"])
        self.assertEqual([row["domain"] for row in rows], ["a.example", "a.example", "b.example", "b.example"])

    async def test_request_vectors_over_the_bus(self) -> None:
        """A Python peer gives the verdicts and codes that a gateway gives."""

        async def handle(request: OneShootRequest) -> Sequence[str]:
            return []

        async def handle_verbose(request: OneShootVerboseRequest) -> Sequence[VerboseRow]:
            return []

        await self._serve(handle)
        self.servers.append(await serve_one_shoot_verbose(self.connection, handle_verbose))
        vectors = [v for v in read_vectors() if v.direction == "request" and v.subject in REQUESTS]
        for vector in vectors:
            with self.subTest(vector.name):
                reply = await self.client._connection.request(vector.subject, vector.octets, timeout=10)
                if vector.expect["verdict"] == "ok":
                    self.assertEqual(REPLIES[vector.subject](reply.data), {"results": []})
                    continue
                code = json.loads(reply.data)["error"]["code"]
                self.assertEqual(code, vector.expect["code"])
                headers = reply.headers or {}
                self.assertEqual(headers["Nats-Service-Error-Code"], "400")
                self.assertTrue(headers["Nats-Service-Error"].startswith(code))
                self.assertNotIn("Status", headers)
        print(f"{len(vectors)} request vectors answered by a Python peer")

    async def test_a_handler_that_fails(self) -> None:
        """Codes of its own pass; everything else is INTERNAL and tells nothing of the inside."""
        faults: List[Exception] = [ProbeTaskError("NO_AGENTS", "none here"), ValueError("secret")]

        async def handle(request: OneShootRequest) -> Sequence[str]:
            raise faults.pop(0)

        await self._serve(handle)
        self.assertEqual(await self._code_of(self.client.one_shoot("a.example")), "NO_AGENTS")
        reply = await self.client._connection.request(contract.SUBJECT_ONE_SHOOT, _BODY, timeout=5)
        self.assertEqual(json.loads(reply.data)["error"]["code"], "INTERNAL")
        self.assertNotIn(b"secret", reply.data)

    async def test_results_that_are_no_reply(self) -> None:
        """They are INTERNAL, never sent."""
        results: List[Sequence[str]] = ["192.0.2.1", [1], None]  # type: ignore[list-item]
        count = len(results)

        async def handle(request: OneShootRequest) -> Sequence[str]:
            return results.pop()

        await self._serve(handle)
        for _ in range(count):
            self.assertEqual(await self._code_of(self.client.one_shoot("a.example")), "INTERNAL")

    async def test_results_too_large_for_a_message(self) -> None:
        """PAYLOAD_TOO_LARGE, and the connection lives."""

        async def handle(request: OneShootRequest) -> Sequence[str]:
            return ["x" * (self.connection.max_payload if request.target.data == "large.example" else 1)]

        await self._serve(handle)
        self.assertEqual(await self._code_of(self.client.one_shoot("large.example")), "PAYLOAD_TOO_LARGE")
        self.assertEqual(await self.client.one_shoot("small.example"), ["x"])

    async def test_requests_run_side_by_side(self) -> None:
        """Two handlers that wait for each other both finish; a third request beyond the bound is refused."""
        both = asyncio.Event()
        waiting: List[OneShootRequest] = []

        async def handle(request: OneShootRequest) -> Sequence[str]:
            waiting.append(request)
            if len(waiting) == 2:
                refused.set_result(await self._code_of(self.client.one_shoot("c.example")))
                both.set()
            await both.wait()
            return [request.target.data]

        refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await self._serve(handle, max_concurrent=2)
        answers = await asyncio.gather(self.client.one_shoot("a.example"), self.client.one_shoot("b.example"))
        self.assertEqual(answers, [["a.example"], ["b.example"]])
        self.assertEqual(refused.result(), "OVERLOADED")

    async def test_a_handler_past_the_deadline(self) -> None:
        """AGENTS_SILENT before the caller gives up."""

        async def handle(request: OneShootRequest) -> Sequence[str]:
            await asyncio.Event().wait()
            return []

        await self._serve(handle)
        self.assertEqual(await self._code_of(self.client.one_shoot("a.example", resp_timeout=1)), "AGENTS_SILENT")

    async def test_stop_answers_what_is_in_flight(self) -> None:
        """And nobody serves the subject afterwards; stopping again does nothing."""
        started, release = asyncio.Event(), asyncio.Event()

        async def handle(request: OneShootRequest) -> Sequence[str]:
            started.set()
            await release.wait()
            return ["late"]

        server = await self._serve(handle)
        call = asyncio.ensure_future(self.client.one_shoot("a.example"))
        await started.wait()
        stopping = asyncio.ensure_future(server.stop())
        release.set()
        await stopping
        self.assertEqual(await call, ["late"])
        self.assertEqual(await self._code_of(self.client.one_shoot("a.example")), "UNAVAILABLE")
        await server.stop()

    async def test_reply_subjects_of_the_platform_are_not_written_to(self) -> None:
        """A request cannot make the server publish an order or a request."""

        async def handle(request: OneShootRequest) -> Sequence[str]:
            return ["x"]

        await self._serve(handle)
        spied = "probe.agent.a1.order"
        spy = await self.client._connection.subscribe(spied)
        await self.client._connection.publish(contract.SUBJECT_ONE_SHOOT, _BODY, reply=spied)
        self.assertEqual(await self.client.one_shoot("a.example"), ["x"])
        self.assertEqual(spy.pending_msgs, 0)


class CallerTest(unittest.IsolatedAsyncioTestCase):
    """Failures that no reply tells of."""

    async def asyncSetUp(self) -> None:
        self.connection = await connect()

    async def asyncTearDown(self) -> None:
        await self.connection.close()

    async def _error_of(self, call: Awaitable[object]) -> ProbeTaskError:
        with self.assertRaises(ProbeTaskError) as caught:
            await call
        return caught.exception

    async def test_nobody_serves(self) -> None:
        """UNAVAILABLE at once."""
        error = await self._error_of(ProbeTaskClient(self.connection).one_shoot("a.example"))
        self.assertEqual((error.code, error.status, error.retryable), ("UNAVAILABLE", 503, True))

    async def test_nobody_replies(self) -> None:
        """TIMEOUT after the client's own time."""
        subscription = await self.connection.subscribe(contract.SUBJECT_AGENT_GET)
        error = await self._error_of(ProbeTaskClient(self.connection, timeout=0.05).get_agents())
        self.assertEqual((error.code, error.status, error.retryable), ("TIMEOUT", 504, True))
        await subscription.unsubscribe()

    async def test_a_reply_that_is_none(self) -> None:
        """INTERNAL for JSON of another shape, INVALID_JSON for none."""
        bodies = [b'{"results": 1}', b"oops"]

        async def reply(message: object) -> None:
            await self.connection.publish(message.reply, bodies.pop(0))  # type: ignore[attr-defined]

        await self.connection.subscribe(contract.SUBJECT_ONE_SHOOT, cb=reply)
        client = ProbeTaskClient(self.connection)
        self.assertEqual((await self._error_of(client.one_shoot("a.example"))).code, "INTERNAL")
        self.assertEqual((await self._error_of(client.one_shoot("a.example"))).code, "INVALID_JSON")

    async def test_a_request_too_large(self) -> None:
        """PAYLOAD_TOO_LARGE, and the connection lives."""
        client = ProbeTaskClient(self.connection)
        error = await self._error_of(client.create_domain_group("x" * (self.connection.max_payload + 1), ["a.example"]))
        self.assertEqual(error.code, "PAYLOAD_TOO_LARGE")
        self.assertTrue(self.connection.is_connected)

    async def test_a_closed_connection(self) -> None:
        """UNAVAILABLE."""
        client = await ProbeTaskClient.connect(setting("PROBE_TEST_NATS_URL"))
        await client.close()
        await client.close()
        self.assertEqual((await self._error_of(client.get_agents())).code, "UNAVAILABLE")

    async def test_no_server(self) -> None:
        """UNAVAILABLE within the given time."""
        logging.disable(logging.CRITICAL)
        error = await self._error_of(ProbeTaskClient.connect("nats://127.0.0.1:1", timeout=0.2))
        logging.disable(logging.NOTSET)
        self.assertEqual(error.code, "UNAVAILABLE")

    async def test_lists_given_as_one_string(self) -> None:
        """TypeError: a string is a list of characters only by accident."""
        client = ProbeTaskClient(self.connection)
        with self.assertRaises(TypeError):
            await client.one_shoot("a.example", "A", "192.0.2.1")
        with self.assertRaises(TypeError):
            await client.one_shoot_verbose("a.example")
        with self.assertRaises(TypeError):
            await client.one_shoot("a.example", regions=["86"])


if __name__ == "__main__":
    unittest.main()
