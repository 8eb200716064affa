"""What is wrong with a message, collected fault by fault."""

from typing import List, Tuple

from .errors import ProbeTaskError

_MAX_FAULTS = 20


class Faults:
    """Faults in the order they were found; the first 20 are kept, all are counted."""

    def __init__(self) -> None:
        self.total = 0
        self.kept: List[Tuple[str, str]] = []

    def add(self, path: str, reason: str) -> None:
        """Notes a fault at ``path`` (``probe_data.dns_servers.0``; empty for the whole message)."""
        self.total += 1
        if len(self.kept) < _MAX_FAULTS:
            self.kept.append((path, reason))

    def describe(self) -> str:
        """The first fault, and how many more there are."""
        path, reason = self.kept[0]
        more = f" (and {self.total - 1} more)" if self.total > 1 else ""
        return f"{path or 'request'}: {reason}{more}"

    def raise_invalid_request(self) -> None:
        """Raises ``INVALID_REQUEST`` with all that was noted; does nothing when nothing was."""
        if self.total == 0:
            return
        faults = [{"path": path, "reason": reason} for path, reason in self.kept]
        raise ProbeTaskError("INVALID_REQUEST", self.describe(), details={"faults": faults, "total": self.total})
