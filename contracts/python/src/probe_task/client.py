"""The caller's side of the contract."""

from typing import AsyncIterator, Dict, Iterable, List, Optional, Sequence, Tuple, Union

from . import _constants as contract
from . import definitions, management, replies, results, slots
from .caller import Caller
from .definitions import Agent, DomainGroup, GroupDetail, LocalDns
from .management import OwnerId, Task, TaskChanges, TaskTarget, TaskTimeEnd
from .replies import Device, VerboseRow
from .requests import DomainTarget, Region
from .results import ResultPage
from .slots import SlotPage

PlaceId = Union[int, str, None]
#: ``Region(...)`` or ``[country, province, city, carrier]``; None, "", 0, "*" or a missing tail is a wildcard.
RegionLike = Union[Region, Sequence[PlaceId]]

#: What a caller waits beyond ``resp_timeout``, for the way there and back.
REPLY_MARGIN_S = 1.0


class ProbeTaskClient(Caller):
    """Calls over one NATS connection; every method raises :class:`ProbeTaskError` when it fails.

    ``async with await ProbeTaskClient.connect() as client: print(await client.one_shoot("www.example.com"))``
    """

    async def one_shoot(
        self,
        domain: str,
        rtype: str = "A",
        dns_servers: Iterable[str] = (),
        group_id: Optional[int] = None,
        regions: Iterable[RegionLike] = (),
        resp_timeout: float = contract.DEFAULT_RESP_TIMEOUT_S,
    ) -> List[str]:
        """Probes one domain from every matching agent; returns the text of the answers, without duplicates.

        Without ``dns_servers`` agents ask the resolvers of their region. ``group_id`` and ``regions`` add up;
        without either every agent is asked. ``resp_timeout``: 1-60 seconds until the reply must be there.
        Raises ``NO_AGENTS``, ``AGENTS_SILENT``, ``INVALID_REQUEST``, ``PLAN_TOO_LARGE``, ``OVERLOADED``,
        ``TIMEOUT``, ``UNAVAILABLE``.
        """
        body = {
            "target": _format_target(DomainTarget(domain, rtype)),
            **_format_selection(dns_servers, group_id, regions, resp_timeout),
        }
        timeout = resp_timeout + REPLY_MARGIN_S
        return await self._ask(contract.SUBJECT_ONE_SHOOT, body, replies.read_one_shoot_reply, timeout)

    async def one_shoot_verbose(
        self,
        targets: Iterable[Union[str, DomainTarget]],
        dns_servers: Iterable[str] = (),
        group_id: Optional[int] = None,
        regions: Iterable[RegionLike] = (),
        resp_timeout: float = contract.DEFAULT_RESP_TIMEOUT_S,
    ) -> List[VerboseRow]:
        """Probes domains from every matching agent; returns one row for every agent x server x domain.

        A target that is a string asks for its A records. Arguments and errors are those of :meth:`one_shoot`,
        except that silent agents are rows with the status ``AGENT_NO_REPLY``.
        """
        if isinstance(targets, str):
            raise TypeError("targets is a list of names, not one name")
        named = [DomainTarget(target) if isinstance(target, str) else target for target in targets]
        body = {
            "target": [_format_target(target) for target in named],
            **_format_selection(dns_servers, group_id, regions, resp_timeout),
        }
        timeout = resp_timeout + REPLY_MARGIN_S
        return await self._ask(contract.SUBJECT_ONE_SHOOT_VERBOSE, body, replies.read_one_shoot_verbose_reply, timeout)

    async def get_tasks(
        self,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
        changed_since: Optional[float] = None,
    ) -> List[Task]:
        """All tasks in the order of their ids; or ``limit`` of them, those after the task id ``cursor``, those
        changed at or after ``changed_since`` (Unix seconds). Raises ``PAYLOAD_TOO_LARGE`` when they do not fit
        into one message: :meth:`iterate_tasks` pages through them.
        """
        arguments = {"limit": limit, "cursor": cursor, "changed_since": changed_since}
        given = {name: value for name, value in arguments.items() if value is not None}
        return await self._ask(contract.SUBJECT_TASK_GET, given, management.read_tasks)

    async def iterate_tasks(self, page_size: int = 1000, changed_since: Optional[float] = None) -> AsyncIterator[Task]:
        """All tasks, fetched page by page."""
        cursor: Optional[str] = None
        while True:
            page = await self.get_tasks(page_size, cursor, changed_since)
            for task in page:
                yield task
            if len(page) < page_size:
                return
            cursor = page[-1]["task_id"]

    async def create_task(
        self,
        *,
        cycle: int,
        target: Sequence[TaskTarget],
        dns_servers: Iterable[str] = (),
        type: str = "dns",
        service_type: str = "dnsMonitor",
        status: int = 1,
        group_id: Optional[int] = None,
        uid: OwnerId = None,
        gid: OwnerId = None,
        task_time: Optional[Tuple[TaskTimeEnd, TaskTimeEnd]] = None,
        pinned: bool = False,
        idempotency_key: Optional[str] = None,
    ) -> Task:
        """Stores a task that runs every ``cycle`` seconds (0: once) and returns it with its ``task_id``.

        With an ``idempotency_key`` (1-128 characters, of the caller's choice) the call may be repeated after a
        ``TIMEOUT``: it returns the task that has the key already, and raises ``CONFLICT`` when that has other fields.
        Without one, each call stores a task. Raises ``NOT_FOUND`` for a group or domain group that does not exist.
        """
        body: Dict[str, object] = {
            "type": type,
            "service_type": service_type,
            "cycle": cycle,
            "probe_data": {"dns_servers": list(dns_servers)},
            "target": list(target),
            "status": status,
            "group_id": group_id,
            "uid": uid,
            "gid": gid,
            "task_time": task_time,
            "pinned": pinned,
        }
        if idempotency_key is not None:
            body["idempotency_key"] = idempotency_key
        return await self._ask(contract.SUBJECT_TASK_CREATE, body, management.read_task)

    async def update_task(self, task_id: str, changes: TaskChanges) -> Task:
        """Changes the given fields of a task and returns the whole of it; raises ``NOT_FOUND``."""
        body = {**changes, "task_id": task_id}
        return await self._ask(contract.SUBJECT_TASK_UPDATE, body, management.read_task)

    async def delete_task(self, task_id: str) -> str:
        """Deletes a task and returns its id; raises ``NOT_FOUND``, which a repeated call may take as done."""
        return await self._ask(contract.SUBJECT_TASK_DELETE, {"task_id": task_id}, management.read_task_key)

    async def get_results(
        self,
        task_id: Optional[str] = None,
        agent_id: Optional[str] = None,
        domain: Optional[str] = None,
        status: Optional[str] = None,
        since: Optional[float] = None,
        until: Optional[float] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> ResultPage:
        """One page of the results of recurring tasks, newest first.

        ``domain`` is the exact text that the task, or its domain group, has: case and trailing dot count. ``since`` and
        ``until`` are Unix seconds of the nominal time, the first included, the last not. ``status`` is a
        ``dns_response_status``. ``limit`` is 100 unless given, 1000 at most; ``cursor`` is the ``next_cursor`` of the
        page before. A page may hold fewer rows than ``limit``; the last one is where ``next_cursor`` is None.
        """
        body = {
            "task_id": task_id,
            "agent_id": agent_id,
            "domain": domain,
            "status": status,
            "from": since,
            "to": until,
            "limit": limit,
            "cursor": cursor,
        }
        return await self._ask(contract.SUBJECT_TASK_RESULT_GET, body, results.read_result_page)

    async def get_slots(
        self,
        task_id: Optional[str] = None,
        since: Optional[float] = None,
        until: Optional[float] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> SlotPage:
        """One page of the nominal times of recurring tasks, newest first: what was planned and what came of it.

        The arguments are those of :meth:`get_results`, and so are the pages.
        """
        body = {"task_id": task_id, "from": since, "to": until, "limit": limit, "cursor": cursor}
        return await self._ask(contract.SUBJECT_TASK_SLOT_GET, body, slots.read_slot_page)

    async def get_agents(self) -> List[Agent]:
        """The live agents in the order of their ids."""
        return await self._ask(contract.SUBJECT_AGENT_GET, {}, definitions.read_agents)

    async def get_group_details(self) -> List[GroupDetail]:
        """The places of all probe groups."""
        return await self._ask(contract.SUBJECT_GROUP_DETAIL_GET, {}, definitions.read_group_details)

    async def set_group_details(self, group_id: int, places: Iterable[RegionLike]) -> List[GroupDetail]:
        """Replaces the places of one probe group and returns them."""
        body = {"group_id": group_id, "details": [_format_place(place) for place in places]}
        return await self._ask(contract.SUBJECT_GROUP_DETAIL_SET, body, definitions.read_group_details)

    async def delete_group_details(self, group_id: int) -> int:
        """Deletes a probe group and returns its id; raises ``NOT_FOUND``, which a repeated call may take as done."""
        body = {"group_id": group_id}
        return await self._ask(contract.SUBJECT_GROUP_DETAIL_DELETE, body, definitions.read_group_key)

    async def get_domain_groups(self, limit: Optional[int] = None, cursor: Optional[int] = None) -> List[DomainGroup]:
        """All domain groups in the order of their ids; or ``limit`` of them, those after the id ``cursor``."""
        body = {"limit": limit, "cursor": cursor}
        return await self._ask(contract.SUBJECT_DOMAIN_GROUP_GET, body, definitions.read_domain_groups)

    async def create_domain_group(self, name: str, domains: Iterable[str]) -> DomainGroup:
        """Stores a domain group and returns it with its id, also when there is one of this name with just these domains.

        Raises ``CONFLICT`` when the name is taken by other domains.
        """
        body = {"name": name, "domains": list(domains)}
        return await self._ask(contract.SUBJECT_DOMAIN_GROUP_CREATE, body, definitions.read_domain_group)

    async def update_domain_group(
        self, id: int, *, name: Optional[str] = None, domains: Optional[Iterable[str]] = None
    ) -> DomainGroup:
        """Changes the name or the domains of a group and returns the whole of it; raises ``NOT_FOUND``."""
        body: Dict[str, object] = {"id": id}
        if name is not None:
            body["name"] = name
        if domains is not None:
            body["domains"] = list(domains)
        return await self._ask(contract.SUBJECT_DOMAIN_GROUP_UPDATE, body, definitions.read_domain_group)

    async def delete_domain_group(self, id: int) -> int:
        """Deletes a domain group and returns its id.

        Raises ``CONFLICT`` while a task uses it, and ``NOT_FOUND``, which a repeated call may take as done.
        """
        body = {"id": id}
        return await self._ask(contract.SUBJECT_DOMAIN_GROUP_DELETE, body, definitions.read_domain_group_key)

    async def get_local_dns(self) -> List[LocalDns]:
        """The resolvers of all places."""
        return await self._ask(contract.SUBJECT_LOCAL_DNS_GET, {}, definitions.read_local_dns_list)

    async def set_local_dns(self, place: RegionLike, ips: Iterable[str]) -> LocalDns:
        """Replaces the resolvers of exactly this place and returns them."""
        body = {**_format_place(place), "ips": list(ips)}
        return await self._ask(contract.SUBJECT_LOCAL_DNS_SET, body, definitions.read_local_dns)

    async def delete_local_dns(self, place: RegionLike) -> Device:
        """Deletes the resolvers of exactly this place and returns it.

        Raises ``NOT_FOUND``, which a repeated call may take as done.
        """
        return await self._ask(contract.SUBJECT_LOCAL_DNS_DELETE, _format_place(place), replies.read_place)


def _format_target(target: DomainTarget) -> Dict[str, str]:
    return {"type": "domain", "rtype": target.rtype, "data": target.data}


def _format_selection(
    dns_servers: Iterable[str], group_id: Optional[int], regions: Iterable[RegionLike], resp_timeout: float
) -> Dict[str, object]:
    if isinstance(dns_servers, str):
        raise TypeError("dns_servers is a list of addresses, not one address")
    return {
        "probe_data": {"dns_servers": list(dns_servers)},
        "group_id": group_id,
        "regions": [_list_place_ids(region) for region in regions],
        "resp_timeout": resp_timeout,
    }


def _list_place_ids(region: RegionLike) -> List[PlaceId]:
    if isinstance(region, Region):
        return [region.country, region.province, region.city, region.carrier]
    if isinstance(region, str):
        raise TypeError("a region is [country, province, city, carrier], not a string")
    return list(region)


def _format_place(place: RegionLike) -> Dict[str, PlaceId]:
    return dict(zip(("country", "province", "city", "carrier"), _list_place_ids(place)))
