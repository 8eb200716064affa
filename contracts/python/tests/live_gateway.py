"""Against a live gateway with one agent: the vectors, existing consumers, the client.

``PROBE_TEST_NATS_URL`` names the bus; ``PROBE_TEST_DNS_SERVER`` a server that gives 192.0.2.80 for any A question.
The agent stands at 86/440000/440400/电信 and belongs to group 1.
"""

import asyncio
import contextlib
import io
import json
import unittest
import uuid
from typing import Any, Awaitable, Dict

from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from probe_task import DomainTarget, ProbeTaskClient, ProbeTaskError, Region, management
from probe_task.__main__ import main as run_command

from live import connect, setting
from test_vectors import REPLIES, REQUESTS, fault_paths
from vector_file import Vector, read_vectors

#: What a valid probe may come to when it is not decided by the message alone.
_PROBE_OUTCOMES = {"NO_AGENTS", "AGENTS_SILENT"}
#: Stays below the number of queries that a gateway holds at once.
_QUERIES_AT_ONCE = 50
_TASK_FIELDS = {
    *("task_id", "type", "service_type", "cycle", "probe_data", "target"),
    *("status", "group_id", "uid", "gid", "task_time", "pinned"),
}
_HERE = {"country": "86", "province": "440000", "city": "440400", "carrier": "电信"}


class GatewayVectorsTest(unittest.IsolatedAsyncioTestCase):
    """Every request vector over the bus."""

    async def test_request_vectors(self) -> None:
        """Each gets exactly the code that the vector states, or a reply of its call."""
        connection = await connect()
        vectors = [vector for vector in read_vectors() if vector.direction == "request"]
        queries = asyncio.Semaphore(_QUERIES_AT_ONCE)

        async def send(vector: Vector) -> Msg:
            if vector.subject in REQUESTS:
                return await connection.request(vector.subject, vector.octets, timeout=30)
            async with queries:
                return await connection.request(vector.subject, vector.octets, timeout=30)

        replies = await asyncio.gather(*map(send, vectors))
        for vector, reply in zip(vectors, replies):
            with self.subTest(vector.name):
                self._check(vector, reply)
        self.assertEqual(len(await ProbeTaskClient(connection).get_agents()), 1, "the agent lives on")
        await connection.close()
        print(f"{len(vectors)} request vectors answered by the gateway")

    def _check(self, vector: Vector, reply: Msg) -> None:
        refused = vector.expect["verdict"] == "error"
        code = str(vector.expect["code"]) if refused else vector.gateway_code
        try:
            REPLIES[vector.subject](reply.data)
        except ProbeTaskError as error:
            if code is None and vector.subject in REQUESTS:
                self.assertIn(error.code, _PROBE_OUTCOMES, error)
            else:
                self.assertEqual(error.code, code, error)
            if "path" in vector.expect:
                self.assertIn(vector.expect["path"], fault_paths(error))
            headers = reply.headers or {}
            self.assertEqual(headers.get("Nats-Service-Error-Code"), str(error.status))
            self.assertIn("Nats-Service-Error", headers)
            self.assertNotIn("Status", headers)
        else:
            self.assertIsNone(code, "the gateway took what the vector says it refuses")
            self.assertNotIn("Nats-Service-Error-Code", reply.headers or {})


class ExistingConsumerTest(unittest.IsolatedAsyncioTestCase):
    """Consumers that speak raw nats-py, as they were written before this package."""

    async def asyncSetUp(self) -> None:
        self.connection: NatsClient = await connect()
        self.client = ProbeTaskClient(self.connection)
        self.task = await self.client.create_task(cycle=0, target=[_target("a.example")], status=0)

    async def asyncTearDown(self) -> None:
        await self.client.delete_task(self.task["task_id"])
        await self.connection.close()

    async def test_own_reply_subject_and_null_payload(self) -> None:
        """The reply comes to probe.task.get:<hex> and holds every field of a task."""
        reply_subject = f"probe.task.get:{uuid.uuid4().hex}"
        subscription = await self.connection.subscribe(reply_subject)
        await self.connection.publish("probe.task.get", b"null", reply=reply_subject)
        message = await subscription.next_msg(timeout=10)
        tasks = json.loads(message.data)
        self.assertIsInstance(tasks, list)
        mine = next(task for task in tasks if task["task_id"] == self.task["task_id"])
        self.assertEqual(set(mine), _TASK_FIELDS)
        self.assertIsInstance(mine["task_id"], str)
        self.assertEqual((mine["cycle"], mine["status"], mine["task_time"], mine["pinned"]), (0, 0, None, False))
        self.assertEqual(mine["target"], [{"type": "domain", "rtype": "A", "data": "a.example"}])
        self.assertEqual(mine["probe_data"], {"dns_servers": []})

    async def test_every_way_to_send_nothing(self) -> None:
        """No bytes, a dash, null, {} and "-" are answered with the same list."""
        replies = [
            await self.connection.request("probe.task.get", body, timeout=10)
            for body in (b"", b"-", b"null", b"{}", b'"-"')
        ]
        lists = [json.loads(reply.data) for reply in replies]
        self.assertTrue(all(tasks == lists[0] for tasks in lists))

    async def test_one_shoot_by_hand(self) -> None:
        """A request as the specification writes it is answered as it writes."""
        request = {
            "probe_data": {"dns_servers": [setting("PROBE_TEST_DNS_SERVER")]},
            "target": {"type": "domain", "rtype": "A", "data": "www.example.com"},
            "group_id": 1,
            "regions": [["86", "440000", "440400", "电信"]],
            "resp_timeout": 3,
        }
        subject = "probe.task.dns_result.one_shoot"
        reply = await self.connection.request(subject, json.dumps(request).encode(), timeout=4)
        self.assertEqual(json.loads(reply.data)["results"], ["192.0.2.80"])
        self.assertEqual((reply.headers or {}).get("Probe-Answered"), "1")

    async def test_an_error_is_loud(self) -> None:
        """A consumer that knows no errors gets a KeyError, not an empty success."""
        reply = await self.connection.request("probe.task.dns_result.one_shoot", b"{}", timeout=10)
        with self.assertRaises(KeyError):
            json.loads(reply.data)["results"]


