"""DNS servers as callers write them: ``1.1.1.1``, ``[2001:db8::1]:53``, ``udp://…``, ``tcp://…``."""

import ipaddress
import re
from typing import Optional

from .fields import utf16_length

_MAX_LENGTH = 80
_NO_ADDRESS = "server is not an IP address with an optional port and scheme"
_FORM = re.compile(
    r"(?:([a-z]+)://)?(?:\[([0-9a-f:.]+)\]|([0-9.]+)|([0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*))(?::([0-9]{1,5}))?/?\Z",
    re.IGNORECASE | re.ASCII,
)


def find_server_fault(text: str) -> Optional[str]:
    """Why this is no server address, or None when it is one."""
    if utf16_length(text) > _MAX_LENGTH:
        return "server is too long for a server address"
    match = _FORM.match(f"[{text}]" if _is_address(text, 6) else text)
    if match is None:
        return _NO_ADDRESS
    scheme, bracketed, plain, unbracketed, port = match.groups()
    if scheme is not None and scheme.lower() not in ("udp", "tcp"):
        return f"server scheme {scheme}:// is not supported"
    address = plain or bracketed or unbracketed
    if not _is_address(address, 6 if plain is None else 4):
        return _NO_ADDRESS
    if port is not None and not 1 <= int(port) <= 65535:
        return "server has a port outside 1-65535"
    return None


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False
