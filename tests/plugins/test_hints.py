"""Each command that any reply shows is typed as it stands, wherever it is read, and does what it says.

The hints are collected from all templates, in both languages: what stands behind the prefix up to the end
of the line. Words in capitals and values are filled in with what is there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from filebot.model import Address, Client, Method, Sender
from filebot.model.delivery import Negotiation
from filebot.plugin import Context, Place, Plugin
from filebot.plugin.confirmation import YES
from filebot.plugin.conversation import Conversation
from filebot.plugin_loader import bundled
from filebot.replies.renderer import ReplySender
from filebot.testing import ALICE, ROOM, FakeBot, in_room, through_room
from filebot.testing.http import HostedFile
from filebot.xmpp.messages.addressing import addressed, in_private
from tests.unit.replies.test_style import catalogs, forms

NICK: Final = "filebot"
PLACES: Final[dict[str, Sender | str]] = {
    "private": ALICE,
    "room": in_room(),
    "room-private": through_room(),
}
URL: Final = "https://files.example.org/behind.pdf"
ELSEWHERE: Final = "den@conference.example.org"

HINT: Final = re.compile(r"%\(prefix\)s(\S.*)$", re.MULTILINE)
FILLED: Final = {
    **dict.fromkeys(("%(name)s", "%(get)s", "%(wanted)s", "NAME"), "plan.pdf"),
    **dict.fromkeys(("%(number)s", "NUMBER"), "1"),
    **dict.fromkeys(("%(address)s", "%(room)s"), ELSEWHERE),
    "ROOM": ELSEWHERE,
    "%(url)s": URL,
    "%(command)s": "get",
    "%(id)s": "2",
    "%(ids)s": "#2",
    "WORDS": "plan",
    "PASSWORD": "sesame",
    "team@rooms.example.org": ROOM,
}
"""Files, numbers and addresses that are there in the tests, by the words that stand for them in a hint."""

PRIVATE_ONLY: Final = (" by ibb",)
"""Hints that only replies in a private chat have: there is no stream through a room."""

DOES: Final[dict[str, str | tuple[str, ...]]] = {
    "archive": "archive/",
    "cancel": "transfers/dropped",
    "claim": "claim/",
    "fetch": "drop/stored",
    "find": "files/found",
    "help": "help/",
    "join": "rooms/joined",
    "keep": "drop/stored",
    "leave": "rooms/left",
    "ls": "files/list",
    "more": "files/list",
    "rm": "files/removed",
    "room": ("room/", "archive/changed"),
    "transfers": "transfers/list",
    "yes": "sure/done",
}
"""By the command: how the name of the reply begins that says that it was done. ``get`` brings the file."""


@dataclass(frozen=True)
class Replies:
    """Names of the templates of replies, and the errors that were answered."""

    templates: list[str]
    errors: list[Exception]


@pytest.fixture
def replies(monkeypatch: pytest.MonkeyPatch) -> Replies:
    seen = Replies([], [])
    render, reply_error = ReplySender._rendered, Conversation.reply_error

    def noted(self: ReplySender, to: Address, template: str, *rest: Any) -> tuple[str, str]:
        seen.templates.append(template)
        return render(self, to, template, *rest)

    async def failed(self: Conversation, error: Exception, *args: object, **kwargs: object) -> None:
        seen.errors.append(error)
        await reply_error(self, error, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(ReplySender, "_rendered", noted)
    monkeypatch.setattr(Conversation, "reply_error", failed)
    return seen


def messages() -> Iterator[str]:
    """Each message of a template, in English and in Chinese."""
    for catalog in catalogs():
        for message in catalog:
            if message.id and any(str(file).startswith("templates") for file, _ in message.locations):
                theirs = message.string if catalog.locale else forms(message)
                yield from [theirs] if isinstance(theirs, str) else theirs or ()


def hints() -> list[str]:
    """Each different hint behind a prefix."""
    return sorted({hint for text in messages() for hint in HINT.findall(text)})


def filled(hint: str) -> str:
    """A hint as somebody types it: its values and its words in capitals are those of the world."""
    for stands, value in FILLED.items():
        hint = re.sub(rf"(?<![\w]){re.escape(stands)}(?![\w])", value.replace("\\", ""), hint)
    assert "%(" not in hint, f"say in FILLED what this hint is filled with: {hint}"
    return hint


def places_of(hint: str) -> list[str]:
    """Where replies with a hint are read: where its command can be used."""
    word = hint.split(maxsplit=1)[0]
    command = {
        name: each
        for plugin in bundled()
        for each in plugin.commands
        for name in (each.name, *each.aliases)
    }
    place = command[word].place if word in command else Place.BOTH
    if place is Place.PRIVATE or hint.endswith(PRIVATE_ONLY):
        return ["private"]
    return ["room", "room-private"] if place is Place.ROOM else [*PLACES]


def said_to_bot(typed: str, place: str) -> str:
    """The part of a line that the bot reads; a line in a room that is for others fails the test."""
    if place == "room":
        said = addressed(typed, prefix="!", nick=NICK)
        assert said is not None, f"silence in a room: {typed}"
        return said
    return in_private(typed, prefix="!", nick=NICK)


async def prepare(bot: FakeBot, sender: Sender | str, hint: str) -> str:
    """Make all that a hint is about: files, a transfer that waits, ...; return it as it is typed."""
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    bot.rooms.with_ids.add(ROOM)
    bot.web.hosted[URL] = HostedFile(b"behind", None)
    word = hint.split(maxsplit=1)[0]
    await bot.drop("other.pdf", b"another one")
    posted_as = in_room() if isinstance(sender, Sender) else ALICE
    names = [f"{number}.txt" for number in range(11)] if word == "more" else []
    for number, name in enumerate([*names, "plan.pdf"]):
        await bot.drop(name, f"bytes {number}".encode(), posted_as)
        if isinstance(sender, Sender) and (word != "keep" or name != "plan.pdf"):
            await bot.say("keep", in_room())
    match word:
        case "leave":
            await bot.say(f"join {ELSEWHERE}")
        case "more":
            await bot.say("ls", sender)
        case "yes" | "是":
            await bot.say("ask", sender)
        case "cancel":
            bot.uploads.away = True
            [waits] = await bot.say("get other.pdf")
            return waits.rpartition("type: ")[2]
        case "archive":
            bot.histories.posts[ROOM] = []
            await bot.say("room set archive on", in_room())
            if hint.endswith("history off"):
                await bot.say("archive history of 7 days", in_room())
        case "get" if hint.endswith("by ibb"):
            bot.streams.online[ALICE] = (
                Client(f"{ALICE}/desk", {Negotiation.SI: frozenset({Method.IBB})}),
            )
    return filled(hint)


def asking() -> Plugin[None]:
    """A plugin that asks back."""
    plugin = Plugin[None]("sure", api=1, templates={"sure": "Sure?", "done": "Done."})

    @plugin.command("ask", usage="ask")
    async def ask(ctx: Context[None]) -> None:
        """Ask."""
        await ctx.confirm("sure/sure")
        await ctx.reply("sure/done")

    return plugin


CASES: Final = [(hint, place) for hint in hints() for place in places_of(hint)]


def test_the_hints_are_found() -> None:
    assert len(hints()) > 25
    assert {"ls", "get NAME", "help all", "archive off for me"} <= set(hints())


@pytest.mark.parametrize(("hint", "place"), CASES)
async def test_a_hint_does_what_it_says_where_it_is_read(hint: str, place: str, replies: Replies) -> None:
    sender = PLACES[place]
    async with FakeBot(asking()) as bot:
        typed = await prepare(bot, sender, hint)
        replies.templates.clear()
        replies.errors.clear()
        sent = len(bot.sent)
        prefix = "!" if place == "room" else ""
        await bot.say(said_to_bot(prefix + typed, place), sender)
        assert replies.errors == []
        word = "yes" if hint in YES else hint.split(maxsplit=1)[0]
        if word == "get" and not hint.endswith("by ibb"):
            assert [each.entry.name for each in bot.sent[sent:]] == ["plan.pdf"]
        elif word == "get":
            assert [method for _, method, _ in bot.streams.received]
        else:
            assert any(each.startswith(DOES[word]) for each in replies.templates), replies.templates


# --- names ------------------------------------------------------------------------------------------

NAMES: Final = (
    *("a b.pdf", 'it\'s "quoted".pdf', '"quoted"', "'x'", "`code`.pdf", "“x”.pdf", "«x».txt", "x.", "x!"),
    *(
        "x by ibb",
        "x by http",
        "#5",
        "12",
        "last",
        "all",
        "*.pdf",
        "*",
        "a?.txt",
        "a, b.txt",
        '"x" "y"',
        "to.txt",
    ),
    *(
        "!x.txt",
        "get",
        "yes",
        "by",
        "a by b to c.txt",
        "报告 最终.pdf",
        "？.txt",
        "👩‍👩‍👧.png",
        "ＡＢ.txt",
        "é.txt",
    ),
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", PLACES)
async def test_the_hint_at_a_stored_file_brings_that_file_whatever_its_name(name: str, place: str) -> None:
    sender = PLACES[place]
    async with FakeBot() as bot:
        await bot.drop("other.txt", b"1", ALICE if place == "private" else in_room())
        said = await bot.drop(name, b"12345", ALICE if place == "private" else in_room())
        if place != "private":
            said = await bot.say("keep", sender)
        typed = said[0].rpartition("type: ")[2]
        assert typed.startswith("!get " if place == "room" else "get ")
        await bot.say(said_to_bot(typed, place), sender)
        assert [each.entry.blob.size for each in bot.sent] == [5], typed


# --- the templates ------------------------------------------------------------------------------------

TYPED: Final = re.compile(r"(?:\btype|请输入)[:：] ?(?!$|\n)(?P<typed>.*)$", re.MULTILINE)


def test_what_people_are_to_type_here_stands_behind_the_prefix() -> None:
    """Commands for another place are told from those for here by "private chat" or "private message"."""
    for text in messages():
        for found in TYPED.finditer(text):
            is_for_elsewhere = re.search(
                r"private (?:chat|message)|私聊|私信", text[: found.start("typed")]
            )
            assert found["typed"].startswith("%(prefix)s") or is_for_elsewhere, text
