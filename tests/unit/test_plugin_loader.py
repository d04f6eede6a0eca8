"""Finding plugins and checking their settings."""

import functools
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from filebot.errors import ConfigError, PluginError
from filebot.plugin import Context, FileReceived, FileStored, Plugin
from filebot.plugin.declare import LoadedPlugin, commands_of
from filebot.plugin_loader import bundled, load
from filebot.replies import Replies

GOOD = '''
"""A local plugin."""
from dataclasses import dataclass
from filebot.plugin import Context, Plugin

@dataclass(frozen=True)
class Settings:
    times: int = 1

plugin = Plugin("local", api=1, settings=Settings)

@plugin.command("local", usage="local")
async def local(ctx: Context[Settings]) -> None:
    """Do it."""
'''


def test_every_bundled_plugin_is_loaded_with_its_defaults() -> None:
    names = {loaded.plugin.name for loaded in load({}, Replies())}
    assert names == {plugin.name for plugin in bundled()}
    assert {"files", "drop", "delivery", "help", "language", "quota"} <= names


def test_a_disabled_plugin_is_left_out() -> None:
    assert "quota" not in {loaded.plugin.name for loaded in load({}, Replies(), disabled=["quota"])}


def test_a_file_in_a_folder_is_a_plugin_with_its_own_settings(tmp_path: Path) -> None:
    (tmp_path / "local.py").write_text(GOOD)
    [local] = [
        each
        for each in load({"local": {"times": 3}}, Replies(), paths=[tmp_path])
        if each.plugin.name == "local"
    ]
    assert local.settings.times == 3  # type: ignore[attr-defined]  # the class is in the file


def foreign(
    name: str = "mine", *, api: str = "api=1, ", settings: str = "None", words: str = "", more: str = ""
) -> str:
    return f"""
from dataclasses import dataclass, field
from filebot.plugin import Context, Plugin

@dataclass
class Needy:
    one: int
    two: int = 2
    three: list[int] = field(default_factory=list)

class Plain:
    pass

@dataclass
class Odd:
    odd: object.__call__ = 1

plugin = Plugin({name!r}, {api}settings={settings}, templates={{"said": "fine", "word": {words!r}}})

@plugin.command("mine", usage="mine")
async def mine(ctx: Context[None]) -> None:
    'Do it.'
{more}
"""


TAKEN = """
@plugin.command("sum", usage="sum", aliases=("dir",))
async def listing(ctx: Context[None]) -> None:
    'List.'
"""

BROKEN = {
    "raise RuntimeError('no\\nluck')": "RuntimeError: no luck",
    "raise RuntimeError": "RuntimeError",
    "raise SystemExit(3)": "SystemExit: 3",
    "x = 1": "it has no variable named plugin that is a Plugin",
    "plugin = 3": "it has no variable named plugin that is a Plugin",
    "def (": "SyntaxError: ",
    "import nothing_such": "ModuleNotFoundError: No module named 'nothing_such'",
    foreign(
        api=""
    ): "plugin 'mine' does not say for which API it is; write Plugin(\"mine\", api=1, ...) in ",
    foreign("files"): "there is a plugin 'files' already; give it another name",
    foreign(words="{{ nope"): "mine: template word, line 1: ",
    foreign(more=TAKEN): "both plugins 'files' and 'mine' have a command 'dir'",
    foreign(settings="Needy"): "setting 'one' of plugin 'mine' has no default; give it one",
    foreign(settings="Plain"): "the settings of plugin 'mine' are no dataclass",
    foreign(settings="Odd"): "PydanticSchemaGenerationError: ",
}


@pytest.mark.parametrize(("text", "mistake"), BROKEN.items(), ids=BROKEN.values())
def test_a_foreign_plugin_that_is_broken_is_left_out_whole_with_the_reason_in_one_line(
    tmp_path: Path, text: str, mistake: str
) -> None:
    (tmp_path / "broken.py").write_text(text)
    (tmp_path / "local.py").write_text(GOOD)
    left_out: list[str] = []
    replies = Replies()
    loaded = load({}, replies, paths=[tmp_path], left_out=left_out.append)
    assert {each.plugin.name for each in loaded} == {plugin.name for plugin in bundled()} | {"local"}
    commands_of(loaded)
    [line] = left_out
    assert line.startswith(f"plugin {tmp_path}/broken.py cannot be loaded: {mistake}")
    assert line.endswith("; going on without it")
    assert "\n" not in line
    replies.add("mine", {"said": "nothing of it is left"})


def test_the_log_tells_of_plugins_that_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "broken.py").write_text("%d")
    load({}, Replies(), paths=[tmp_path])
    assert "broken.py cannot be loaded: SyntaxError" in caplog.text


def test_what_the_config_says_of_a_plugin_that_is_left_out_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "wrecked.py").write_text("def (")
    (tmp_path / "file.py").write_text(foreign("mine", words="{{"))
    left_out: list[str] = []
    load({"wrecked": {"x": 1}, "mine": {}}, Replies(), paths=[tmp_path], left_out=left_out.append)
    assert len(left_out) == 2


