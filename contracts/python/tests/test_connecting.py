"""What a caller is told when no server takes its connection."""

import asyncio
import io
import time
import unittest
from contextlib import redirect_stderr

from probe_task import ProbeTaskClient, ProbeTaskError


class ConnectTest(unittest.IsolatedAsyncioTestCase):
    """ProbeTaskClient.connect without a server."""

    async def _refusal(self, url: str, timeout: float = 10.0) -> str:
        with self.assertRaises(ProbeTaskError) as caught:
            await ProbeTaskClient.connect(url, timeout=timeout)
        self.assertEqual(caught.exception.code, "UNAVAILABLE")
        return caught.exception.message

    async def test_refused(self) -> None:
        """Says so at once, with the reason and without the login, and prints nothing by itself."""
        printed = io.StringIO()
        started = time.monotonic()
        with redirect_stderr(printed):
            message = await self._refusal("nats://me:secret@127.0.0.1:1")
        self.assertLess(time.monotonic() - started, 3)
        self.assertRegex(message, r"^no connection to nats://…@127\.0\.0\.1:1: .*Connect call failed")
        self.assertNotIn("secret", message)
        self.assertEqual(printed.getvalue(), "")

    async def test_silent(self) -> None:
        """A reason stands there even where the error has no text, and the connection is not left open."""
        left = asyncio.Event()

        async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()
            left.set()

        server = await asyncio.start_server(stay_silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        message = await self._refusal(f"nats://127.0.0.1:{port}", timeout=0.2)
        self.assertRegex(message, r": no server answers$")
        await asyncio.wait_for(left.wait(), 5)
        server.close()

    async def test_before_any_try(self) -> None:
        """No time, and no URL that nats-py takes."""
        self.assertRegex(await self._refusal("nats://127.0.0.1:1", timeout=0.0), r": no server answers$")
        self.assertRegex(await self._refusal("nats://127.0.0.1:none"), r"^no connection to nats://127\.0\.0\.1:none: .")


if __name__ == "__main__":
    unittest.main()
