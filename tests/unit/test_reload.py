"""Reading config and one-file plugins anew."""

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from filebot import reload
from filebot.catalog.sqlite.memory_tables import MemoryPluginTables
from filebot.concurrency.isolated import Limits, call_isolated
from filebot.config import Config
from filebot.config.load import load
from filebot.errors import ConfigError, ReloadRefused
from filebot.files.access import Access
from filebot.plugin.declare import LoadedPlugin
from filebot.plugin.reload import Reloaded
from filebot.plugin_files import PREFIX, PluginFiles
from filebot.preflight import prepared
from filebot.reload import LIVE, ConfigSource, restart_keys
from tests.support.waiting import until

ECHO = '''
from dataclasses import dataclass
from filebot.plugin import Context, Plugin

@dataclass(frozen=True)
class Settings:
    loud: bool = False

plugin = Plugin("echo", api=1, settings=Settings, templates={"said": "TEXT"})

@plugin.command("echo", usage="echo")
async def echo(ctx: Context[Settings]) -> None:
    """Say it."""
'''


class Lab:
    """A config, a folder of plugins, and what reads them anew."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "config.toml"
        self.plugins = folder / "plugins"
        self.plugins.mkdir(mode=0o700)
        self.write()

    def write(self, more: str = "", password: str = "hunter2") -> None:
        """Write the config, with more tables than it has."""
        self.file.touch(mode=0o600)
        self.file.write_text(
            f'[xmpp]\njid = "bot@example.org"\npassword = "{password}"\n{more}\n'
            + ("" if "[plugins]" in more else f'[plugins]\npaths = ["{self.plugins}"]\n')
        )

    def write_plugin(self, text: str, name: str = "echo") -> None:
        (self.plugins / f"{name}.py").write_text(text)

    def read(self) -> Config:
        return load(self.file, {})

    def start(self) -> None:
        """Load all as a start does."""
        self.files, self.left_out = PluginFiles(), list[str]()
        config = self.read()
        _, self.loaded = prepared(config, files=self.files, left_out=self.left_out.append)
        self.source = ConfigSource(
            self.read, config, self.files, MemoryPluginTables(), left_out=self.left_out, unusable=()
        )

    @property
    def local_modules(self) -> set[str]:
        return {name for name in sys.modules if name.startswith(PREFIX)}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab(tmp_path)
    lab.write_plugin(ECHO)
    lab.start()
    return lab


def named(plugins: Sequence[LoadedPlugin], name: str = "echo") -> LoadedPlugin:
    [found] = [each for each in plugins if each.plugin.name == name]
    return found


async def test_a_file_that_did_not_change_is_the_same_plugin_and_one_that_did_is_another(lab: Lab) -> None:
    first = named(lab.loaded)
    wanted = await lab.source.read(lab.loaded)
    assert named(wanted.plugins).plugin is first.plugin
    lab.source.settle(taken=True)
    # The same size, in the same second: what Python compiled would still fit.
    lab.write_plugin(ECHO.replace("TEXT", "WORD"))
    wanted = await lab.source.read(wanted.plugins)
    second = named(wanted.plugins)
    assert second.plugin is not first.plugin
    assert wanted.replies.render("echo/said", "en") == "WORD"
    assert not (lab.plugins / "__pycache__").exists()


async def test_the_module_of_the_version_that_is_not_taken_is_forgotten(lab: Lab) -> None:
    before = lab.local_modules
    lab.write_plugin(ECHO.replace("TEXT", "WORD"))
    await lab.source.read(lab.loaded)
    assert len(lab.local_modules) == len(before) + 1  # beside each other
    lab.source.settle(taken=False)
    assert lab.local_modules == before
    await lab.source.read(lab.loaded)
    new = lab.local_modules - before
    lab.source.settle(taken=True)
    assert lab.local_modules >= new
    assert len(lab.local_modules) == len(before)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("def (", "SyntaxError: "),
        ("raise RuntimeError('no\\nluck')", "RuntimeError: no luck"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("plugin = 3", "it has no variable named plugin that is a Plugin"),
        (ECHO.replace('"echo", api', '"files", api'), "there is a plugin 'files' already"),
        (ECHO.replace('"TEXT"', '"{{"'), "echo: template said, line 1: "),
    ],
)
async def test_a_broken_plugin_refuses_the_reload_in_one_line(lab: Lab, text: str, mistake: str) -> None:
    before = lab.local_modules
    lab.write_plugin(text)
    with pytest.raises(ReloadRefused) as refused:
        await lab.source.read(lab.loaded)
    [line] = refused.value.mistakes
    assert line.startswith(f"plugin {lab.plugins}/echo.py cannot be loaded: {mistake}")
    assert "\n" not in line
    lab.source.settle(taken=False)
    assert lab.local_modules == before


async def test_a_plugin_that_was_broken_at_the_start_stays_out_until_it_is_mended(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.write_plugin(ECHO)
    lab.write_plugin("def (", "broken")
    lab.start()
    lab.write_plugin(ECHO.replace("TEXT", "WORD"))
    wanted = await lab.source.read(lab.loaded)
    lab.source.settle(taken=True)
    assert wanted.notes == tuple(lab.left_out)
    lab.write_plugin("raise RuntimeError", "broken")
    with pytest.raises(ReloadRefused, match=r"broken\.py cannot be loaded: RuntimeError"):
        await lab.source.read(wanted.plugins)
    lab.source.settle(taken=False)
    lab.write_plugin(ECHO.replace("echo", "mended"), "broken")
    wanted = await lab.source.read(wanted.plugins)
    assert named(wanted.plugins, "mended").settings is not None
    assert wanted.notes == ()


async def test_a_config_with_mistakes_refuses_the_reload_with_all_of_them(lab: Lab) -> None:
    lab.write('[limits]\ntotal = "much"\n[access]\nadmin = []')
    with pytest.raises(ConfigError) as refused:
        await lab.source.read(lab.loaded)
    assert len(refused.value.mistakes) == 2
    lab.write("[replies]\ntemplates = ''\n[plugins.echo]\nlout = true")
    with pytest.raises(ConfigError) as refused:
        await lab.source.read(lab.loaded)
    [line] = refused.value.mistakes
    assert line.startswith("config.toml line ")
    assert "plugins.echo.lout: unknown key" in line


async def test_what_can_be_taken_live_is_read_anew(lab: Lab) -> None:
    lab.write(
        '[access]\nadmins = ["admin@example.org"]\nallow = ["*@example.com"]\n'
        '[limits]\nquota_per_user = "5 MB"\ncommands_per_minute = 7\n'
        '[rooms]\ncommand_prefix = "+"\n'
        '[replies]\nlanguage = "zh_CN"\n[plugins.echo]\nloud = true\n'
    )
    wanted = await lab.source.read(lab.loaded)
    access = Access()
    access.use(wanted.access)
    assert access.is_admin("admin@example.org")
    assert access.serves("bob@example.com")
    assert not access.serves("bob@example.org")
    assert wanted.storage.quota_per_user_bytes == 5_000_000
    assert wanted.limits.commands_per_minute == 7
    assert wanted.replies.negotiate() == "zh_CN"
    assert wanted.command_prefix == "+"
    assert "+" in next(iter(wanted.presence.values()))
    assert wanted.unserved_reason == wanted.replies.render("errors/stranger", "zh_CN")
    assert named(wanted.plugins).settings.loud  # type: ignore[attr-defined]  # the class is in the file
    assert wanted.restart == ()


async def test_what_takes_effect_at_the_next_start_is_named(lab: Lab) -> None:
    data = lab.file.parent / "other"
    data.mkdir(mode=0o700)
    lab.write(
        'host = "127.0.0.1"\n[rooms]\njoin = ["a@b.example"]\n[network]\nallow_private = true\n', "new"
    )
    config = lab.file.read_text()
    lab.file.write_text(f'data_dir = "{data}"\n{config}')
    wanted = await lab.source.read(lab.loaded)
    assert wanted.restart == (
        "data_dir",
        "network.allow_private",
        "rooms.join",
        "xmpp.host",
        "xmpp.password",
    )


def test_every_key_is_either_taken_live_or_named() -> None:
    config = Config.model_validate({"xmpp": {"jid": "bot@example.org", "password": "x"}})
    keys = reload._values(config).keys()
    assert keys >= LIVE
    assert restart_keys(config, config) == ()
    assert {"xmpp.jid", "data_dir", "bytestreams.port", "limits.idle_timeout"} <= keys - LIVE


async def test_a_pip_package_of_another_version_needs_a_restart(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = {"filebot-tags": "1.0", "filebot-gone": "1.0"}
    monkeypatch.setattr(reload, "packages", lambda: versions)
    lab.start()
    versions = {"filebot-tags": "1.1", "filebot-new": "1.0"}
    wanted = await lab.source.read(lab.loaded)
    assert wanted.restart == ("filebot-tags 1.1",)


async def test_a_plugin_that_never_loads_holds_the_reload_up_no_longer_than_its_limit(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "READ_LIMIT_S", 0.1)
    lab.write_plugin("import time\ntime.sleep(1)\n" + ECHO)
    before = lab.local_modules
    with pytest.raises(ReloadRefused, match=r"the plugins are not loaded after 0\.1 s"):
        await lab.source.read(lab.loaded)
    lab.source.settle(taken=False)
    await until(lambda: lab.local_modules > before)
    await until(lambda: lab.local_modules == before)


async def test_an_isolated_function_is_of_the_plugin_that_runs_and_not_of_the_file_that_changed(
    lab: Lab,
) -> None:
    lab.write_plugin(ECHO + "\ndef two():\n    return 2\n")
    wanted = await lab.source.read(lab.loaded)
    module = sys.modules[type(named(wanted.plugins).settings).__module__]
    for text in ("def (", ECHO + "\ndef two():\n    return 3\n"):
        lab.write_plugin(text)
        assert await call_isolated(module.two, (), Limits()) == 2


async def test_two_folders_may_have_files_of_one_name(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    other = tmp_path / "more"
    other.mkdir(mode=0o700)
    lab.write_plugin(ECHO)
    (other / "echo.py").write_text(ECHO.replace("echo", "other"))
    lab.write(f'[plugins]\npaths = ["{lab.plugins}", "{other}"]\n')
    lab.start()
    one, two = named(lab.loaded), named(lab.loaded, "other")
    modules = {sys.modules[type(each.settings).__module__] for each in (one, two)}
    assert len(modules) == 2
    assert all(module.__name__.startswith(f"{PREFIX}.echo") for module in modules)


async def test_the_log_tells_in_one_line_each_what_came_of_sighup(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: list[Exception | Reloaded] = [
        ReloadRefused(("one is wrong", "two is wrong")),
        RuntimeError("a bug"),
        Reloaded(("new",), ("other",), (), ("xmpp.host",), ("a note",)),
    ]
    wanted = asyncio.Event()

    class Outcomes:
        async def reload(self) -> Reloaded:
            outcome = outcomes.pop(0)
            if isinstance(outcome, Exception):
                wanted.set()
                raise outcome
            return outcome

    caplog.set_level(logging.INFO)
    wanted.set()
    task = asyncio.create_task(reload.reload_on(wanted, Outcomes()))  # type: ignore[arg-type]
    await until(lambda: not outcomes)
    await asyncio.sleep(0)
    task.cancel()
    assert [record.getMessage() for record in caplog.records] == [
        "not reloaded, all stays as it was: one is wrong",
        "not reloaded, all stays as it was: two is wrong",
        "not reloaded",
        "plugins that are new: new",
        "plugins that are changed: other",
        "a note",
        "restart needed for xmpp.host",
        "reloaded",
    ]
