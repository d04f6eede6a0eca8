"""All conversations of the document, and how they are played."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.conversations import in_private, troubles, with_others
from tests.conversations.stage import Settings, Stage, staged
from tests.support.waiting import loop_turns

AT_ONCE: Final = 3
"""Conversations played at the same time, each on a server of its own: most of the time is waiting."""


FRIENDS: Final = Settings()
STRANGERS: Final = Settings(are_acquainted=False)
SMALL: Final = Settings(
    tables={"limits": {"max_file_size": "200 kB", "quota_per_user": "150 kB", "idle_timeout": "2 s"}}
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation."""

    title: str
    shows: str
    """A sentence for the reader."""
    play: Callable[[Stage], Awaitable[None]]
    settings: Settings = FRIENDS


@dataclass(frozen=True, slots=True)
class Played:
    """Outcome of one conversation."""

    conversation: Conversation
    text: str
    troubles: Sequence[str]
    """Answers that were missing, or that nobody expected."""
    incidents: Sequence[str]
    """Errors in the bot's log."""


CONVERSATIONS: Final = (
    Conversation(
        "First contact",
        "Alice meets the bot, gives it a picture, and gets it back.",
        in_private.first_contact,
        STRANGERS,
    ),
    Conversation(
        "Ten photos at once",
        "Alice picks ten photos in her app, which sends ten messages in one go.",
        in_private.ten_photos,
    ),
    Conversation(
        "Everyday words",
        "Nobody has to learn commands. What deletes something is asked about first.",
        in_private.everyday_words,
    ),
    Conversation(
        "Replies and second thoughts",
        "A reply means the file of the message that it is to. A message taken back takes its file along.",
        in_private.replies_and_second_thoughts,
    ),
    Conversation(
        "A room",
        "Bob brings the bot into his team's room. There, commands begin with ! or with the bot's name.",
        with_others.a_room,
    ),
    Conversation(
        "Private messages in a room",
        "In a room that hides addresses, Alice talks to the bot without the others reading it.",
        with_others.aside_in_a_room,
    ),
    Conversation(
        "Sending to others",
        "Alice sends a file to a friend who is offline, to nobody, and into rooms.",
        with_others.sending,
    ),
    Conversation(
        "In Chinese",
        "The bot answers in the language of the app, and reads Chinese without blanks.",
        in_private.in_chinese,
        STRANGERS,
    ),
    Conversation(
        "Refusals",
        "Each refusal says why. This bot takes files up to 200 kB, and keeps up to 150 kB for one person.",
        troubles.refusals,
        SMALL,
    ),
    Conversation(
        "No upload service",
        "On a server that has no place for uploads, links cannot be made.",
        troubles.without_uploads,
        Settings(has_uploads=False),
    ),
    Conversation(
        "Somebody who is not served",
        "The operator of this bot serves Alice and Bob. Carol is told so.",
        troubles.strangers,
        Settings(tables={"access": {"allow": ["alice@localhost", "bob@localhost"]}}),
    ),
    Conversation(
        "Settings and transfers",
        "Alice changes her language, looks at her space, and stops a film that takes too long.",
        in_private.settings_and_transfers,
    ),
    Conversation(
        "Fifteen lines",
        "Alice has read no manual. She finds, sends, renames and deletes files, and gets one into a room.",
        with_others.fifteen_lines,
        STRANGERS,
    ),
)


async def play_all(folder: Path, wanted: Sequence[Conversation] = CONVERSATIONS) -> list[Played]:
    """Play the conversations, in folders under this one, and return them in their order."""
    places, starting = asyncio.Semaphore(AT_ONCE), asyncio.Lock()

    async def play(number: int, conversation: Conversation) -> Played:
        async with places, AsyncExitStack() as stack:
            async with starting:  # which takes a processor for some seconds
                stage = await stack.enter_async_context(_started(folder / str(number), conversation))
            await conversation.play(stage)
            return Played(conversation, stage.transcript.text(), stage.troubles, stage.incidents())

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(play(number, each)) for number, each in enumerate(wanted)]
    await loop_turns()  # until the people's connections have ended
    return [task.result() for task in tasks]


@asynccontextmanager
async def _started(folder: Path, conversation: Conversation) -> AsyncIterator[Stage]:
    """Start what a conversation needs; a machine with much else to do has a second try."""
    async with AsyncExitStack() as stack:
        try:
            stage = await stack.enter_async_context(staged(folder / "first", conversation.settings))
        except TimeoutError:
            stage = await stack.enter_async_context(staged(folder / "second", conversation.settings))
        yield stage
