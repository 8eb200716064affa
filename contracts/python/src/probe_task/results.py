"""The history of recurring tasks."""

from typing import List, Optional, TypedDict

from .faults import Faults
from .fields import Fields, read_text
from .replies import VerboseRow, read_verbose_row


class TaskResult(VerboseRow):
    """A verbose row with the task and the nominal time (ISO 8601, UTC) that it was probed for."""

    task_id: str
    scheduled_at: str


class ResultPage(TypedDict):
    """``next_cursor`` asks for the next page; None on the last one."""

    results: List[TaskResult]
    next_cursor: Optional[str]


def read_result_page(value: object, path: str, faults: Faults) -> ResultPage:
    """The reply of ``probe.task.result.get``."""
    fields = Fields(value, path, faults)
    return {
        "results": fields.items("results", _read_result),
        "next_cursor": fields.required("next_cursor", _read_cursor, None),
    }


def _read_result(value: object, path: str, faults: Faults) -> TaskResult:
    fields = Fields(value, path, faults)
    task_id, scheduled_at = fields.text("task_id"), fields.text("scheduled_at")
    # Optional in a verbose row, always there in a result.
    fields.text("agent_id")
    fields.text("rtype")
    row = read_verbose_row(value, path, faults)
    return {**row, "task_id": task_id, "scheduled_at": scheduled_at}


def _read_cursor(value: object, path: str, faults: Faults) -> Optional[str]:
    return None if value is None else read_text(value, path, faults)
