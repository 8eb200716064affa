"""Domain names as callers write them (RFC 1035 section 5.1, RFC 5891): can they stand in a DNS question?"""

import re
from encodings import idna
from typing import List, Optional, Tuple

from .fields import utf16_length

_MAX_LABEL_OCTETS = 63
_MAX_NAME_OCTETS = 255
_FULL_STOPS = re.compile("[。．｡]")
# A decimal escape, another escape, a printable ASCII character, one outside ASCII, or what cannot stand in a name.
_TOKENS = re.compile(r"\\([0-9]{3})|\\([^0-9])|([!-\[\]-~])|([^\x00-\x7f])|(.)", re.DOTALL)
#: ASCII that has no place in a label with characters beyond ASCII.
_NOT_IN_IDN = re.compile(r"[\x00-\x20\x7f#%/:<>?@\[\\\]^|]")


def find_name_fault(text: str) -> Optional[str]:
    """Why this is no name, or None when it is one.

    Characters beyond ASCII are judged by the standard library's IDNA 2003; a gateway knows IDNA 2008 (UTS 46).
    """
    if text == "":
        return "name is empty"
    if text == ".":
        return None
    if utf16_length(text) > _MAX_NAME_OCTETS * 4:
        return f"name is longer than {_MAX_NAME_OCTETS} octets"
    total = 1
    for label in _split_labels(_FULL_STOPS.sub(".", text)):
        octets, fault = _count_octets(label)
        if fault is not None:
            return f"name {fault}"
        if octets == 0:
            return "name has an empty label"
        if octets > _MAX_LABEL_OCTETS:
            return f"name has a label over {_MAX_LABEL_OCTETS} octets"
        total += 1 + octets
    return f"name is longer than {_MAX_NAME_OCTETS} octets" if total > _MAX_NAME_OCTETS else None


def _split_labels(text: str) -> List[str]:
    """Cuts at dots that no backslash escapes; a trailing dot opens no further label."""
    labels: List[str] = []
    start = index = 0
    while index < len(text):
        if text[index] == "\\":
            index += 1
        elif text[index] == ".":
            labels.append(text[start:index])
            start = index + 1
        index += 1
    if start < len(text):
        labels.append(text[start:])
    return labels


def _count_octets(label: str) -> Tuple[int, Optional[str]]:
    ascii_label = _to_ascii(label)
    if ascii_label is None:
        return 0, "has a label that IDNA does not allow"
    octets = 0
    for token in _TOKENS.finditer(ascii_label):
        decimal, escaped, printable, outside, rest = token.groups()
        if decimal is not None:
            if int(decimal) > 255:
                return 0, "has an escape above \\255"
            octets += 1
        elif escaped is not None:
            octets += len(escaped.encode("utf-8", "replace"))
        elif printable is not None:
            octets += 1
        elif outside is not None:
            return 0, "mixes escapes with characters outside ASCII in one label"
        elif rest == "\\":
            return 0, "has an escape that is cut short"
        else:
            return 0, "has a blank or control character that is not escaped"
    return octets, None


def _to_ascii(label: str) -> Optional[str]:
    if label.isascii() or "\\" in label:
        return label
    try:
        mapped = idna.nameprep(label)
        # What is too long is told apart from what is not allowed, so the length is left to the caller.
        encoded = mapped if mapped.isascii() else "xn--" + mapped.encode("punycode").decode("ascii")
    except UnicodeError:
        return None
    if encoded == "" or "." in encoded or _NOT_IN_IDN.search(label) or _NOT_IN_IDN.search(encoded):
        return None
    return encoded
