"""A person who asks again and again: ``python -m benchmarks.asker``.

A process of its own, so that nothing but the bot is waited for. Its first line of input is a login and whom
to ask, as JSON. For each further line it asks that many times, or, for 0, until the next line, and prints
the seconds until each answer as JSON.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Final

from filebot.localserver.peer import Peer

PAUSE_S: Final = 0.2


async def answer_s(peer: Peer, bot: str) -> float:
    """Seconds until a command is answered."""
    start = time.perf_counter()
    peer.say("ls", bot)
    await peer.next_message(lambda heard: bool(heard.body), timeout_s=60)
    return time.perf_counter() - start


async def asked(login: dict[str, str]) -> None:
    """Until the input ends."""
    peer = await Peer.connect(
        login["jid"],
        login["password"],
        host="127.0.0.1",
        port=int(login["port"]),
        ca_file=Path(login["ca_file"]),
    )
    async with peer:
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            taken: list[float] = []
            end = None if int(line) else asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
            while (len(taken) < int(line)) if end is None else not end.done():
                taken.append(await answer_s(peer, login["bot"]))
                await asyncio.sleep(PAUSE_S)
            print(json.dumps(taken), flush=True)


if __name__ == "__main__":
    asyncio.run(asked(json.loads(sys.stdin.readline())))
