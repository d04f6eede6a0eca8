"""Old names are told of, or work for one minor version; docs/upgrade.md has them all."""

import importlib
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import filebot.errors
import filebot.plugin
from filebot.cli import main
from filebot.errors import NoHistory
from filebot.model import Address, Sender
from filebot.plugin import Context, FileStored, Plugin, RoomFilesAdded, deprecated
from filebot.plugin_loader import bundled
from filebot.replies import Replies
from filebot.replies.overrides import RENAMED_ERRORS, RENAMED_TEMPLATES, RENAMED_VARIABLES
from filebot.testing import ALICE, FakeBot

ROOT = Path(__file__).parents[2]
TEMPLATES = Path(filebot.__file__).parent / "templates"


def table(title: str) -> dict[str, str]:
    """The rows of the table in docs/upgrade.md whose first column has this title."""
    text = (ROOT / "docs/upgrade.md").read_text(encoding="utf-8")
    [rows] = re.findall(rf"^\| old {title} \| .*\n\|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    return dict(re.findall(r"^\| `(.+?)` \| `(.+?)` \|$", rows, re.MULTILINE))


@pytest.fixture(autouse=True)
def nothing_warned() -> Iterator[None]:
    deprecated._warned.clear()
    yield
    deprecated._warned.clear()


def test_the_manual_has_every_renamed_template_and_variable() -> None:
    files = {f"{old}.txt": f"{new}.txt" for old, new in RENAMED_TEMPLATES.items()}
    assert table("file") == files
    bundled = {f"{file.parts[-3]}/{file.name}" for file in ROOT.glob("plugins/*/templates/*.txt")}
    for old, new in files.items():
        assert (TEMPLATES / new).exists() or new in bundled
        assert not (TEMPLATES / old).exists()
    assert table("variable") == RENAMED_VARIABLES


def test_the_manual_has_every_renamed_error() -> None:
    assert table("error") == RENAMED_ERRORS
    assert all(hasattr(filebot.errors, new) for new in RENAMED_ERRORS.values())
    assert not any(hasattr(filebot.errors, old) for old in RENAMED_ERRORS)


def test_the_manual_has_every_renamed_name_of_the_plugin_api() -> None:
    assert table("class") == deprecated.NAMES
    attributes = {}
    for cls, old, new in deprecated.ATTRIBUTES:
        owner = "Entry" if cls.__name__ == "NewEntry" else cls.__name__
        attributes[f"{owner}.{old}"] = f"{owner}.{new}"
        assert new in dir(cls) or new in cls.__annotations__
    assert table("attribute") == attributes
    assert set(table("name")) == {"FakeBot.reception", "FixedRooms.rolls"}
    for old, (name, _) in deprecated.ROOM_SETTINGS.items():
        assert table("setting")[old].startswith(f'state.settings["{name}"]')
    assert table("setting").keys() == deprecated.ROOM_SETTINGS.keys()


@pytest.mark.parametrize(("old", "new"), deprecated.NAMES.items())
def test_an_old_class_works_with_one_warning(old: str, new: str, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        exec(f"from filebot.plugin import {old} as found", space := {"__name__": "old_plugin"})
        assert space["found"] is getattr(filebot.plugin, new)
    assert new in filebot.plugin.__all__
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        f"old_plugin uses {old}, which is {new} now; write that: the old name goes with 0.3.0"
    )


def test_a_name_that_never_was_is_none_of_the_plugin_api() -> None:
    with pytest.raises(AttributeError, match="FileFlown"):
        importlib.import_module("filebot.plugin").__getattr__("FileFlown")


async def test_a_plugin_with_old_names_still_works(caplog: pytest.LogCaptureFixture) -> None:
    plugin = Plugin[None]("old", api=1, needs={"files.read", "rooms"}, templates={"said": "{{ text }}"})

    @plugin.on(FileStored)
    async def stored(ctx: Context[None], event: FileStored) -> None:
        assert event.entry.archived is False  # type: ignore[attr-defined]
        assert event.sender.aside == event.sender.privately  # type: ignore[attr-defined]
        await ctx.reply("old/said", text=event.entry.brought_by or "nobody")  # type: ignore[attr-defined]

    @plugin.command("look", usage="look")
    async def look(ctx: Context[None]) -> None:
        """Look."""
        await ctx.reply("old/said", text=ctx.sender.spoke)  # type: ignore[attr-defined]

    async with FakeBot(plugin) as bot:
        assert "nobody" in await bot.drop("a.txt", b"a")
        assert await bot.say("look") == ["None"]
        assert bot.reception is bot.dispatcher
        assert bot.rooms.rolls is bot.rooms.occupants
    assert [
        record.getMessage().split()[3].rstrip(",")
        for record in caplog.records
        if record.name == deprecated.__name__
    ] == [
        "Entry.archived",
        "Sender.aside",
        "Entry.brought_by",
        "Sender.spoke",
        "FakeBot.reception",
        "FixedRooms.rolls",
    ]


def test_an_old_field_of_an_event_works() -> None:
    sender = Sender(Address(ALICE), ALICE)
    finished = filebot.plugin.HistoryImportFinished(sender, None, None, NoHistory("room", reason="idle"))  # type: ignore[arg-type]
    assert finished.filling is None  # type: ignore[attr-defined]
    assert not hasattr(RoomFilesAdded(sender, None, (), 0), "filling")
    assert replace(sender, jid=None).spoke is None  # type: ignore[attr-defined]


def written(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_templates_out_of_date_are_named_with_what_to_write(tmp_path: Path) -> None:
    written(tmp_path, "errors/room_full.txt", "Full.")
    written(tmp_path, "errors/room_ful.txt", "Full.")
    written(tmp_path, "errors/stranger.txt", '{% include "errors/mine.txt" %}')
    written(tmp_path, "errors/mine.txt", "Mine.")
    written(tmp_path, "elsewhere/of_a_plugin.txt", "Not loaded.")
    written(tmp_path, "files/info.txt", "{% if goes_at %}{{ goes_at }}{% endif %}")
    written(tmp_path, "delivery/_causes.txt", '{% if kind == "NoWayToSend" %}No.{% endif %}')
    place, remedy = f"replies.templates: {tmp_path}", "correct its name or remove the file"
    rename = "rename it: the old name goes with 0.3.0"
    assert Replies(overrides=tmp_path).outdated_overrides() == (
        f"{place}/delivery/_causes.txt: the error NoWayToSend is NoTransferMethod now; write that",
        f"{place}/errors/room_ful.txt is not used: there is no template errors/room_ful; {remedy}",
        f"{place}/errors/room_full.txt is errors/room_quota_exceeded.txt now; {rename}",
        f"{place}/files/info.txt: the variable goes_at is lines now; write that",
    )
    assert Replies().outdated_overrides() == ()


def test_check_names_templates_out_of_date_and_leaves_with_1(tmp_path: Path) -> None:
    written(tmp_path, "words/errors/same_name.txt", "Same.")
    tmp_path.chmod(0o700)
    config = tmp_path / "config.toml"
    config.write_text(
        '[xmpp]\njid = "bot@example.org"\npassword = "secret"\n[replies]\ntemplates = "words"\n'
    )
    config.chmod(0o600)
    result = CliRunner().invoke(main, ["check", "--offline", "--config", str(config)])
    assert result.exit_code == 1
    assert result.output == (
        f"replies.templates: {tmp_path}/words/errors/same_name.txt is errors/duplicate_name.txt"
        " now; rename it: the old name goes with 0.3.0\n"
    )


@pytest.mark.parametrize(
    "old", ["errors/claim_exceeds_quota", "errors/no_room_for_claim", "errors/no_such_claim"]
)
async def test_an_own_template_with_an_old_name_is_used(tmp_path: Path, old: str) -> None:
    written(tmp_path, f"{old}.txt", "My own words.")
    replies, new = Replies(overrides=tmp_path), RENAMED_TEMPLATES[old]
    claim = next(each for each in bundled() if each.name == "claim")
    replies.add(claim.name, claim.templates, claim.locale)
    assert replies.render(new, "en", error=None) == "My own words."
    [told] = replies.outdated_overrides()
    assert told.endswith(f"{old}.txt is {new}.txt now; rename it: the old name goes with 0.3.0")
    written(tmp_path, f"{new}.txt", "Newer words.")
    replies = Replies(overrides=tmp_path)
    replies.add(claim.name, claim.templates, claim.locale)
    assert replies.render(new, "en", error=None) == "Newer words."
    [told] = replies.outdated_overrides()
    assert told.endswith(f"{old}.txt is not used: there is {new}.txt, too; remove the file")


def test_an_own_template_with_an_old_name_and_old_variables_gives_way(tmp_path: Path) -> None:
    written(tmp_path, "errors/room_full.txt", "{{ nothing.of_this }}")
    error = filebot.errors.RoomQuotaExceeded(size_bytes=3, used_bytes=8, limit_bytes=10)
    text = Replies(overrides=tmp_path).render("errors/room_quota_exceeded", "en", error=error)
    assert "does not have enough space" in text
