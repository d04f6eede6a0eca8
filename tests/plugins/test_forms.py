"""Commands as forms: each does the same as when it is typed."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest

from filebot.chat.rate_limits import RateLimits
from filebot.errors import NotAllowed, Refusal, TooManyRequests, UnknownCommand, WrongPlace
from filebot.model import LONGEST_TEXT, Address, FormAction, Scope, Sender, Severity
from filebot.plugin import CommandCalled, Context, Entry, Event, Permission, Plugin
from filebot.testing import ADMIN, ALICE, BOB, ROOM, FakeBot, in_room, through_room
from filebot.testing.messenger import FileShown

ANNA = through_room(ALICE, "anna")
BEN = through_room(BOB, "ben")
STRANGER = "mallory@example.org"


def sender(jid: str) -> Sender:
    return Sender(Address(jid), jid)


async def prepared(bot: FakeBot) -> None:
    """Files of Alice, one of them the room's, in a room that she manages."""
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    bot.rooms.with_ids.add(ROOM)
    for name in ("report.pdf", "notes.txt", "photo.jpg"):
        await bot.drop(name, name.encode())
    await bot.say(f"send report.pdf to {ROOM}", in_room(ALICE, "anna"))


SAME: list[tuple[Sender | str, str, str, dict[str, str]]] = [
    (ALICE, "ls", "ls", {}),
    (ANNA, "ls", "ls", {}),
    (ALICE, "find note", "find", {"words": "note"}),
    (ALICE, "more", "more", {}),
    (ALICE, "info #2", "info", {"name": "#2"}),
    (ALICE, "rename notes.txt to letter one.txt", "rename", {"old": "#2", "new": "letter one.txt"}),
    (ALICE, "rm photo.jpg", "rm", {"name": "#3"}),
    (ALICE, "get notes.txt", "get", {"name": "#2"}),
    (ALICE, "get notes.txt by http", "get", {"name": "#2", "method": "http"}),
    (ALICE, f"send notes.txt to {BOB}", "send", {"name": "#2", "target": BOB}),
    (ALICE, f"send notes.txt to {ROOM}", "send", {"name": "#2", "target": ROOM}),
    (
        ALICE,
        "fetch https://files.example.org/1/notes.txt",
        "fetch",
        {"url": "https://files.example.org/1/notes.txt"},
    ),
    (ALICE, "help", "help", {"command": ""}),
    (ALICE, "help get", "help", {"command": "get"}),
    (ALICE, "lang", "lang", {"language": ""}),
    (ALICE, "lang zh", "lang", {"language": "zh"}),
    (ALICE, f"room {ROOM}", "room", {"room": ROOM}),
    (ALICE, f"room {ROOM} set archive on", "room", {"room": ROOM, "setting": "archive on"}),
    (ANNA, "room set archive on", "room", {"setting": "archive on"}),
    (ALICE, "join other@conference.example.org", "join", {"room": "other@conference.example.org"}),
    (ALICE, f"leave {ROOM}", "leave", {"room": ROOM}),
    (ALICE, "transfers", "transfers", {}),
    (ALICE, "cancel 7", "cancel", {"number": "7"}),
    (ALICE, "quota", "quota", {}),
    (ALICE, "doctor me", "doctor", {}),
    (ALICE, "claim", "claim", {"code": ""}),
    (ALICE, "claim ABCD-EFGH", "claim", {"code": "ABCD-EFGH"}),
    (ANNA, "keep", "keep", {}),
    (ANNA, "archive off for me", "archive", {"_usage": "archive off for me"}),
    (ANNA, "archive on for me", "archive", {"_usage": "archive on for me"}),
    (ANNA, "archive history off", "archive", {"_usage": "archive history off"}),
    (
        ANNA,
        "archive history of 30 days",
        "archive",
        {"_usage": "archive history of DAYS days", "days": "30"},
    ),
    (ADMIN, "reload", "reload", {}),
]


