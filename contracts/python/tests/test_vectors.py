"""The shared vectors: requests of the probe subjects as a server parses them, and all replies as the client does."""

import dataclasses
import json
import unittest
from typing import Callable, Dict, List

from probe_task import OneShootRequest, OneShootVerboseRequest, ProbeTaskError
from probe_task import definitions, management, replies, results, slots
from probe_task import _constants as contract
from probe_task.decoding import decode_reply
from probe_task.requests import DomainTarget, decode_one_shoot_request, decode_one_shoot_verbose_request

from vector_file import Vector, expand_repeats, read_vectors


def _parse_one_shoot(octets: bytes) -> object:
    return _show_request(decode_one_shoot_request(octets))


def _parse_one_shoot_verbose(octets: bytes) -> object:
    return _show_request(decode_one_shoot_verbose_request(octets))


def _show_request(request: "OneShootRequest | OneShootVerboseRequest") -> object:
    """The request as the vectors write it."""
    if isinstance(request, OneShootRequest):
        target: object = _show_target(request.target)
    else:
        target = [_show_target(target) for target in request.targets]
    return {
        "probe_data": {"dns_servers": list(request.dns_servers)},
        "target": target,
        "group_id": request.group_id,
        "regions": [dataclasses.asdict(region) for region in request.regions],
        "resp_timeout": request.resp_timeout,
    }


def _show_target(target: DomainTarget) -> object:
    return {"type": "domain", "rtype": target.rtype, "data": target.data}


def _reader(read: Callable[..., object], key: str = "") -> Callable[[bytes], object]:
    """Decodes a reply; ``key`` wraps what the client unwraps."""

    def decode(octets: bytes) -> object:
        value = decode_reply(octets, read)
        return {key: value} if key else value

    return decode


REQUESTS: Dict[str, Callable[[bytes], object]] = {
    contract.SUBJECT_ONE_SHOOT: _parse_one_shoot,
    contract.SUBJECT_ONE_SHOOT_VERBOSE: _parse_one_shoot_verbose,
}
REPLIES: Dict[str, Callable[[bytes], object]] = {
    contract.SUBJECT_ONE_SHOOT: _reader(replies.read_one_shoot_reply, "results"),
    contract.SUBJECT_ONE_SHOOT_VERBOSE: _reader(replies.read_one_shoot_verbose_reply, "results"),
    contract.SUBJECT_TASK_GET: _reader(management.read_tasks),
    contract.SUBJECT_TASK_CREATE: _reader(management.read_task),
    contract.SUBJECT_TASK_UPDATE: _reader(management.read_task),
    contract.SUBJECT_TASK_DELETE: _reader(management.read_task_key, "task_id"),
    contract.SUBJECT_TASK_RESULT_GET: _reader(results.read_result_page),
    contract.SUBJECT_TASK_SLOT_GET: _reader(slots.read_slot_page),
    contract.SUBJECT_GROUP_DETAIL_GET: _reader(definitions.read_group_details),
    contract.SUBJECT_GROUP_DETAIL_SET: _reader(definitions.read_group_details),
    contract.SUBJECT_GROUP_DETAIL_DELETE: _reader(definitions.read_group_key, "group_id"),
    contract.SUBJECT_DOMAIN_GROUP_GET: _reader(definitions.read_domain_groups),
    contract.SUBJECT_DOMAIN_GROUP_CREATE: _reader(definitions.read_domain_group),
    contract.SUBJECT_DOMAIN_GROUP_UPDATE: _reader(definitions.read_domain_group),
    contract.SUBJECT_DOMAIN_GROUP_DELETE: _reader(definitions.read_domain_group_key, "id"),
    contract.SUBJECT_LOCAL_DNS_GET: _reader(definitions.read_local_dns_list),
    contract.SUBJECT_LOCAL_DNS_SET: _reader(definitions.read_local_dns),
    contract.SUBJECT_LOCAL_DNS_DELETE: _reader(replies.read_place),
    contract.SUBJECT_AGENT_GET: _reader(definitions.read_agents),
}


def fault_paths(error: ProbeTaskError) -> List[str]:
    """Where an INVALID_REQUEST found its faults."""
    faults = (error.details or {}).get("faults")
    return [fault["path"] for fault in faults] if isinstance(faults, list) else []


class VectorTest(unittest.TestCase):
    """Each vector has the verdict, the code and the normalized form that it states."""

    maxDiff = 2000

    def test_requests_of_the_probe_subjects(self) -> None:
        """Parsed as a Python peer that serves them parses them."""
        vectors = [v for v in read_vectors() if v.direction == "request" and v.subject in REQUESTS]
        self.assertGreater(len(vectors), 80)
        for vector in vectors:
            with self.subTest(vector.name):
                self._check(vector, REQUESTS[vector.subject])

    def test_replies_of_every_subject(self) -> None:
        """Decoded as the client decodes them; no subject is without a reader."""
        vectors = [v for v in read_vectors() if v.direction == "reply"]
        self.assertEqual({vector.subject for vector in vectors}, set(REPLIES))
        for vector in vectors:
            with self.subTest(vector.name):
                self._check(vector, REPLIES[vector.subject])

    def _check(self, vector: Vector, decode: Callable[[bytes], object]) -> None:
        if vector.expect["verdict"] == "ok":
            value = json.loads(json.dumps(decode(vector.octets)))
            if "normalized" in vector.expect:
                self.assertEqual(value, expand_repeats(vector.expect["normalized"]))
            return
        with self.assertRaises(ProbeTaskError) as caught:
            decode(vector.octets)
        self.assertEqual(caught.exception.code, vector.expect["code"], caught.exception)
        if "path" in vector.expect:
            self.assertIn(vector.expect["path"], fault_paths(caught.exception))


if __name__ == "__main__":
    unittest.main()
