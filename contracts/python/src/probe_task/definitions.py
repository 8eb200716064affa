"""Domain groups, probe groups, resolvers of regions, and agents: what their calls return."""

from typing import List, TypedDict

from .faults import Faults
from .fields import Fields, read_integer, read_items, read_text
from .replies import Device, read_place


class GroupDetail(Device):
    """A place whose agents belong to a probe group; ``*`` is a wildcard."""

    group_id: int


class DomainGroup(TypedDict):
    """Domains that tasks refer to by one id."""

    id: int
    name: str
    domains: List[str]


class LocalDns(Device):
    """The resolvers of a place, asked when a request names no servers."""

    ips: List[str]


class AgentLoad(TypedDict):
    """Cells being probed, accepted and not yet started, and the most that may run at once."""

    running: int
    waiting: int
    capacity: int


class Agent(Device):
    """A live agent; ``last_seen_ms`` counts from its last heartbeat."""

    agent_id: str
    groups: List[int]
    resolvers: List[str]
    load: AgentLoad
    version: str
    last_seen_ms: int


def read_group_details(value: object, path: str, faults: Faults) -> List[GroupDetail]:
    """The reply of ``probe.group_detail.get`` and ``.set``."""
    return read_items(value, path, faults, _read_group_detail)


def _read_group_detail(value: object, path: str, faults: Faults) -> GroupDetail:
    return {"group_id": Fields(value, path, faults).integer("group_id"), **read_place(value, path, faults)}


def read_group_key(value: object, path: str, faults: Faults) -> int:
    """The reply of ``probe.group_detail.delete``."""
    return Fields(value, path, faults).integer("group_id")


def read_domain_groups(value: object, path: str, faults: Faults) -> List[DomainGroup]:
    """The reply of ``probe.domain_group.get``."""
    return read_items(value, path, faults, read_domain_group)


def read_domain_group(value: object, path: str, faults: Faults) -> DomainGroup:
    """One whole domain group."""
    fields = Fields(value, path, faults)
    return {
        "id": fields.integer("id"),
        "name": fields.text("name"),
        "domains": fields.items("domains", read_text),
    }


def read_domain_group_key(value: object, path: str, faults: Faults) -> int:
    """The reply of ``probe.domain_group.delete``."""
    return Fields(value, path, faults).integer("id")


def read_local_dns_list(value: object, path: str, faults: Faults) -> List[LocalDns]:
    """The reply of ``probe.local_dns.get``."""
    return read_items(value, path, faults, read_local_dns)


def read_local_dns(value: object, path: str, faults: Faults) -> LocalDns:
    """The resolvers of one place."""
    return {"ips": Fields(value, path, faults).items("ips", read_text), **read_place(value, path, faults)}


def read_agents(value: object, path: str, faults: Faults) -> List[Agent]:
    """The reply of ``probe.agent.get``."""
    return read_items(value, path, faults, _read_agent)


def _read_agent(value: object, path: str, faults: Faults) -> Agent:
    fields = Fields(value, path, faults)
    return {
        "agent_id": fields.text("agent_id"),
        "groups": fields.items("groups", read_integer),
        "resolvers": fields.items("resolvers", read_text),
        "load": fields.read("load", _read_load, AgentLoad(running=0, waiting=0, capacity=1)),
        "version": fields.text("version"),
        "last_seen_ms": fields.integer("last_seen_ms"),
        **read_place(value, path, faults),
    }


def _read_load(value: object, path: str, faults: Faults) -> AgentLoad:
    fields = Fields(value, path, faults)
    return {
        "running": fields.integer("running", low=0),
        "waiting": fields.integer("waiting", low=0),
        "capacity": fields.integer("capacity", low=1),
    }
