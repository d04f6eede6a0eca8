"""Plugins of pip packages are found by their entry points; one that cannot be loaded is left out alone."""

from pathlib import Path
from typing import Final

import pytest

from filebot.plugin_loader import bundled, load
from filebot.replies import Replies

GOOD: Final = '''
"""Greet people."""

from filebot.plugin import Context, Plugin

plugin = Plugin[None]("greeting", api=1, templates={"said": "Good day."})


@plugin.command("greet", usage="greet")
async def greet(ctx: Context[None]) -> None:
    """Say good day."""
    await ctx.reply("greeting/said")
'''

BROKEN: Final = {
    "from click import no_such_name": "ImportError: cannot import name 'no_such_name' from 'click'",
    "import no_such_library": "ModuleNotFoundError: No module named 'no_such_library'",
    # The words of pkg_resources, for a distribution that is there in a version that does not fit.
    "class VersionConflict(Exception): pass\n"
    "raise VersionConflict('(click 8.1 (/lib), Requirement.parse(\"click<8\"))')": (
        "VersionConflict: (click 8.1 (/lib)"
    ),
    "raise SystemExit(1)": "SystemExit: 1",
    "raise KeyboardInterrupt_": "NameError: ",
    "plugin = 'greeting'": "it has no variable named plugin that is a Plugin",
    "from filebot.plugin import Plugin\nplugin = Plugin('files', api=1)": (
        "there is a plugin 'files' already; give it another name"
    ),
    "from filebot.plugin import Plugin\nplugin = Plugin('late', api=9)": "plugin 'late' is for API 9",
}


def install(folder: Path, name: str, source: str, entry_point: str = "") -> None:
    """Put a distribution with one plugin into a folder, as pip would."""
    (folder / f"{name}_module.py").write_text(source)
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    point = entry_point or f"{name}_module"
    (metadata / "entry_points.txt").write_text(f"[filebot.plugins]\n{name} = {point}\n")


def loaded(told: list[str]) -> set[str]:
    """Load all plugins; return the names of those beside the bundled ones."""
    names = {each.plugin.name for each in load({}, Replies(), left_out=told.append)}
    ours = {plugin.name for plugin in bundled()}
    assert names >= ours
    return names - ours


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder in which packages are installed."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize("entry_point", ["", "good_module:plugin"])
def test_the_plugin_of_a_package_is_loaded(site: Path, entry_point: str) -> None:
    install(site, "good", GOOD, entry_point)
    told = list[str]()
    assert loaded(told) == {"greeting"}
    assert told == []


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=BROKEN.values())
def test_a_package_that_cannot_be_loaded_is_left_out_with_one_line(site: Path, number: int) -> None:
    source, reason = [*BROKEN.items()][number]
    install(site, f"broken{number}", source)
    install(site, "good", GOOD)
    told = list[str]()
    assert loaded(told) == {"greeting"}
    [line] = told
    assert line.startswith(f"plugin broken{number} cannot be loaded: {reason}")
    assert line.endswith("; going on without it")


@pytest.mark.parametrize("entry_point", ["no_such_module", "good_module:nothing", "good_module:Context"])
def test_an_entry_point_that_names_no_plugin_is_left_out(site: Path, entry_point: str) -> None:
    install(site, "good", GOOD)
    install(site, "lost", "", entry_point)
    told = list[str]()
    assert loaded(told) == {"greeting"}
    [line] = told
    assert line.startswith("plugin lost cannot be loaded: ")


def test_metadata_that_cannot_be_read_costs_no_other_plugin(
    site: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install(site, "good", GOOD)
    install(site, "odd", GOOD)
    (site / "odd-1.0.dist-info/entry_points.txt").write_text("[filebot.plugins]\nodd\n")
    told = list[str]()
    assert loaded(told) == {"greeting"}
    assert "the entry points of odd cannot be read" in caplog.text