@pytest.mark.parametrize(("who", "typed", "command", "values"), SAME)
async def test_a_form_does_the_same_as_the_typed_command(
    who: Sender | str, typed: str, command: str, values: dict[str, str]
) -> None:
    async with FakeBot() as one, FakeBot() as other:
        await prepared(one)
        await prepared(other)
        before = len(one.messenger.sent)
        said = await one.say(typed, who)
        filling = await other.fill_in(command, who, **values)
        rest = filling.text
        for text in said:
            assert text in rest or text in filling.said
            rest = rest.replace(text, "", 1)
        assert rest.strip() in {"", "Done."}
        files = [each for each in one.messenger.sent[before:] if isinstance(each, FileShown)]
        assert [each.to for each in other.sent[-len(files) :] if files] == [each.to for each in files]
        for scope in (Scope(owner=ALICE), Scope(room=ROOM)):
            kept = [
                [(each.name, each.owner) for each in await bot.catalog.page(scope, limit=9)]
                for bot in (one, other)
            ]
            assert kept[0] == kept[1]


async def test_each_bundled_command_is_tried() -> None:
    async with FakeBot() as bot:
        shown = {each.node for who in (ADMIN, ANNA) for each in await bot.commands(who)}
    assert shown == {command for _, _, command, _ in SAME}


async def test_commands_are_listed_for_those_who_may_use_them(bot: FakeBot) -> None:
    own = {each.node: each.name for each in await bot.commands()}
    assert own["send"] == "Send a file to somebody, or into a room that we are both in"
    assert "keep" not in own
    assert "reload" not in own
    assert "keep" in {each.node for each in await bot.commands(ANNA)}
    assert "reload" in {each.node for each in await bot.commands(ADMIN)}
    assert await bot.commands(STRANGER) == []
    assert await bot.forms.item(ANNA, None, "reload") is None
    assert await bot.forms.item(sender(STRANGER), None, "ls") is None
    found = await bot.forms.item(sender(ALICE), None, "ls")
    assert found is not None
    assert found.name == "List the files, newest first"


async def test_a_command_that_is_not_there_or_not_theirs_does_not_begin(bot: FakeBot) -> None:
    for node in ("nothing", "!ls", "delete", ""):
        with pytest.raises(UnknownCommand):
            await bot.fill_in(node)
    with pytest.raises(NotAllowed):
        await bot.fill_in("reload")
    with pytest.raises(NotAllowed):
        await bot.fill_in("ls", STRANGER)
    with pytest.raises(WrongPlace):
        await bot.fill_in("keep")


async def test_the_newest_files_are_offered_by_their_ids(bot: FakeBot) -> None:
    for number in range(52):
        await bot.drop("same.txt", str(number).encode())
        bot.now += timedelta(minutes=1)
    filling = await bot.fill_in("rm")
    options = filling.fields["name"].options
    assert len(options) == 50
    assert options[0].value == "#52"
    assert options[0].label == "same.txt (#52, 2 bytes, 1 minute ago)"
    assert filling.fields["name"].is_open
    await filling.answer(name="#17")
    assert filling.text == 'Deleted "same.txt" (#17).'
    assert await bot.catalog.entry(17) is None
    assert len(await bot.catalog.page(Scope(owner=ALICE), limit=99)) == 51


async def test_several_files_are_chosen_by_id_name_and_pattern(bot: FakeBot) -> None:
    for name in ("a b.txt", "c.txt", "d.pdf", "e.pdf"):
        await bot.drop(name, name.encode())
    filling = await bot.fill_in("send", name=["#1", "c.txt", "*.pdf"], target=BOB)
    assert [each.entry.name for each in bot.sent] == ["a b.txt", "c.txt", "e.pdf", "d.pdf"]
    assert filling.step.severity is Severity.INFO
    assert filling.text.count("Sent ") == 4
    filling = await bot.fill_in("send", name=["#1", "gone"], target=BOB)
    assert filling.step.severity is Severity.WARNING
    assert 'I have no file called "gone"' in filling.text
    filling = await bot.fill_in("get", name=["gone", "lost"])
    assert filling.step.severity is Severity.ERROR
    assert filling.step.form is not None


