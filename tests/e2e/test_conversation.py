"""Conversations of docs/conversation.md are had today as they stand there."""

import asyncio
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIMIT_S = 600


# The document shows rooms with occupant-ids, and a bot with an account.
@pytest.mark.needs("occupant-id", "an account")
@pytest.mark.timeout(LIMIT_S + 30)
async def test_the_conversations_are_had_as_the_document_shows_them() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "scripts/conversation.py",
        "--check",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), LIMIT_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()
