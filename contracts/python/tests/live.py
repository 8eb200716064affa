"""What the live tests are pointed at by the environment, and the connections to it."""

import os
from typing import Any, Dict

import nats
from nats.aio.client import Client as NatsClient


def setting(name: str) -> str:
    """A variable that the starter of the tests has to set."""
    value = os.environ.get(name)
    if value is None:
        raise RuntimeError(f"{name} is not set; test/python/python-peer.test.ts sets it")
    return value


async def connect() -> NatsClient:
    """A raw connection to ``PROBE_TEST_NATS_URL``."""
    options: Dict[str, Any] = {"allow_reconnect": False}
    return await nats.connect(setting("PROBE_TEST_NATS_URL"), **options)
