"""What the probe calls return, and the readers that check it. Unknown fields are left out."""

from typing import List, Optional, TypedDict

from .faults import Faults
from .fields import Fields, as_number, read_text


class Device(TypedDict):
    """Where an agent stands."""

    country: str
    province: str
    city: str
    carrier: str


class SectionRecord(TypedDict):
    """One record of a DNS reply; ``result`` is its text as dnspython prints it."""

    name: str
    ttl: int
    rdclass: str
    rdtype: str
    result: str


class _VerboseRowFields(TypedDict):
    domain: str
    delay: Optional[float]
    dns_response_status: str
    dns_server: str
    device: Device
    answer_section: List[SectionRecord]
    authority_section: List[SectionRecord]
    additional_section: List[SectionRecord]


class VerboseRow(_VerboseRowFields, total=False):
    """One probed cell: agent x server x domain.

    ``delay`` is in milliseconds, None when nothing came back. ``dns_response_status`` is the rcode's name or what
    failed (``TIMEOUT``, ``CONN_REFUSED``, ``AGENT_NO_REPLY``, ...). ``agent_id`` and what follows may be missing;
    ``lag`` is there where so many milliseconds of ``delay`` may be a standstill of the agent itself.
    """

    agent_id: str
    rtype: str
    lag: float
    transport: Optional[str]
    truncated: bool
    tries: int
    flags: List[str]


def read_one_shoot_reply(value: object, path: str, faults: Faults) -> List[str]:
    """The answers of a one_shoot reply."""
    return Fields(value, path, faults).items("results", read_text)


def read_one_shoot_verbose_reply(value: object, path: str, faults: Faults) -> List[VerboseRow]:
    """The rows of a verbose reply."""
    return Fields(value, path, faults).items("results", read_verbose_row)


def read_verbose_row(value: object, path: str, faults: Faults) -> VerboseRow:
    """One row of a verbose reply."""
    fields = Fields(value, path, faults)
    row: VerboseRow = {
        "domain": fields.text("domain"),
        "delay": fields.required("delay", _read_delay, None),
        "dns_response_status": fields.text("dns_response_status"),
        "dns_server": fields.text("dns_server"),
        "device": fields.read("device", read_place, _NOWHERE),
        "answer_section": fields.items("answer_section", _read_record),
        "authority_section": fields.items("authority_section", _read_record),
        "additional_section": fields.items("additional_section", _read_record),
    }
    if fields.has("agent_id"):
        row["agent_id"] = fields.text("agent_id")
    if fields.has("rtype"):
        row["rtype"] = fields.text("rtype")
    if fields.has("lag"):
        row["lag"] = fields.required("lag", _read_lag, 0.0)
    if fields.has("transport"):
        row["transport"] = fields.read("transport", _read_transport, None)
    if fields.has("truncated"):
        row["truncated"] = fields.boolean("truncated")
    if fields.has("tries"):
        row["tries"] = fields.integer("tries")
    if fields.has("flags"):
        row["flags"] = fields.items("flags", read_text)
    return row


_NOWHERE: Device = {"country": "", "province": "", "city": "", "carrier": ""}


def read_place(value: object, path: str, faults: Faults) -> Device:
    """A place in a reply."""
    fields = Fields(value, path, faults)
    return {
        "country": fields.text("country"),
        "province": fields.text("province"),
        "city": fields.text("city"),
        "carrier": fields.text("carrier"),
    }


def _read_delay(value: object, path: str, faults: Faults) -> Optional[float]:
    delay = as_number(value)
    if delay is None and value is not None:
        faults.add(path, "expected milliseconds or null")
    return delay


def _read_lag(value: object, path: str, faults: Faults) -> float:
    lag = as_number(value)
    if lag is None:
        faults.add(path, "expected milliseconds")
        return 0.0
    return lag


def _read_transport(value: object, path: str, faults: Faults) -> Optional[str]:
    if value is None:
        return None
    if value == "udp" or value == "tcp":
        return read_text(value, path, faults)
    faults.add(path, "expected udp, tcp or null")
    return None


def _read_record(value: object, path: str, faults: Faults) -> SectionRecord:
    fields = Fields(value, path, faults)
    return {
        "name": fields.text("name"),
        "ttl": fields.integer("ttl"),
        "rdclass": fields.text("rdclass"),
        "rdtype": fields.text("rdtype"),
        "result": fields.text("result"),
    }
