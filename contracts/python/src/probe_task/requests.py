"""The requests of the probe subjects, as the side that answers them gets them."""

import unicodedata
from dataclasses import dataclass
from typing import List, Optional, Tuple

from ._constants import DEFAULT_RESP_TIMEOUT_S
from .decoding import decode_json
from .dns_server import find_server_fault
from .domain_name import find_name_fault
from .faults import Faults
from .fields import Fields, as_integer, as_number, read_integer, read_items, read_text, utf16_length
from .record_type import normalize_record_type

#: Stands for "any" in a region.
WILDCARD = "*"

_MAX_ID_LENGTH = 64
_MAX_REGIONS = 1000
_MIN_TIMEOUT_S, _MAX_TIMEOUT_S = 1, 60


@dataclass(frozen=True)
class DomainTarget:
    """A domain to probe. ``rtype`` is the mnemonic of a record type, or ``TYPEn``."""

    data: str
    rtype: str = "A"


@dataclass(frozen=True)
class Region:
    """Where agents are to stand; every part may be :data:`WILDCARD`."""

    country: str = WILDCARD
    province: str = WILDCARD
    city: str = WILDCARD
    carrier: str = WILDCARD


@dataclass(frozen=True)
class OneShootRequest:
    """A request of ``probe.task.dns_result.one_shoot``, checked and with its defaults filled in.

    No ``dns_servers``: the resolvers of the agent's region, else its own. Neither ``group_id`` nor ``regions``:
    every agent. ``resp_timeout``: seconds until the reply must be there.
    """

    target: DomainTarget
    dns_servers: Tuple[str, ...] = ()
    group_id: Optional[int] = None
    regions: Tuple[Region, ...] = ()
    resp_timeout: float = DEFAULT_RESP_TIMEOUT_S


@dataclass(frozen=True)
class OneShootVerboseRequest:
    """A request of ``probe.task.dns_result.one_shoot.verbose``; see :class:`OneShootRequest`."""

    targets: Tuple[DomainTarget, ...]
    dns_servers: Tuple[str, ...] = ()
    group_id: Optional[int] = None
    regions: Tuple[Region, ...] = ()
    resp_timeout: float = DEFAULT_RESP_TIMEOUT_S


def decode_one_shoot_request(body: bytes) -> OneShootRequest:
    """Decodes and checks a request body; raises ``INVALID_JSON`` or ``INVALID_REQUEST``."""
    faults = Faults()
    fields = Fields(decode_json(body), "", faults)
    request = OneShootRequest(
        target=fields.read("target", _read_target, DomainTarget("")),
        dns_servers=_read_servers(fields),
        group_id=_read_group_id(fields),
        regions=_read_regions(fields),
        resp_timeout=_read_timeout(fields),
    )
    faults.raise_invalid_request()
    return request


def decode_one_shoot_verbose_request(body: bytes) -> OneShootVerboseRequest:
    """Decodes and checks a request body; raises ``INVALID_JSON`` or ``INVALID_REQUEST``."""
    faults = Faults()
    fields = Fields(decode_json(body), "", faults)
    request = OneShootVerboseRequest(
        targets=tuple(fields.read("target", _read_targets, [])),
        dns_servers=_read_servers(fields),
        group_id=_read_group_id(fields),
        regions=_read_regions(fields),
        resp_timeout=_read_timeout(fields),
    )
    faults.raise_invalid_request()
    return request


def _read_targets(value: object, path: str, faults: Faults) -> List[DomainTarget]:
    if value == []:
        faults.add(path, "expected at least one target")
    return read_items(value, path, faults, _read_target)


def _read_target(value: object, path: str, faults: Faults) -> DomainTarget:
    fields = Fields(value, path, faults)
    if fields.is_object and fields.values.get("type") != "domain":
        faults.add(fields.at("type"), 'expected "domain"')
    return DomainTarget(rtype=fields.read("rtype", _read_record_type, "A"), data=fields.read("data", _read_name, ""))


def _read_record_type(value: object, path: str, faults: Faults) -> str:
    if value is None:
        return "A"
    normalized = normalize_record_type(value) if isinstance(value, str) else None
    if normalized is None:
        faults.add(path, "unknown record type" if isinstance(value, str) else "expected a string")
    return normalized or "A"


def _read_name(value: object, path: str, faults: Faults) -> str:
    name = read_text(value, path, faults)
    fault = find_name_fault(name) if isinstance(value, str) else None
    if fault is not None:
        faults.add(path, fault)
    return name


def _read_servers(fields: Fields) -> Tuple[str, ...]:
    if fields.values.get("probe_data") is None:
        return ()
    probe_data = Fields(fields.values["probe_data"], fields.at("probe_data"), fields.faults)
    if probe_data.values.get("dns_servers") is None:
        return ()
    return tuple(probe_data.items("dns_servers", _read_server))


def _read_server(value: object, path: str, faults: Faults) -> str:
    server = read_text(value, path, faults)
    fault = find_server_fault(server) if isinstance(value, str) else None
    if fault is not None:
        faults.add(path, fault)
    return server


def _read_group_id(fields: Fields) -> Optional[int]:
    if fields.values.get("group_id") is None:
        return None
    return fields.read("group_id", read_integer, 0) or None


def _read_regions(fields: Fields) -> Tuple[Region, ...]:
    regions = fields.values.get("regions")
    if regions is None:
        return ()
    if isinstance(regions, list) and len(regions) > _MAX_REGIONS:
        fields.faults.add(fields.at("regions"), f"expected at most {_MAX_REGIONS} regions")
    return tuple(fields.items("regions", _read_region))


def _read_region(value: object, path: str, faults: Faults) -> Region:
    parts = read_items(value, path, faults, _read_place_id)
    if len(parts) > 4:
        faults.add(path, "expected at most [country, province, city, carrier]")
    return Region(*parts[:4])


def _read_place_id(value: object, path: str, faults: Faults) -> str:
    """An id of a place: int or string, compared as string. null, "", 0 and "*" mean any."""
    if value is None:
        return WILDCARD
    number = as_integer(value)
    if number is not None:
        text = str(number)
    elif isinstance(value, str) and utf16_length(value) <= _MAX_ID_LENGTH and not _has_unprintable(value):
        text = value
    else:
        faults.add(path, "expected an id (int or string)")
        return WILDCARD
    return WILDCARD if text in ("", "0") else text


def _has_unprintable(text: str) -> bool:
    """Control characters, or halves of surrogate pairs."""
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def _read_timeout(fields: Fields) -> float:
    value = fields.values.get("resp_timeout")
    if value is None:
        return DEFAULT_RESP_TIMEOUT_S
    seconds = as_number(value)
    if seconds is not None and _MIN_TIMEOUT_S <= seconds <= _MAX_TIMEOUT_S:
        return seconds
    fields.faults.add(fields.at("resp_timeout"), f"expected {_MIN_TIMEOUT_S} to {_MAX_TIMEOUT_S} seconds")
    return DEFAULT_RESP_TIMEOUT_S
