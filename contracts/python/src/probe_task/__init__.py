"""The ``probe.task.*`` contract over NATS, from both sides.

Ask: :class:`ProbeTaskClient`. Answer in place of a gateway: :func:`serve_one_shoot`,
:func:`serve_one_shoot_verbose`. Every failure is a :class:`ProbeTaskError` with a ``code``.
"""

from .client import ProbeTaskClient
from .definitions import Agent, AgentLoad, DomainGroup, GroupDetail, LocalDns
from .errors import ProbeTaskError
from .management import Task, TaskChanges
from .replies import (
    Device,
    SectionRecord,
    VerboseRow,
)
from .requests import DomainTarget, OneShootRequest, OneShootVerboseRequest, Region
from .results import ResultPage, TaskResult
from .serving import OneShootServer, serve_one_shoot, serve_one_shoot_verbose
from .slots import SkippedPart, SlotPage, TaskSlot

__all__ = [
    "Agent",
    "AgentLoad",
    "Device",
    "DomainGroup",
    "DomainTarget",
    "GroupDetail",
    "LocalDns",
    "OneShootRequest",
    "OneShootServer",
    "OneShootVerboseRequest",
    "ProbeTaskClient",
    "ProbeTaskError",
    "Region",
    "ResultPage",
    "SectionRecord",
    "SkippedPart",
    "SlotPage",
    "Task",
    "TaskChanges",
    "TaskResult",
    "TaskSlot",
    "VerboseRow",
    "serve_one_shoot",
    "serve_one_shoot_verbose",
]
