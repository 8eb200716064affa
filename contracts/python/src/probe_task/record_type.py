"""DNS record types as callers write them."""

import re
from typing import Optional

from ._constants import RECORD_TYPES, UNPRINTED_RECORD_TYPES

_GENERIC = re.compile(r"TYPE([0-9]{1,5})\Z")
_NAMES = {number: name for name, number in RECORD_TYPES.items() if name not in UNPRINTED_RECORD_TYPES}
#: OPT and the types 249-252 (TKEY, TSIG, IXFR, AXFR) cannot stand in a question.
_NOT_ASKABLE = frozenset((41, 249, 250, 251, 252))


def normalize_record_type(text: str) -> Optional[str]:
    """The mnemonic of a type given by name in any case or as ``TYPEn`` (RFC 3597); None when there is none."""
    name = text.upper()
    number = RECORD_TYPES.get(name)
    if number is None:
        generic = _GENERIC.match(name)
        if generic is None:
            return None
        number = int(generic.group(1))
        if not 1 <= number <= 65535 or number in _NOT_ASKABLE:
            return None
    return _NAMES.get(number, f"TYPE{number}")
