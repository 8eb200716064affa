"""From the octets of a message to JSON values, and from a reply to its value or its error."""

import json
from typing import Callable, Optional, TypeVar

from ._constants import ERROR_CATALOG
from .errors import ProbeTaskError
from .faults import Faults
from .fields import Fields

_Value = TypeVar("_Value")

# Python refuses to turn longer digit strings into integers; as a float they are infinite, as elsewhere.
_MAX_DIGITS = 400


def decode_json(body: bytes) -> object:
    """Parses a body as UTF-8 JSON (RFC 8259), no more and no less; raises ``INVALID_JSON``."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ProbeTaskError("INVALID_JSON", "the body is not UTF-8") from None
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant, parse_int=_parse_integer)
        return value
    except RecursionError:
        raise ProbeTaskError("INVALID_REQUEST", "request: is nested too deeply") from None
    except ValueError:
        reason = "the body is not JSON" if body else "the body is empty"
        raise ProbeTaskError("INVALID_JSON", reason) from None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _parse_integer(digits: str) -> float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def decode_reply(body: bytes, read: Callable[[object, str, Faults], _Value]) -> _Value:
    """The value of a reply as ``read`` reads it.

    Raises the :class:`ProbeTaskError` that the reply carries, ``INVALID_JSON`` when it is no JSON, and
    ``INTERNAL`` when it is no reply of this call or carries a code that this package does not know.
    """
    value = decode_json(body)
    error = read_error(value)
    if error is not None:
        raise error
    faults = Faults()
    result = read(value, "", faults)
    if faults.total > 0:
        raise ProbeTaskError("INTERNAL", f"the reply does not fit its schema: {faults.describe()}")
    return result


def read_error(value: object) -> Optional[ProbeTaskError]:
    """The error that a reply carries, or None when it carries none."""
    if not isinstance(value, dict) or not isinstance(value.get("error"), dict):
        return None
    faults = Faults()
    fields = Fields(value["error"], "error", faults)
    code, message = fields.text("code"), fields.text("message")
    status, retryable = fields.integer("status"), fields.boolean("retryable")
    details = fields.values.get("details")
    if fields.has("details") and not isinstance(details, dict):
        faults.add("error.details", "expected an object")
    if faults.total > 0:
        return None
    kept = details if isinstance(details, dict) else None
    if code not in ERROR_CATALOG:
        return ProbeTaskError("INTERNAL", f"{code}: {message}", details=kept)
    return ProbeTaskError(code, message, status=status, retryable=retryable, details=kept)
