"""Reads the shared vectors (contracts/vectors/README.md) and expands their repeat notation."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional

_FOLDER = Path(__file__).parents[2] / "vectors"


@dataclass(frozen=True)
class Vector:
    """One message and what has to come of it."""

    file: str
    name: str
    subject: str
    direction: str
    octets: bytes
    expect: Dict[str, object]
    gateway_code: Optional[str]


def read_vectors() -> List[Vector]:
    """Every vector, in the order of the files."""
    return [
        Vector(
            file=path.name,
            name=entry["name"],
            subject=entry["subject"],
            direction=entry["direction"],
            octets=_encode_body(entry),
            expect=entry["expect"],
            gateway_code=entry.get("gateway", {}).get("code"),
        )
        for path in sorted(_FOLDER.glob("*.json"))
        for entry in json.loads(path.read_text("utf-8"))
    ]


def _encode_body(entry: Dict[str, object]) -> bytes:
    raw = entry.get("raw")
    if isinstance(raw, dict):
        return raw["text"].encode() if "text" in raw else base64.b64decode(raw["base64"])
    return json.dumps(expand_repeats(entry["body"])).encode()


def expand_repeats(value: object) -> object:
    """``{"$text": [[text, count], ...]}`` becomes one string, ``{"$list": [item, count]}`` a list of equal items."""
    if isinstance(value, list):
        return [expand_repeats(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"$text"}:
        return "".join(text * count for text, count in value["$text"])
    if set(value) == {"$list"}:
        item, count = value["$list"]
        return [expand_repeats(item)] * count
    return {key: expand_repeats(item) for key, item in value.items()}
