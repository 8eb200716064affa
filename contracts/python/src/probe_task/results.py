"""The history of recurring tasks."""

from typing import List, Optional, TypedDict

from .faults import Faults
from .fields import Fields, read_text
from .replies import VerboseRow, read_verbose_row


class _TaskResultFields(VerboseRow):
    task_id: str
    scheduled_at: str


class TaskResult(_TaskResultFields, total=False):
    """A verbose row with the task and the nominal time that it was probed for (times in ISO 8601, UTC).

    ``dns_response_status`` may also be ``LOST`` (its agents went away with it) or ``EXPIRED`` (no agent claimed it in
    time). ``finished_at``, when that was known, may be missing.
    """

    finished_at: str


class ResultPage(TypedDict):
    """``next_cursor`` asks for the next page; None on the last one."""

    results: List[TaskResult]
    next_cursor: Optional[str]


def read_result_page(value: object, path: str, faults: Faults) -> ResultPage:
    """The reply of ``probe.task.result.get``."""
    fields = Fields(value, path, faults)
    return {
        "results": fields.items("results", _read_result),
        "next_cursor": fields.required("next_cursor", read_cursor, None),
    }


def _read_result(value: object, path: str, faults: Faults) -> TaskResult:
    fields = Fields(value, path, faults)
    task_id, scheduled_at = fields.text("task_id"), fields.text("scheduled_at")
    # Optional in a verbose row, always there in a result.
    fields.text("agent_id")
    fields.text("rtype")
    row = read_verbose_row(value, path, faults)
    finished_at = fields.text("finished_at") if fields.has("finished_at") else ""
    result: TaskResult = {**row, "task_id": task_id, "scheduled_at": scheduled_at, "finished_at": finished_at}
    if not fields.has("finished_at"):
        del result["finished_at"]
    return result


def read_cursor(value: object, path: str, faults: Faults) -> Optional[str]:
    """Where the next page starts; None on the last one."""
    return None if value is None else read_text(value, path, faults)
