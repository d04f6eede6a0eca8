"""Documentation agrees with the code."""

import ast
import asyncio
import builtins
import configparser
import re
import shlex
import sys
import tomllib
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from types import ModuleType

import pytest

import filebot.plugin as plugin_api
from filebot.plugin import (
    Context,
    Event,
    NoSuchEntry,
    PeerGone,
    Permission,
    Place,
    Plugin,
    SourceServices,
    UserError,
    arguments,
)
from filebot.plugin.needs import NEED_OF, NEEDS
from filebot.plugin_loader import bundled
from filebot.testing import ALICE, BOB, ROOM, BotWith, ConfigError, FakeBot, in_room
from filebot.testing.http import MemoryWeb
from tests.support.manual import example, example_with, given_context

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "docs/plugins.md")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def documents() -> list[str]:
    written = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in written)


def python_examples(document: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL)


def plugin_example(document: str, number: int = 0) -> ModuleType:
    module = ModuleType("words")
    exec(compile(python_examples(document)[number], document, "exec"), module.__dict__)
    return module


async def test_the_examples_of_tests_with_the_fixture_pass(
    monkeypatch: pytest.MonkeyPatch, bot_with: BotWith
) -> None:
    frail = ModuleType("frail")
    frail.plugin = Plugin[None]("frail", api=1)  # type: ignore[attr-defined]

    @frail.plugin.command("break", usage="break")  # type: ignore[untyped-decorator]
    async def fail(ctx: Context[None]) -> None:
        """Break."""
        raise KeyError

    monkeypatch.setitem(sys.modules, "frail", frail)
    monkeypatch.setitem(sys.modules, "words", plugin_example("docs/plugins.md"))
    for text in (example_with("test_three_words"), example_with("test_it_fails")):
        test = ModuleType("test_words")
        exec(compile(text, "docs/plugins.md", "exec"), test.__dict__)
        for each in [value for key, value in vars(test).items() if key.startswith("test_")]:
            await each(bot_with)


def test_the_messages_that_the_manual_explains_are_in_the_code() -> None:
    text = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
    chapter = text.partition("## Errors and what causes them\n")[2].partition("\n## ")[0]
    messages = re.findall(r"^\| `(.+?)` \|", chapter, re.MULTILINE)
    assert len(messages) > 70
    sources = [path for path in (ROOT / "filebot").rglob("*.py") if "testing" not in path.parts]
    written = [constants(ast.parse(path.read_text(encoding="utf-8"))) for path in sources]
    jinja = " is undefined"
    for message in messages:
        parts = [each.strip() for each in message.split("...") if len(each.strip()) > 3]
        assert any(all(part in each for part in parts) for each in [*written, jinja]), message


def constants(tree: ast.AST) -> str:
    """Return all texts of a module."""
    return "\n".join(
        each.value
        for each in ast.walk(tree)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )


@pytest.mark.parametrize("document", DOCUMENTS)
async def test_the_example_of_a_plugin_works(document: str) -> None:
    async with FakeBot(plugin_example(document).plugin) as bot:
        assert await bot.say("count one two three") == ["3 words."]
        assert "Count the words of a text." in (await bot.say("help count"))[0]


async def test_the_example_of_a_plugins_test_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "words", plugin_example("docs/plugins.md"))
    test = ModuleType("test_words")
    text = example_with("test_words_are_counted")
    exec(compile(text, "docs/plugins.md", "exec"), test.__dict__)
    await test.test_words_are_counted()


async def test_the_example_of_a_forms_test_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    module = example("framing")
    monkeypatch.setitem(sys.modules, "framing", module)
    test = ModuleType("test_framing")
    text = example_with("test_a_frame_is_filled_in")
    exec(compile(text, "docs/plugins.md", "exec"), test.__dict__)
    await test.test_a_frame_is_filled_in()
    async with FakeBot(module.plugin) as bot:
        filling = await bot.fill_in("frame")
        assert filling.step.form is not None
        assert filling.step.form.title == "Frame a picture"
        assert filling.step.form.instructions == "“File” is its name."
        assert filling.fields["wood"].label == "Kind of wood"
        assert filling.fields["wood"].description == "Oak lasts longer."


async def test_the_example_of_needs_has_what_it_declares() -> None:
    async with FakeBot(example("census").plugin) as bot:
        await bot.drop("a.txt", b"a")
        assert await bot.say("census") == ["1 files."]


async def test_the_lamp_of_the_manual_has_words_of_its_own() -> None:
    async with FakeBot(example("lamp").plugin) as bot:
        for text in ("lamp hall", "could you turn on the light in the hall, please?"):
            assert await bot.say(text) == ["It shines in the hall."]
        assert await bot.say("请打开hall的灯") == ["It shines in the hall."]
        assert (await bot.say("bob switched on the lamp in the hall"))[0].startswith("I do not understand")