def test_of_two_foreign_plugins_of_one_name_the_first_counts(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def (")
    (tmp_path / "b.py").write_text(foreign("a"))
    (tmp_path / "c.py").write_text(foreign("a"))
    left_out: list[str] = []
    loaded = load({}, Replies(), paths=[tmp_path], left_out=left_out.append)
    assert "a" in {each.plugin.name for each in loaded}
    assert [Path(line.split()[1]).name for line in left_out] == ["a.py", "c.py"]


def test_a_disabled_plugin_takes_no_command_from_others(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(foreign(more=TAKEN))
    assert "mine" in {
        each.plugin.name for each in load({}, Replies(), disabled=["files"], paths=[tmp_path])
    }
    load({}, Replies(), disabled=["mine"], paths=[tmp_path], left_out=pytest.fail)


def test_every_mistake_in_the_settings_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load(
            {
                "fiels": {},
                "quota": {"warn_at": 3, "wran_at": 1},
                "files": {"page_size": "ten"},
                "help": {"x": 1},
            },
            Replies(),
            disabled=["qouta"],
        )
    text = "\n".join(caught.value.mistakes)
    for expected in (
        'plugins.fiels: no plugin of this name; did you mean "files"?',
        'plugins.qouta: no plugin of this name; did you mean "quota"?',
        'plugins.quota.wran_at: unknown key; did you mean "warn_at"?',
        "plugins.files.page_size: ",
        "plugins.help.x: unknown key",
    ):
        assert expected in text


def test_two_commands_of_one_name_are_refused() -> None:
    def plugin(name: str) -> LoadedPlugin:
        made = Plugin[None](name, api=1)

        @made.command("same", usage="same")
        async def same(ctx: Context[None]) -> None:
            """Do it."""

        return LoadedPlugin(made, None)

    with pytest.raises(PluginError, match="same"):
        commands_of([plugin("one"), plugin("two")])


async def documented(ctx: Context[None]) -> None:
    """Do it."""


async def undocumented(ctx: Context[None]) -> None: ...


async def other(ctx: Context[None], other: str) -> None:
    """Do it."""


async def bare() -> None:
    """Do it."""


async def with_text(ctx: Context[None], text: str, more: str = "") -> None:
    """Do it."""


def plain(ctx: Context[None]) -> None:
    """Do it."""


async def generator(ctx: Context[None]) -> AsyncIterator[None]:
    """Do it."""
    yield


def declared(handler: Any, name: str = "x", usage: str | tuple[str, ...] = "x", aliases: Any = ()) -> None:
    Plugin[None]("p", api=1).command(name, usage=usage, aliases=aliases)(handler)


def listening(handler: Any, event: Any = FileStored) -> None:
    Plugin[None]("p", api=1).on(event)(handler)


COMMAND = "command 'x' of plugin 'p'"


@pytest.mark.parametrize(
    ("declare", "mistake"),
    [
        (lambda: Plugin[None]("No Name"), "'No Name' is no plugin name"),
        (lambda: declared(undocumented), f"{COMMAND} needs a docstring"),
        (lambda: declared(documented, usage="y NAME"), f"{COMMAND}: its usage must begin"),
        (lambda: declared(documented, usage=()), f"{COMMAND}: its usage must begin"),
        (lambda: declared(documented, usage="x Name"), f"{COMMAND}: neither"),
        (
            lambda: declared(other, usage="x TEXT"),
            f"{COMMAND}: its usage has TEXT, but other has no argument 'text'; add it",
        ),
        (
            lambda: declared(documented, usage="x TEXT"),
            f"{COMMAND}: its usage has TEXT, but documented has no argument 'text'; add it",
        ),
        (
            lambda: declared(with_text),
            f"{COMMAND}: with_text has an argument 'text', but its usage has no TEXT; add it to the usage",
        ),
        (
            lambda: declared(bare),
            f"{COMMAND}: bare is given a context, but: too many positional arguments; write bare(ctx)",
        ),
        (lambda: declared(plain), f"{COMMAND}: plain is no coroutine; write async def"),
        (lambda: declared(generator), f"{COMMAND}: generator is no coroutine"),
        (lambda: declared(documented, "X", "X"), "command 'X' of plugin 'p': nobody could type 'X'"),
        (lambda: declared(documented, aliases=("Abc",)), f"{COMMAND}: nobody could type 'Abc'"),
        (lambda: declared(documented, aliases=("a b",)), f"{COMMAND}: nobody could type 'a b'"),
        (lambda: declared(documented, aliases=("a ",)), f"{COMMAND}: nobody could type 'a '"),
        (lambda: declared(documented, aliases=("",)), f"{COMMAND}: nobody could type ''"),
        (lambda: declared(documented, aliases=("!a",)), f"{COMMAND}: nobody could type '!a'"),
        (lambda: declared(documented, aliases="abc"), f"{COMMAND}: aliases are a tuple"),
        (lambda: listening(documented), "listener 'documented' of plugin 'p'"),
        (lambda: listening(plain), "plain is no coroutine"),
        (lambda: listening(other, "FileStored"), "'FileStored', which is no class of events"),
        (lambda: listening(other, FileReceived), "; what is asked before something is done is a check"),
    ],
)
def test_a_plugin_that_is_declared_wrongly_says_why(declare: Callable[[], object], mistake: str) -> None:
    with pytest.raises(PluginError, match=re.escape(mistake)):
        declare()


def test_a_handler_may_be_wrapped_and_may_take_more_than_it_is_given() -> None:
    @functools.wraps(with_text)
    async def wrapped(*args: Any, **values: Any) -> None:
        await with_text(*args, **values)

    declared(with_text, usage=("x TEXT", "x MORE to TEXT"))
    declared(wrapped, usage="x TEXT", aliases=("语言", "?"))
    with pytest.raises(PluginError, match="has an argument 'text', but its usage has no TEXT"):
        declared(wrapped)