async def test_more_files_than_are_sent_at_once_are_refused(bot: FakeBot) -> None:
    for number in range(12):
        await bot.drop(f"{number}.txt", str(number).encode())
    filling = await bot.fill_in("get", name=[f"#{number}" for number in range(1, 13)])
    assert "at most 10" in filling.text
    assert not bot.sent


@pytest.mark.parametrize(("command", "limit"), [("rm", 100), ("get", 10)])
async def test_a_thousand_names_are_refused_before_they_are_looked_up(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch, command: str, limit: int
) -> None:
    async def find(*_: object) -> Entry | None:
        raise AssertionError("it is looked up")

    monkeypatch.setattr(bot.catalog, "find_by_name", find)
    filling = await bot.fill_in(command, name=[f"{number:03}" for number in range(1000)])
    assert f"at most {limit}" in filling.text


async def test_a_file_named_like_an_id_is_not_taken_for_the_chosen_one(bot: FakeBot) -> None:
    await bot.drop("one.txt", b"1")
    await bot.drop("#1", b"2")
    await bot.fill_in("rm", name="#1")
    assert [each.name for each in await bot.catalog.page(Scope(owner=ALICE), limit=9)] == ["#1"]


async def test_an_ambiguous_name_is_asked_back(bot: FakeBot) -> None:
    await bot.drop("report.pdf", b"1")
    await bot.drop("reports.pdf", b"2")
    filling = await bot.fill_in("send", name="rep", target=BOB)
    assert filling.text == 'Several files match "rep". Which one?'
    assert {each.value for each in filling.fields["name"].options} == {"report.pdf", "reports.pdf"}
    assert filling.step.actions == (FormAction.COMPLETE, FormAction.PREVIOUS)
    await filling.back()
    assert filling.fields["name"].values == ("rep",)
    assert filling.fields["target"].values == (BOB,)
    await filling.answer()
    await filling.answer()  # without an answer it is asked once more
    assert filling.fields.keys() == {"name"}
    await filling.answer(name="report.pdf")
    assert filling.step.is_over
    assert [each.entry.name for each in bot.sent] == ["report.pdf"]
    assert not [text for text in filling.said if "Sent" in text]


