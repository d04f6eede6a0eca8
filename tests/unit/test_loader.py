"""Finding plugins and checking their settings."""

from collections.abc import Callable
from pathlib import Path

import pytest

from filebot.commands import CommandTable, LoadedPlugin
from filebot.errors import ConfigError, PluginError
from filebot.loader import bundled, load
from filebot.plugin import Context, Plugin

GOOD = '''
"""A local plugin."""
from dataclasses import dataclass
from filebot.plugin import Context, Plugin

@dataclass(frozen=True)
class Settings:
    times: int = 1

plugin = Plugin("local", settings=Settings)

@plugin.command("local", usage="local")
async def local(ctx: Context[Settings]) -> None:
    """Do it."""
'''


def test_every_bundled_plugin_is_loaded_with_its_defaults() -> None:
    names = {loaded.plugin.name for loaded in load({})}
    assert names == {plugin.name for plugin in bundled()}
    assert {"files", "drop", "delivery", "help", "language", "quota"} <= names


def test_a_disabled_plugin_is_left_out() -> None:
    assert "quota" not in {loaded.plugin.name for loaded in load({}, disabled=["quota"])}


def test_a_file_in_a_folder_is_a_plugin_with_its_own_settings(tmp_path: Path) -> None:
    (tmp_path / "local.py").write_text(GOOD)
    [local] = [
        each for each in load({"local": {"times": 3}}, paths=[tmp_path]) if each.plugin.name == "local"
    ]
    assert local.settings.times == 3  # type: ignore[attr-defined]  # the class is in the file


@pytest.mark.parametrize(
    "text", ["raise RuntimeError", "x = 1", "plugin = 3", "def (", "import nothing_such"]
)
def test_a_foreign_plugin_that_is_broken_does_not_keep_the_bot_from_starting(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "broken.py").write_text(text)
    (tmp_path / "local.py").write_text(GOOD)
    assert "local" in {each.plugin.name for each in load({}, paths=[tmp_path])}
    assert "broken.py cannot be loaded" in caplog.text


def test_every_mistake_in_the_settings_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load(
            {
                "fiels": {},
                "quota": {"warn_at": 3, "wran_at": 1},
                "files": {"page_size": "ten"},
                "help": {"x": 1},
            },
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
        made = Plugin[None](name)

        @made.command("same", usage="same")
        async def same(ctx: Context[None]) -> None:
            """Do it."""

        return LoadedPlugin(made, None)

    with pytest.raises(PluginError, match="same"):
        CommandTable([plugin("one"), plugin("two")])


async def documented(ctx: Context[None]) -> None:
    """Do it."""


async def undocumented(ctx: Context[None]) -> None: ...


@pytest.mark.parametrize(
    ("declare", "mistake"),
    [
        (lambda: Plugin[None]("No Name"), "no plugin name"),
        (lambda: Plugin[None]("p").command("x", usage="x")(undocumented), "docstring"),
        (lambda: Plugin[None]("p").command("x", usage="y NAME")(documented), "must begin"),
        (lambda: Plugin[None]("p").command("x", usage=())(documented), "must begin"),
        (lambda: Plugin[None]("p").command("x", usage="x Name")(documented), "neither"),
    ],
)
def test_a_plugin_that_is_declared_wrongly_says_why(declare: Callable[[], object], mistake: str) -> None:
    with pytest.raises(PluginError, match=mistake):
        declare()