class ClientTest(unittest.IsolatedAsyncioTestCase):
    """The client of this package."""

    async def asyncSetUp(self) -> None:
        self.client = await ProbeTaskClient.connect(setting("PROBE_TEST_NATS_URL"))
        self.server = setting("PROBE_TEST_DNS_SERVER")

    async def asyncTearDown(self) -> None:
        await self.client.close()

    async def _assert_code(self, code: str, call: Awaitable[object]) -> ProbeTaskError:
        with self.assertRaises(ProbeTaskError) as caught:
            await call
        self.assertEqual(caught.exception.code, code)
        return caught.exception

    async def test_one_shoot(self) -> None:
        """By group, by region, by both, and over TCP."""
        for selection in ({}, {"group_id": 1}, {"regions": [[86, 440000]]}, {"regions": [Region(city="440400")]}):
            answers = await self.client.one_shoot("www.example.com", "A", [self.server], **selection)
            self.assertEqual(answers, ["192.0.2.80"])
        self.assertEqual(await self.client.one_shoot("a.example", "A", [f"tcp://{self.server}"]), ["192.0.2.80"])

    async def test_one_shoot_without_answers(self) -> None:
        """An empty answer is a success."""
        self.assertEqual(await self.client.one_shoot("a.example", "AAAA", [self.server]), [])

    async def test_one_shoot_verbose(self) -> None:
        """One row per target, in their order, with the fields of the contract."""
        targets = [DomainTarget("a.example"), DomainTarget("b.example", "TXT")]
        rows = await self.client.one_shoot_verbose(targets, [self.server, "127.0.0.1:1"])
        self.assertEqual(
            [row["domain"] for row in rows if row["dns_server"] == self.server], ["a.example", "b.example"]
        )
        self.assertEqual([row["dns_response_status"] for row in rows].count("CONN_REFUSED"), 2)
        row = next(row for row in rows if row["dns_server"] == self.server)
        self.assertEqual((row["dns_response_status"], row["device"], row["rtype"]), ("NOERROR", _HERE, "A"))
        self.assertEqual(row["answer_section"][0]["result"], "192.0.2.80")
        self.assertGreater(row["delay"] or 0, 0)

    async def test_refusals(self) -> None:
        """The gateway's codes come as ProbeTaskError, with details."""
        error = await self._assert_code("INVALID_REQUEST", self.client.one_shoot("a..b", "NOPE"))
        self.assertEqual((error.status, error.retryable), (400, False))
        self.assertEqual((error.details or {})["total"], 2)
        error = await self._assert_code("NO_AGENTS", self.client.one_shoot("a.example", regions=[["999"]]))
        self.assertEqual((error.status, error.retryable), (503, True))
        await self._assert_code("NOT_FOUND", self.client.delete_task("999999999999999999"))

    async def test_tasks(self) -> None:
        """Create, read, change, page through, delete."""
        created = [
            await self.client.create_task(cycle=60, target=[_target(f"{n}.example")], status=0, uid=7, gid="ops")
            for n in range(5)
        ]
        ids = [task["task_id"] for task in created]
        self.assertEqual(set(created[0]), _TASK_FIELDS)
        self.assertEqual((created[0]["uid"], created[0]["gid"]), (7, "ops"))
        paged = [task async for task in self.client.iterate_tasks(page_size=2)]
        self.assertEqual([task for task in paged if task["task_id"] in ids], created)
        self.assertEqual(paged, await self.client.get_tasks())
        self.assertEqual(len(await self.client.get_tasks(limit=1)), 1)
        changed = await self.client.update_task(ids[0], {"cycle": 120, "task_time": ("08:00", "20:00")})
        self.assertEqual(changed, {**created[0], "cycle": 120, "task_time": ("08:00", "20:00")})
        for task_id in ids:
            self.assertEqual(await self.client.delete_task(task_id), task_id)
        await self._assert_code("NOT_FOUND", self.client.update_task(ids[0], {"cycle": 1}))

    async def test_creating_a_task_again(self) -> None:
        """With its idempotency key it is the same task; with other fields a conflict."""
        key = uuid.uuid4().hex
        task = await self.client.create_task(cycle=60, target=[_target("a.example")], status=0, idempotency_key=key)
        again = await self.client.create_task(cycle=60, target=[_target("a.example")], status=0, idempotency_key=key)
        self.assertEqual(again, task)
        other = self.client.create_task(cycle=61, target=[_target("a.example")], status=0, idempotency_key=key)
        error = await self._assert_code("CONFLICT", other)
        self.assertEqual(error.details, {"task_id": task["task_id"]})
        await self.client.delete_task(task["task_id"])

    async def test_history(self) -> None:
        """Pages of slots and of results of a task that never ran."""
        empty: Dict[str, Any] = {
            "task_id": "999999999999999999",
            "since": 1_790_000_000,
            "until": 1_790_000_060.5,
            "limit": 1000,
        }
        self.assertEqual(await self.client.get_slots(**empty), {"slots": [], "next_cursor": None})
        self.assertEqual(await self.client.get_results(**empty), {"results": [], "next_cursor": None})
        await self._assert_code("INVALID_REQUEST", self.client.get_slots(limit=1001))
        await self._assert_code("INVALID_REQUEST", self.client.get_slots(cursor="nowhere"))

    async def test_definitions(self) -> None:
        """Groups, domain groups and resolvers: set, read, change, delete."""
        places = await self.client.set_group_details(77, [[86, 440000], Region(country="1")])
        self.assertEqual(
            places[0], {"group_id": 77, "country": "86", "province": "440000", "city": "*", "carrier": "*"}
        )
        listed = await self.client.get_group_details()
        self.assertCountEqual([place for place in listed if place["group_id"] == 77], places)
        self.assertEqual(await self.client.one_shoot("a.example", "A", [self.server], group_id=77), ["192.0.2.80"])
        self.assertEqual(await self.client.delete_group_details(77), 77)

        group = await self.client.create_domain_group(f"g{uuid.uuid4().hex}", ["a.example", "中文.example"])
        self.assertIn(group, await self.client.get_domain_groups())
        self.assertEqual(await self.client.create_domain_group(group["name"], group["domains"]), group)
        await self._assert_code("CONFLICT", self.client.create_domain_group(group["name"], ["c.example"]))
        renamed = await self.client.update_domain_group(group["id"], domains=["b.example"])
        self.assertEqual(renamed, {**group, "domains": ["b.example"]})
        self.assertEqual(await self.client.delete_domain_group(group["id"]), group["id"])

        resolvers = await self.client.set_local_dns([7, 8], ["192.0.2.1"])
        self.assertEqual(resolvers["ips"], ["192.0.2.1"])
        self.assertIn(resolvers, await self.client.get_local_dns())
        place = await self.client.delete_local_dns([7, 8])
        self.assertEqual(place, {"country": "7", "province": "8", "city": "*", "carrier": "*"})

    async def test_agents(self) -> None:
        """The live agent, where it stands."""
        agent = (await self.client.get_agents())[0]
        self.assertEqual({part: agent[part] for part in _HERE}, _HERE)  # type: ignore[literal-required]
        self.assertEqual(agent["groups"], [1])


class CommandTest(unittest.TestCase):
    """python -m probe_task."""

    def _run(self, *arguments: str) -> "tuple[int, str, str]":
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            code = run_command([*arguments, "--url", setting("PROBE_TEST_NATS_URL")])
        return code, output.getvalue(), errors.getvalue()

    def test_results(self) -> None:
        """JSON on stdout and exit code 0."""
        code, output, _ = self._run("a.example", "-s", setting("PROBE_TEST_DNS_SERVER"), "-r", "86,440000")
        self.assertEqual((code, json.loads(output)), (0, ["192.0.2.80"]))
        code, output, _ = self._run("a.example", "-s", setting("PROBE_TEST_DNS_SERVER"), "--verbose")
        self.assertEqual((code, json.loads(output)[0]["domain"]), (0, "a.example"))

    def test_refusal(self) -> None:
        """The coded error on stderr and exit code 1."""
        code, output, errors = self._run("a..b")
        self.assertEqual((code, output, json.loads(errors)["error"]["code"]), (1, "", "INVALID_REQUEST"))


def _target(name: str) -> management.TaskDomainTarget:
    return {"type": "domain", "rtype": "A", "data": name}


if __name__ == "__main__":
    unittest.main()
