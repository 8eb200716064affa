"""The one error of this package."""

from typing import Dict, Optional

from ._constants import ERROR_CATALOG


class ProbeTaskError(Exception):
    """A call that failed, by code.

    ``code`` is one of the contract's error codes. The client raises some by itself: ``TIMEOUT`` (no reply in
    time), ``UNAVAILABLE`` (nobody serves the subject, or the connection is closed), ``PAYLOAD_TOO_LARGE`` (the
    request does not fit into one message), ``INTERNAL`` (a reply that is none).

    ``status`` is its number in HTTP's vocabulary, ``retryable`` whether the same request may succeed later,
    ``details`` what the reply adds: for ``INVALID_REQUEST`` ``{"faults": [{"path", "reason"}], "total": int}``.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: Optional[int] = None,
        retryable: Optional[bool] = None,
        details: Optional[Dict[str, object]] = None,
    ) -> None:
        """``status`` and ``retryable`` come from the catalogue of codes unless given."""
        super().__init__(f"{code}: {message}")
        known_status, known_retryable = ERROR_CATALOG.get(code, ERROR_CATALOG["INTERNAL"])
        self.code = code
        self.message = message
        self.status = known_status if status is None else status
        self.retryable = known_retryable if retryable is None else retryable
        self.details = details

    def to_reply(self) -> Dict[str, object]:
        """The body of the error reply."""
        error: Dict[str, object] = {
            "code": self.code,
            "status": self.status,
            "message": self.message,
            "retryable": self.retryable,
        }
        if self.details is not None:
            error["details"] = self.details
        return {"error": error}