async def test_the_example_of_arguments_reads_them() -> None:
    async with FakeBot(example("lending").plugin) as bot:
        await bot.drop("a b.txt", b"a", message_id="m1")
        lent = "1 of a b.txt for bob@example.org, for 48.0 hours."
        assert await bot.say("lend a b.txt to Bob@example.org for 2 days") == [lent]
        assert await bot.say("lend to bob@example.org for 2 days", replying_to="m1") == [lent]
        assert await bot.say("lend #1 to bob@example.org for 30 min in 9 copies") == [
            "9 of a b.txt for bob@example.org, for 0.5 hours."
        ]
        [said] = await bot.say("lend #1 to bob@example.org for ever")
        assert said.startswith('"ever" is not a length of time.')
        [said] = await bot.say("lend #1 to bob@example.org for 1 d in 10 copies")
        assert said.startswith('"10" does not work. For COPIES, type a number from 1 to 9.')


async def test_the_example_of_permissions_asks_for_them() -> None:
    async with FakeBot(example("orders").plugin) as bot:
        bot.rooms.managers[ROOM] = frozenset({BOB})
        await bot.drop("a.txt", b"a")
        await bot.say(f"send a.txt to {ROOM}")
        assert await bot.say("quiet", in_room(BOB, "bob")) == ["Quiet, says bob."]
        assert await bot.say("quiet", in_room()) == ["Only the room's owners and admins can do that."]
        assert await bot.say("quiet", BOB) == ["Say that in a room."]
        assert await bot.say("lock a.txt", in_room()) == ["a.txt is locked."]
        [said] = await bot.say("lock a.txt", in_room("carol@example.org", "carol"))
        assert said.startswith("Only the file's owner")


async def test_the_example_of_asking_back_waits_for_a_yes() -> None:
    async with FakeBot(example("board").plugin) as bot:
        bot.rooms.managers[ROOM] = frozenset({BOB})
        bob = in_room(BOB, "bob")
        await bot.say("note one", bob)
        asked = ["bob: Wipe 1 notes off the board of this room?\nTo go on, type: !yes"]
        assert await bot.say("wipe", bob) == asked
        assert await bot.say("no", bob) == ["Nothing was done."]
        assert await bot.say("wipe", bob) == asked
        assert "nothing to confirm" in (await bot.say("yes", in_room()))[0]
        assert await bot.say("yes", bob) == ["Wiped 1 notes."]


