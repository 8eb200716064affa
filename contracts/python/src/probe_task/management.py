"""Tasks and what they refer to: what the management calls take and return, and the readers that check it."""

from typing import List, Literal, Optional, Sequence, Tuple, TypedDict, Union

from .faults import Faults
from .fields import Fields, as_integer, read_items, read_text


class TaskDomainTarget(TypedDict):
    """A domain that a task probes."""

    type: Literal["domain"]
    rtype: str
    data: str


class TaskDomainGroupTarget(TypedDict):
    """A domain group that a task probes."""

    type: Literal["domain_group"]
    rtype: str
    domain_group_id: int


TaskTarget = Union[TaskDomainTarget, TaskDomainGroupTarget]
#: An owner's id in the caller's own system.
OwnerId = Union[int, str, None]
#: Unix seconds, an ISO 8601 date or date-time, or ``HH:MM`` of each day; the end of a window after its start.
TaskTimeEnd = Union[int, str]


class ProbeData(TypedDict):
    """The servers that a task asks; none means the resolvers of the agent's region."""

    dns_servers: List[str]


class Task(TypedDict):
    """A recurring task. ``cycle`` in seconds, 0 runs once; ``status`` 0 paused, 1 enabled."""

    task_id: str
    type: str
    service_type: str
    cycle: int
    probe_data: ProbeData
    target: List[TaskTarget]
    status: int
    group_id: Optional[int]
    uid: OwnerId
    gid: OwnerId
    task_time: Optional[Tuple[TaskTimeEnd, TaskTimeEnd]]
    pinned: bool


class TaskChanges(TypedDict, total=False):
    """The fields of a task to change; what is left out stays as it is."""

    type: str
    service_type: str
    cycle: int
    probe_data: ProbeData
    target: Sequence[TaskTarget]
    status: int
    group_id: Optional[int]
    uid: OwnerId
    gid: OwnerId
    task_time: Optional[Tuple[TaskTimeEnd, TaskTimeEnd]]
    pinned: bool


def read_tasks(value: object, path: str, faults: Faults) -> List[Task]:
    """The reply of ``probe.task.get``."""
    return read_items(value, path, faults, read_task)


def read_task(value: object, path: str, faults: Faults) -> Task:
    """One whole task."""
    fields = Fields(value, path, faults)
    return {
        "task_id": fields.text("task_id"),
        "type": fields.text("type"),
        "service_type": fields.text("service_type"),
        "cycle": fields.integer("cycle", low=0),
        "probe_data": fields.read("probe_data", _read_probe_data, ProbeData(dns_servers=[])),
        "target": fields.items("target", _read_target),
        "status": _read_status(fields),
        "group_id": fields.required("group_id", _read_group_id, None),
        "uid": fields.required("uid", _read_owner_id, None),
        "gid": fields.required("gid", _read_owner_id, None),
        "task_time": fields.required("task_time", _read_task_time, None),
        "pinned": fields.boolean("pinned"),
    }


def read_task_key(value: object, path: str, faults: Faults) -> str:
    """The reply of ``probe.task.delete``."""
    return Fields(value, path, faults).text("task_id")


def _read_probe_data(value: object, path: str, faults: Faults) -> ProbeData:
    return {"dns_servers": Fields(value, path, faults).items("dns_servers", read_text)}


def _read_target(value: object, path: str, faults: Faults) -> TaskTarget:
    fields = Fields(value, path, faults)
    rtype = fields.text("rtype")
    if fields.values.get("type") == "domain_group":
        return {
            "type": "domain_group",
            "rtype": rtype,
            "domain_group_id": fields.integer("domain_group_id"),
        }
    if fields.is_object and fields.values.get("type") != "domain":
        faults.add(fields.at("type"), "expected domain or domain_group")
    return {"type": "domain", "rtype": rtype, "data": fields.text("data")}


def _read_status(fields: Fields) -> int:
    status = fields.integer("status")
    if status not in (0, 1):
        fields.faults.add(fields.at("status"), "expected 0 or 1")
    return status


def _read_group_id(value: object, path: str, faults: Faults) -> Optional[int]:
    number = as_integer(value)
    if number is None and value is not None:
        faults.add(path, "expected an integer or null")
    return number


def _read_owner_id(value: object, path: str, faults: Faults) -> OwnerId:
    if value is None or isinstance(value, str):
        return value
    number = as_integer(value)
    if number is None:
        faults.add(path, "expected an integer, a string or null")
    return number


def _read_task_time(value: object, path: str, faults: Faults) -> Optional[Tuple[TaskTimeEnd, TaskTimeEnd]]:
    if value is None:
        return None
    ends = read_items(value, path, faults, _read_task_time_end)
    if len(ends) == 2:
        return (ends[0], ends[1])
    faults.add(path, "expected [start, end] or null")
    return None


def _read_task_time_end(value: object, path: str, faults: Faults) -> TaskTimeEnd:
    if isinstance(value, str):
        return value
    number = as_integer(value)
    if number is None:
        faults.add(path, "expected an integer or a string")
    return number or 0
