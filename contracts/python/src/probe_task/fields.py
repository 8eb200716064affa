"""Readers of JSON values: each returns what it read, or notes a fault and returns a stand-in."""

from typing import Callable, List, Mapping, Optional, TypeVar

from ._constants import MAX_LIST_ITEMS
from .faults import Faults

_MAX_SAFE_INTEGER = 2**53 - 1  # beyond it other implementations cannot tell neighbours apart

_Item = TypeVar("_Item")


class Fields:
    """The fields of one JSON object. A reader of a faulty field notes the fault and returns a stand-in."""

    def __init__(self, value: object, path: str, faults: Faults) -> None:
        self.path = path
        self.faults = faults
        self.values: Mapping[str, object] = {}
        #: False when there was no object at all: then its fields are not noted as missing.
        self.is_object = isinstance(value, dict)
        if isinstance(value, dict):
            self.values = value
        else:
            faults.add(path, "expected an object")

    def has(self, name: str) -> bool:
        """Whether the field is there, be it null."""
        return name in self.values

    def at(self, name: str) -> str:
        """The path of the field."""
        return f"{self.path}.{name}" if self.path else name

    def read(self, name: str, reader: Callable[[object, str, Faults], _Item], stand_in: _Item) -> _Item:
        """The field as ``reader`` reads it; one that is missing reads as None."""
        return reader(self.values.get(name), self.at(name), self.faults) if self.is_object else stand_in

    def required(self, name: str, reader: Callable[[object, str, Faults], _Item], stand_in: _Item) -> _Item:
        """As :meth:`read`, where null is a value and missing is a fault."""
        if self.is_object and not self.has(name):
            self.faults.add(self.at(name), "is missing")
            return stand_in
        return self.read(name, reader, stand_in)

    def text(self, name: str) -> str:
        """A string."""
        return self.read(name, read_text, "")

    def integer(self, name: str, low: Optional[int] = None) -> int:
        """A whole number, at least ``low``."""
        value = self.read(name, read_integer, 0 if low is None else low)
        if low is not None and value < low:
            self.faults.add(self.at(name), f"expected at least {low}")
        return value

    def boolean(self, name: str) -> bool:
        """true or false."""
        return self.read(name, read_boolean, False)

    def items(self, name: str, reader: Callable[[object, str, Faults], _Item]) -> List[_Item]:
        """A list, each item read by ``reader``."""
        if not self.is_object:
            return []
        return read_items(self.values.get(name), self.at(name), self.faults, reader)


def read_text(value: object, path: str, faults: Faults) -> str:
    """A string."""
    if isinstance(value, str):
        return value
    faults.add(path, "expected a string")
    return ""


def read_integer(value: object, path: str, faults: Faults) -> int:
    """A whole number that every JSON implementation can hold exactly; ``3.0`` is one."""
    number = as_integer(value)
    if number is not None:
        return number
    faults.add(path, "expected an integer")
    return 0


def read_boolean(value: object, path: str, faults: Faults) -> bool:
    """true or false."""
    if isinstance(value, bool):
        return value
    faults.add(path, "expected true or false")
    return False


def read_items(value: object, path: str, faults: Faults, reader: Callable[[object, str, Faults], _Item]) -> List[_Item]:
    """A list, each item read by ``reader``."""
    if isinstance(value, list) and len(value) > MAX_LIST_ITEMS:
        faults.add(path, f"expected at most {MAX_LIST_ITEMS} items, there are {len(value)}")
        return []
    if isinstance(value, list):
        return [reader(item, f"{path}.{index}" if path else str(index), faults) for index, item in enumerate(value)]
    faults.add(path, "expected a list")
    return []


def as_integer(value: object) -> Optional[int]:
    """The whole number that a JSON value is, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float) and not value.is_integer():
        return None
    return int(value) if abs(value) <= _MAX_SAFE_INTEGER else None


def as_number(value: object) -> Optional[float]:
    """The finite number that a JSON value is, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if abs(value) < float("inf") else None


def utf16_length(text: str) -> int:
    """The length as the other side counts it: in UTF-16 units."""
    return len(text) + sum(1 for character in text if character > "\uffff")
