"""The slots of recurring tasks: what was planned for each nominal time, and what came of it."""

from typing import List, Optional, TypedDict

from .faults import Faults
from .fields import Fields, read_text
from .results import read_cursor


class SkippedPart(TypedDict):
    """What was not planned, and why.

    ``reason`` is ``OVERLAP``, ``AGENT_AWAY``, ``NO_AGENTS``, ``NO_DOMAIN_GROUP``, ``PLAN_TOO_LARGE``, ``CHANGED`` (the
    schedule of the task was, or the task is gone, when the slot was due) or ``INTERNAL``. ``count`` agents of the first
    two, domain groups of ``NO_DOMAIN_GROUP``, else none; ``ids`` are the first 100 of them.
    """

    reason: str
    count: int
    ids: List[str]


class TaskSlot(TypedDict):
    """One nominal time of one task; times in ISO 8601, UTC.

    ``agents``, ``runs`` and ``cells`` were planned. Of the cells, ``done`` have an outcome (``late`` of them after
    ``expires_at``), ``lost`` went away with their agents, ``expired`` were claimed by none, of ``pending`` nothing is
    known yet. ``missed`` earlier nominal times are those that this one stands for.
    """

    task_id: str
    scheduled_at: str
    planned_at: str
    expires_at: str
    missed: int
    agents: int
    runs: int
    cells: int
    done: int
    late: int
    lost: int
    expired: int
    pending: int
    skipped: List[SkippedPart]


class SlotPage(TypedDict):
    """``next_cursor`` asks for the next page; None on the last one."""

    slots: List[TaskSlot]
    next_cursor: Optional[str]


def read_slot_page(value: object, path: str, faults: Faults) -> SlotPage:
    """The reply of ``probe.task.slot.get``."""
    fields = Fields(value, path, faults)
    return {
        "slots": fields.items("slots", _read_slot),
        "next_cursor": fields.required("next_cursor", read_cursor, None),
    }


def _read_slot(value: object, path: str, faults: Faults) -> TaskSlot:
    fields = Fields(value, path, faults)
    return {
        "task_id": fields.text("task_id"),
        "scheduled_at": fields.text("scheduled_at"),
        "planned_at": fields.text("planned_at"),
        "expires_at": fields.text("expires_at"),
        "missed": fields.integer("missed", low=0),
        "agents": fields.integer("agents", low=0),
        "runs": fields.integer("runs", low=0),
        "cells": fields.integer("cells", low=0),
        "done": fields.integer("done", low=0),
        "late": fields.integer("late", low=0),
        "lost": fields.integer("lost", low=0),
        "expired": fields.integer("expired", low=0),
        "pending": fields.integer("pending", low=0),
        "skipped": fields.items("skipped", _read_skipped),
    }


def _read_skipped(value: object, path: str, faults: Faults) -> SkippedPart:
    fields = Fields(value, path, faults)
    return {
        "reason": fields.text("reason"),
        "count": fields.integer("count", low=0),
        "ids": fields.items("ids", read_text),
    }