async def test_files_of_one_name_are_told_apart(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    await bot.drop("a.txt", b"22")
    filling = await bot.fill_in("rm", name="a.txt")
    assert [each.label for each in filling.fields["name"].options] == [
        "a.txt (#2, 2 bytes, just now)",
        "a.txt (#1, 1 byte, just now)",
    ]
    await filling.answer(name="#1")
    assert [each.id for each in await bot.catalog.page(Scope(owner=ALICE), limit=9)] == [2]


async def test_an_error_gives_the_form_again_with_what_was_filled_in(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    filling = await bot.fill_in("rename", old="nothing", new="b.txt")
    assert filling.step.severity is Severity.ERROR
    assert filling.text == 'I have no file called "nothing". To see all files, type: ls'
    assert filling.fields["new"].values == ("b.txt",)
    step = await filling.answer(old="#1")
    assert step.is_over
    assert step.severity is Severity.INFO


async def test_several_files_are_deleted_after_a_question(bot: FakeBot) -> None:
    for name in ("a.jpg", "b.jpg", "c.txt", "d.txt"):
        await bot.drop(name, name.encode())
    filling = await bot.fill_in("rm", name=["#3", "a.jpg"])
    assert "a.jpg" in filling.text
    assert filling.fields == {}
    await filling.answer()
    assert filling.step.is_over
    filling = await bot.fill_in("rm", name="*.jpg")
    assert "b.jpg" in filling.text
    assert len(await bot.catalog.page(Scope(owner=ALICE), limit=9)) == 2
    await filling.answer()
    assert [each.name for each in await bot.catalog.page(Scope(owner=ALICE), limit=9)] == ["d.txt"]


async def test_missing_and_wrong_values_are_named_by_their_labels(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    filling = await bot.fill_in("send", name="#1", target=" ")
    assert filling.text == "Something is missing: Recipient"
    filling = await bot.fill_in("cancel", number="many")
    assert filling.text.startswith('"many" is not a number. For Number, type a whole number')
    assert filling.fields["number"].values == ("many",)
    filling = await bot.fill_in("archive", ANNA, _usage="archive on for me", days="3")
    assert filling.text == "These do not go with the rest: Days"


async def test_too_long_values_are_refused_and_not_kept(bot: FakeBot) -> None:
    filling = await bot.fill_in("find", words="x" * (LONGEST_TEXT + 1))
    assert filling.step.severity is Severity.ERROR
    assert filling.fields["words"].values == ()


async def test_fields_of_no_form_and_empty_submissions_do_nothing(bot: FakeBot) -> None:
    fill, _ = await bot.forms.begin(sender(ALICE), None, "find")
    step = await fill.take(FormAction.COMPLETE, {"other": ("x",)})
    assert step.text == "Something is missing: Words"
    step = await fill.take(FormAction.NEXT, {})
    assert step.form is not None
    assert (await fill.previous()).form is not None


async def test_lists_come_as_a_table_too(bot: FakeBot) -> None:
    await prepared(bot)
    filling = await bot.fill_in("ls")
    table = filling.step.table
    assert table is not None
    assert [each.label for each in table.columns] == ["Name", "Size", "Date", "Number"]
    assert table.rows[0] == ("photo.jpg", "9 bytes", "just now", "#3")
    in_there = (await bot.fill_in("ls", BEN)).step.table
    assert in_there is not None
    assert [each.name for each in in_there.columns] == ["name", "size", "date", "owner", "number"]
    # Nobody learns from it whose address is behind whom.
    assert ALICE not in str(in_there.rows)
    owner = (await bot.fill_in("ls", ANNA)).step.table
    assert owner is not None
    assert owner.rows[0][3] == "you"


async def test_a_room_is_heard_as_in_a_private_message(bot: FakeBot) -> None:
    await prepared(bot)
    filling = await bot.fill_in("get", in_room(BOB, "ben"), name="report.pdf")
    assert filling.step.is_over
    assert [each.to.jid for each in bot.sent[-1:]] == [f"{ROOM}/ben"]
    filling = await bot.fill_in("get", BEN, name="nothing")
    assert "type: ls" in filling.text  # in private commands have no prefix


async def test_rights_are_looked_up_in_each_step(bot: FakeBot) -> None:
    await prepared(bot)
    filling = await bot.fill_in("rm", ANNA)
    bot.rooms.occupants[ROOM] = frozenset({BOB})
    with pytest.raises(NotAllowed):
        await filling.answer(name="report.pdf")
    with pytest.raises(NotAllowed):
        await filling.back()
    assert await bot.catalog.page(Scope(room=ROOM), limit=9)
    filling = await bot.fill_in("rm", BEN, name="#4")
    assert filling.step.severity is Severity.ERROR
    assert await bot.catalog.page(Scope(room=ROOM), limit=9)


async def test_requests_by_form_are_counted_as_others_are() -> None:
    async with FakeBot(rate_limits=RateLimits(commands_per_minute=3)) as bot:
        filling = await bot.fill_in("find")
        await bot.say("ls")
        await bot.say("ls")
        await filling.answer(words="x")
        assert filling.text == "You are faster than I am. Wait a minute, then try again."
        assert filling.step.is_over
        with pytest.raises(TooManyRequests):
            await bot.fill_in("ls")


async def test_forms_are_in_the_readers_language(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    await bot.drop("ab.txt", b"2")
    await bot.say("lang zh")
    names = {each.node: each.name for each in await bot.commands()}
    assert names["quota"] == "显示您已用和剩余的空间"
    filling = await bot.fill_in("send", name="#1", target="")
    assert filling.text == "还缺少：接收方"
    assert [each.label for each in filling.fields.values()] == ["文件", "接收方"]
    assert filling.step.form is not None
    assert "“接收方”" in filling.step.form.instructions
    assert "TARGET" not in filling.step.form.instructions
    filling = await bot.fill_in("get", name="a")
    assert filling.text == "有多个文件与“a”匹配，是哪一个？"
    table = (await bot.fill_in("ls")).step.table
    assert table is not None
    assert [each.label for each in table.columns] == ["名称", "大小", "日期", "编号"]


# --- plugins of others ----------------------------------------------------------------------------

other = Plugin[None](
    "other",
    api=1,
    needs={"checks", "events", "files.read"},
    templates={
        "told": "{{ text }}",
        "burn": "Burn {{ name }}?",
        "really": "Really?",
        "no": "Not {{ error.values.name }}.",
    },
)


ended: list[str] = []
over = asyncio.Event()


@other.command("say", usage="say TEXT")
async def say(ctx: Context[None], text: str) -> None:
    """Say something."""
    await ctx.reply("other/told", text=text)
    await ctx.reply_aside("other/told", text="aside")


@other.command("break", usage="break")
async def break_down(ctx: Context[None]) -> None:
    """Break down midway."""
    await ctx.reply("other/told", text="begun")
    raise ZeroDivisionError


@other.command("wait", usage="wait")
async def wait(ctx: Context[None]) -> None:
    """Wait for a minute."""
    ended.append("begun")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        ended.append("cancelled")
        await ctx.reply("other/told", text="broken off")
        raise


@dataclass(frozen=True, slots=True)
class Later(Event):
    """Something that is dealt with later."""


@other.command("later", usage="later")
async def later(ctx: Context[None]) -> None:
    """Say something, and more later."""
    await ctx.reply("other/told", text="begun")
    await ctx.emit(Later(ctx.sender, ctx.language))


@other.on(Later, at_once=True)
async def say_more(ctx: Context[None], event: Later) -> None:
    """Wait until the command is over."""
    await over.wait()
    await ctx.reply("other/told", text="later")


@other.command("burn", usage="burn FILE")
async def burn(ctx: Context[None], file: Entry) -> None:
    """Burn a file."""
    await ctx.confirm("other/burn", name=file.name)
    await ctx.confirm("other/really")
    await ctx.reply("other/told", text=f"{file.name} burns")


@other.command("explode", usage="explode")
async def explode(ctx: Context[None]) -> None:
    """Explode."""
    await ctx.confirm("other/really")
    await ctx.reply("other/told", text="boom")


@other.command("flood", usage="flood")
async def flood(ctx: Context[None]) -> None:
    """Say a lot."""
    for _ in range(3):
        await ctx.reply("other/told", text="x" * 6_000)


@other.command("own", usage="own FILE", permission=Permission.OWNER)
async def own(ctx: Context[None], file: Entry) -> None:
    """Name a file of yours."""
    await ctx.reply("other/told", text=file.name)


@other.check(CommandCalled)
async def forbid(ctx: Context[None], call: CommandCalled) -> None:
    """Forbid one word."""
    if call.arguments.get("text") == "forbidden":
        raise Refusal("other/no", name="this")


async def test_replies_come_in_one_text_and_not_in_the_chat() -> None:
    async with FakeBot(other) as bot:
        filling = await bot.fill_in("say", text='"  a  b"')
        assert filling.text == "a b\n\naside"
        assert filling.said == []


async def test_checks_of_commands_are_asked() -> None:
    async with FakeBot(other) as bot:
        filling = await bot.fill_in("say", text="forbidden")
        assert filling.text == "Not this."
        assert filling.step.form is not None


async def test_a_command_that_fails_midway_is_over(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeBot(other, may_fail=True) as bot:
        filling = await bot.fill_in("break")
        assert filling.step.is_over
        assert filling.step.severity is Severity.WARNING
        assert filling.text.startswith("begun\n\n")
        assert "incident" in caplog.text
        assert filling.said == []


async def test_a_command_ends_with_the_one_who_waits_for_it() -> None:
    ended.clear()
    async with FakeBot(other) as bot:
        waiting = asyncio.create_task(bot.fill_in("wait"))
        while not ended:
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await bot.dispatcher.idle()
        assert bot.messenger.texts(ALICE) == ["broken off"]
    assert ended == ["begun", "cancelled"]


async def test_what_a_command_began_says_later_is_said_in_the_chat() -> None:
    async with FakeBot(other) as bot:
        over.clear()
        filling = await bot.fill_in("later")
        assert filling.text == "begun"
        over.set()
        assert await bot.listeners_done() == ["later"]


async def test_a_question_is_asked_back_as_the_next_step() -> None:
    async with FakeBot(other) as bot:
        await bot.drop("a.txt", b"1")
        filling = await bot.fill_in("burn", file="#1")
        assert filling.text == "Burn a.txt?"
        assert filling.fields == {}
        assert filling.step.actions == (FormAction.COMPLETE, FormAction.PREVIOUS)
        await filling.back()
        assert filling.fields["file"].values == ("#1",)
        await filling.answer()
        await filling.answer()
        assert filling.text == "Really?"
        await filling.answer()
        assert filling.step.is_over
        assert filling.text == "a.txt burns"
        assert filling.said == []


async def test_a_question_of_a_command_without_a_form_is_asked_back() -> None:
    async with FakeBot(other) as bot:
        filling = await bot.fill_in("explode")
        assert filling.text == "Really?"
        assert filling.step.actions == (FormAction.COMPLETE,)
        await filling.answer()
        assert filling.text == "boom"
        # It is not asked in the chat as well.
        assert await bot.say("yes") != ["boom"]


async def test_rights_are_looked_up_after_a_question(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeBot(other) as bot:
        await prepared(bot)
        filling = await bot.fill_in("burn", ANNA, file="#4")
        bot.rooms.occupants[ROOM] = frozenset({BOB})
        with pytest.raises(NotAllowed):
            await filling.answer()
        filling = await bot.fill_in("burn", file="#2")
        await bot.say("rm #2")
        await filling.answer()
        assert filling.step.severity is Severity.ERROR
        assert "burns" not in filling.text
        filling = await bot.fill_in("burn", file="#3")
        await bot.reload()
        await filling.answer()
        assert filling.step.is_over
        assert filling.step.severity is Severity.ERROR


async def test_what_is_too_long_for_a_form_is_said_in_the_chat() -> None:
    async with FakeBot(other) as bot:
        filling = await bot.fill_in("flood")
        assert len(filling.text) == 12_002
        assert len(filling.said) == 1


async def test_a_form_goes_on_with_the_plugins_of_a_reload() -> None:
    async with FakeBot(other) as bot:
        filling = await bot.fill_in("say")
        await bot.reload()
        await filling.answer(text="x")
        assert filling.step.is_over
        assert filling.step.severity is Severity.ERROR
        await bot.reload(other)
        assert (await bot.fill_in("say", text="y")).text == "y\n\naside"


async def test_a_file_of_others_is_refused_by_the_commands_permission() -> None:
    async with FakeBot(other) as bot:
        await prepared(bot)
        filling = await bot.fill_in("own", BEN, file="#4")
        assert filling.text == "Only the file's owner and the room's owners and admins can do that."


async def test_a_value_that_the_form_does_not_take_is_a_mistake_of_the_test(bot: FakeBot) -> None:
    filling = await bot.fill_in("get")
    with pytest.raises(ValueError, match="no field 'names'"):
        await filling.answer(names="x")
    with pytest.raises(ValueError, match="offers only"):
        await filling.answer(method="post")


async def test_a_file_that_the_list_does_not_have_can_be_typed() -> None:
    async with FakeBot() as bot:
        for number in range(52):
            await bot.drop(f"{number}.txt", str(number).encode())
        filling = await bot.fill_in("info")
        listed, typed = filling.fields["name"], filling.fields["_other_name"]
        assert not listed.is_required
        assert "#1" not in {each.value for each in listed.options}
        assert typed.label == "Another file"
        step = await filling.answer(_other_name="nothing.txt")
        assert "nothing.txt" in step.text
        assert filling.fields["_other_name"].values == ("nothing.txt",)
        assert "0.txt" in (await filling.answer(_other_name="0.txt")).text
        removing = await bot.fill_in("rm", name=["#52"], _other_name="0.txt")
        assert "1. 51.txt (2 bytes" in removing.text
        assert "2. 0.txt (1 byte" in removing.text


async def test_few_files_are_all_in_the_list() -> None:
    async with FakeBot() as bot:
        await bot.drop("one.txt", b"1")
        assert "_other_name" not in (await bot.fill_in("rm")).fields
