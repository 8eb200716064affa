"""A Python peer for callers of other languages: serves both probe subjects until SIGTERM."""

import asyncio
import signal
from typing import Sequence

from probe_task import (
    OneShootRequest,
    OneShootVerboseRequest,
    ProbeTaskError,
    VerboseRow,
    serve_one_shoot,
    serve_one_shoot_verbose,
)

from live import connect


async def answer(request: OneShootRequest) -> Sequence[str]:
    """The target itself; two names fail instead."""
    if request.target.data == "none.example":
        raise ProbeTaskError("NO_AGENTS", "no agent in 中国")
    if request.target.data == "fault.example":
        raise RuntimeError("an inner matter")
    return [f"{request.target.rtype} {request.target.data}", *request.dns_servers]


async def answer_verbose(request: OneShootVerboseRequest) -> Sequence[VerboseRow]:
    """One row for each target and region."""
    return [
        {
            "domain": target.data,
            "delay": 1.5,
            "dns_response_status": "NOERROR",
            "dns_server": "192.0.2.53",
            "device": {
                "country": region.country,
                "province": region.province,
                "city": region.city,
                "carrier": region.carrier,
            },
            "answer_section": [
                {"name": f"{target.data}.", "ttl": 61, "rdclass": "IN", "rdtype": target.rtype, "result": "192.0.2.7"}
            ],
            "authority_section": [],
            "additional_section": [],
        }
        for target in request.targets
        for region in request.regions
    ]


async def main() -> None:
    """Prints ``serving`` when requests are taken."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    connection = await connect()
    servers = [await serve_one_shoot(connection, answer), await serve_one_shoot_verbose(connection, answer_verbose)]
    print("serving", flush=True)
    await ended.wait()
    for server in servers:
        await server.stop()
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
