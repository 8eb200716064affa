"""One probe from the shell: ``python -m probe_task NAME [-t TYPE] [-s SERVER]...``; prints JSON."""

import argparse
import asyncio
import json
import sys
from typing import List, Optional

from ._constants import DEFAULT_RESP_TIMEOUT_S
from .client import ProbeTaskClient
from .errors import ProbeTaskError
from .requests import DomainTarget


def main(arguments: Optional[List[str]] = None) -> int:
    """Exit code 0 with the results on stdout, 1 with the coded error on stderr."""
    options = _create_parser().parse_args(arguments)
    try:
        results = asyncio.run(_probe(options))
    except ProbeTaskError as error:
        print(json.dumps(error.to_reply(), ensure_ascii=False), file=sys.stderr)
        return 1
    print(json.dumps(results, ensure_ascii=False, indent=2))
    return 0


async def _probe(options: argparse.Namespace) -> object:
    regions = [region.split(",") for region in options.region]
    async with await ProbeTaskClient.connect(options.url) as client:
        if options.verbose:
            targets = [DomainTarget(options.name, options.type)]
            return await client.one_shoot_verbose(targets, options.server, options.group, regions, options.timeout)
        return await client.one_shoot(
            options.name, options.type, options.server, options.group, regions, options.timeout
        )


def _create_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m probe_task", description="Probe a name from every agent.")
    parser.add_argument("name", metavar="NAME", help="domain name")
    parser.add_argument("-t", "--type", default="A", help="record type (A)")
    parser.add_argument("-s", "--server", action="append", default=[], help="DNS server; may be repeated")
    parser.add_argument("-g", "--group", type=int, help="probe group")
    parser.add_argument(
        "-r", "--region", action="append", default=[], help="COUNTRY,PROVINCE,CITY,CARRIER; may be repeated"
    )
    parser.add_argument("--timeout", type=float, default=DEFAULT_RESP_TIMEOUT_S, help="seconds, 1-60 (3)")
    parser.add_argument("--verbose", action="store_true", help="one row for every agent and server")
    parser.add_argument("--url", default="nats://127.0.0.1:4222", help="NATS server")
    return parser


if __name__ == "__main__":
    sys.exit(main())