def test_the_manual_has_every_permission_and_place() -> None:
    manual = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(Permission\.\w+)` \|", manual, re.MULTILINE) == [
        str(each) for each in Permission
    ]
    assert {str(each) for each in Place} <= set(re.findall(r"`(Place\.\w+)`", manual))


def test_the_manual_names_every_whole_plugin_among_the_examples() -> None:
    manual = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(\.\./(examples/\w+/\w+\.py)\)", manual))
    there = {
        f"examples/{path.name}/{path.name}.py" for path in (ROOT / "examples").iterdir() if path.is_dir()
    }
    assert linked == {path for path in there if (ROOT / path).exists()}


def test_the_manual_links_to_its_own_headings() -> None:
    manual = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
    text = re.sub(r"```.*?```", "", manual, flags=re.DOTALL)
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= headings
    chapters = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert re.findall(r"^\| \[(.+?)\]\(#", text, re.MULTILINE) == chapters


async def test_the_example_of_the_request_tells_what_is_known_of_it() -> None:
    async with FakeBot(example("mirror").plugin) as bot:
        [said] = await bot.say("whoami")
        assert said.startswith(f"You are {ALICE}. I am filebot@example.org, and know ")
        [said] = await bot.say("whoami", in_room(None, "eve", occupant_id="1"))
        assert said.startswith(f"You are {ROOM}/1.")
        assert await bot.say("heard", replying_to="m1") == ["You replied to m1 (heard)."]
        assert await bot.say("heard this") == ["That was no reply (heard TEXT)."]
        assert await bot.say("speak zh") == ["I speak zh_CN with you."]
        assert await bot.say("speak klingon") == ["I speak en and zh_CN only."]


async def test_the_example_of_routes_plans_them() -> None:
    async with FakeBot(example("routes").plugin) as bot:
        assert await bot.say("routes 5 MB") == ["1. http"]


async def test_the_example_of_a_source_fetches_what_it_is_for() -> None:
    source = ModuleType("finger")
    exec(compile(example_with("class FingerSource"), "docs/plugins.md", "exec"), source.__dict__)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Plan of " + (await reader.readline()).strip())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        services = SourceServices(asyncio.open_connection, MemoryWeb(), 5.0)
        finger = source.FingerSource(services)
        url = f"finger://127.0.0.1:{server.sockets[0].getsockname()[1]}/alice"
        async with FakeBot(sources={"finger": finger}) as bot:
            assert (await bot.say(f"fetch {url}"))[0].startswith('Stored "alice.txt"')
            assert list(bot.store.blobs.values()) == [b"Plan of alice"]
        async with finger.get(url, 8) as download:
            assert [each async for each in download.chunks()] == [b"alice"]
        with pytest.raises(PeerGone):
            async with finger.get(url, 99):
                pass


async def test_the_example_of_settings_checks_them() -> None:
    plugin = example("cheer").plugin
    async with FakeBot(plugin, settings={"cheer": {"times": 2}}) as bot:
        assert await bot.say("cheer") == ["Hurrah Hurrah."]
    with pytest.raises(ConfigError, match=r"^plugins\.cheer: times must be from 1 to 3$"):
        FakeBot(plugin, settings={"cheer": {"times": 4}})


async def test_the_example_of_a_list_shows_it_page_by_page() -> None:
    async with FakeBot(example("newest").plugin) as bot:
        assert await bot.say("newest") == ["There are no files here."]
        for number in range(11):
            await bot.drop(f"{number}.txt", str(number).encode())
        [first] = await bot.say("newest")
        assert first.splitlines()[::9] == ["10.txt", "1.txt"]
        assert first.endswith("For more, type: more")
        assert await bot.say("more") == ["0.txt"]


async def test_the_example_of_what_is_done_for_one_person_again_and_again() -> None:
    async with FakeBot(example("weekly").plugin) as bot:
        await bot.drop("a.txt", b"a")
        assert await bot.say("weekly on") == ["Weekly report: on."]
        await bot.say("weekly on")
        for _ in range(3):
            assert await bot.pass_time(timedelta(days=7)) == ["You have 1 files."]
        await bot.say("weekly off")
        assert await bot.pass_time(timedelta(days=7)) == []


def test_the_manual_has_every_kind_of_argument() -> None:
    manual = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
    [rows] = re.findall(r"^\| annotation \|.*\n\|.*\n((?:\|.*\n)+)", manual, re.MULTILINE)
    shown = re.findall(r"^\| (?:an )?`([\w.]+)` \|", rows, re.MULTILINE)
    named = {**vars(builtins), **vars(plugin_api), "enum.Enum": Enum}
    assert {named[name] for name in shown} == {*arguments._KINDS, Enum}


def test_the_manual_has_every_need() -> None:
    manual = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
    shown = re.findall(r'^\| `"([\w.]+)"` \| (.+) \|$', manual, re.MULTILINE)
    assert [need for need, _ in shown] == list(NEEDS)
    for need, uses in shown:
        paths = {path for path, needed in NEED_OF.items() if needed == need}
        assert set(re.findall(r"`ctx\.([\w.]+)`", uses)) == paths


async def test_the_example_of_a_refusal_refuses() -> None:
    async with FakeBot(example("numbers").plugin) as bot:
        assert await bot.say("double 21") == ["42."]
        assert await bot.say("double 1234567") == ["I count to a million only."]
        [usage] = await bot.say("double trouble")
        assert "double NUMBER" in usage


async def test_a_plugins_own_error_has_no_words_and_one_below_the_bots_has_its() -> None:
    class OwnError(UserError):
        pass

    class Missing(NoSuchEntry):
        pass

    plugin = Plugin[None]("failing", api=1)

    @plugin.command("fail", usage="fail HOW")
    async def fail(ctx: Context[None], how: str) -> None:
        """Fail."""
        raise OwnError if how == "own" else Missing("this")

    async with FakeBot(plugin, may_fail=True) as bot:
        [own], [missing] = await bot.say("fail own"), await bot.say("fail so")
    assert "Something went wrong" in own
    assert "no file called" in missing


async def test_an_event_may_be_a_plugins_own() -> None:
    @dataclass(frozen=True, slots=True)
    class Rung(Event):
        times: int

    plugin = Plugin[None]("bell", api=1, needs={"events"}, templates={"heard": "{{ times }} times"})

    @plugin.command("ring", usage="ring")
    async def ring(ctx: Context[None]) -> None:
        """Ring."""
        await ctx.emit(Rung(ctx.sender, ctx.language, 3))

    @plugin.on(Rung)
    async def hear(ctx: Context[None], event: Rung) -> None:
        await ctx.reply("bell/heard", times=event.times)

    async with FakeBot(plugin) as bot:
        assert await bot.say("ring") == ["3 times"]


async def test_the_manual_for_plugin_authors_has_all_of_the_context() -> None:
    manual = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
    given = {name for name in dir(await given_context()) if not name.startswith("_")}
    assert given - set(re.findall(r"ctx\.(\w+)", manual)) == set()


async def test_the_fake_bot_counts_time_from_its_own_clock() -> None:
    async with FakeBot() as bot:
        await bot.drop("a.txt", b"a")
        assert "just now" in (await bot.say("ls"))[0]
        bot.now += timedelta(days=2)
        assert "2 days ago" in (await bot.say("ls"))[0]


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"`([a-z]+)[ `]", readme))
    assert {command.name for plugin in bundled() for command in plugin.commands} <= shown


def test_the_first_screen_of_the_readme_has_a_transcript_and_the_two_commands() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:45])
    assert "make demo" in first_screen
    assert "make test" in first_screen
    assert "get annual" in first_screen


@pytest.mark.parametrize("document", documents())
def test_every_path_that_a_document_names_is_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    named = set(
        re.findall(r"`((?:filebot|plugins|examples|tests|benchmarks|docs|scripts)/[\w./-]*)`", text)
    )
    missing = {path for path in named if not (ROOT / path).exists()}
    linked = set(re.findall(r"\]\((?!https?:)([\w./-]+)(?:#[\w-]+)?\)", text))
    missing |= {path for path in linked if not (ROOT / document).parent.joinpath(path).exists()}
    assert missing == set()


@pytest.mark.parametrize("document", documents())
def test_no_heading_begins_with_a_relative_clause(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert re.findall(r"^#+ (?:What|Who|Whose|Those|As|Of)\b.*$", text, re.MULTILINE) == []


def test_every_module_that_the_architecture_names_is_there() -> None:
    packages = {path.parent.name for path in (ROOT / "filebot").glob("*/__init__.py")}
    named = {name for name in re.findall(r"`([\w./]+)`", ARCHITECTURE) if name.split("/")[0] in packages}
    named = {f"filebot/{name}" for name in named if "/" in name}
    missing = [name for name in named if not ((ROOT / name).exists() or (ROOT / f"{name}.py").exists())]
    assert sorted(missing) == []


def test_the_architecture_has_the_layers_of_the_import_contract() -> None:
    [shown] = re.findall(r"```layers\n(.*?)```", ARCHITECTURE, re.DOTALL)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [layered] = [each for each in project["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    assert shown.splitlines() == layered["layers"]


def test_the_architecture_has_every_package() -> None:
    titles = set(re.findall(r"[\w]+", " ".join(re.findall(r"^### (.+)$", ARCHITECTURE, re.MULTILINE))))
    packages = {path.parent.name for path in (ROOT / "filebot").glob("*/__init__.py")}
    assert packages - titles == set()


def test_every_page_for_operators_is_in_their_index() -> None:
    index = (ROOT / "docs/operating/README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs/operating").glob("*.md")} - {"README.md"}
    assert pages == set(re.findall(r"\]\(([\w-]+\.md)\)", index))


def test_log_lines_that_operators_are_told_to_watch_for_are_logged() -> None:
    text = (ROOT / "docs/operating/monitoring.md").read_text(encoding="utf-8")
    watched = re.findall(r"^\| (?:ERROR|WARNING|INFO) \| `([^`]+)`", text, re.MULTILINE)
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "filebot").rglob("*.py"))
    assert watched
    assert [line for line in watched if line not in source] == []


def test_the_documented_installation_and_its_unit_speak_of_the_same_user_program_and_folders() -> None:
    text = (ROOT / "docs/operating/install.md").read_text(encoding="utf-8")
    [shell], [ini] = (re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL) for kind in ("sh", "ini"))
    unit = configparser.ConfigParser()
    unit.optionxform = str  # type: ignore[assignment, method-assign]  # as its documentation says
    unit.read_string(ini)
    service = unit["Service"]
    program, _, _, config = shlex.split(service["ExecStart"])
    data_dir, user = service["ReadWritePaths"], service["User"]
    assert data_dir == f"/var/lib/{service['StateDirectory']}"
    lines = shell.splitlines()
    as_user = f"runuser -u {user} -- {program}"
    assert f"{as_user} init --config {config} --data-dir {data_dir}" in lines
    assert f"{as_user} check --config {config}" in lines
    assert f"install -d -m 700 -o {user} -g {user} {Path(config).parent} {data_dir}" in lines
    assert any(line.startswith("useradd ") and line.endswith(f" {user}") for line in lines)
