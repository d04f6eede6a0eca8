"""``filebot plugin check``: each mistake of a plugin is told with its file and line."""

import os
import sysconfig
from pathlib import Path

import pytest

from filebot.cli import plugin_check
from tests.unit.cli.conftest import GOOD, Call, Write

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(path.name for path in (ROOT / "examples").iterdir() if path.is_dir())

PACKAGE = '''"""Greet people."""

from filebot.plugin import Context, Plugin

plugin = Plugin[None]("greeting", api=1, package=__name__)


@plugin.command("greet", usage="greet")
async def greet(ctx: Context[None]) -> None:
    """Say good day."""
    await ctx.reply("greeting/said")
'''
CATALOGUE = """msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"

msgid "Say good day."
msgstr "问好。"

msgid "Good day."
msgstr "您好。"
"""


@pytest.fixture
def package(write: Write) -> Path:
    """A package that is fine."""
    write("greeting_plugin/templates/said.txt", "{% trans %}Good day.{% endtrans %}\n")
    write("greeting_plugin/locale/zh_CN/LC_MESSAGES/greeting.po", CATALOGUE)
    return write("greeting_plugin/__init__.py", PACKAGE).parent


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_fine(call: Call, name: str) -> None:
    result = call("check", str(ROOT / "examples" / name / f"{name}.py"))
    assert (result.exit_code, result.output) == (0, "fine\n")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"greeting/said")', '"greeting/sad")', "line 12) names the template 'greeting/sad'"),
        ("await ctx", "await ctx.http.get('x')\n    await ctx", 'line 12) needs "http"'),
        ("await ctx", "1 +\n    await ctx", "line 12: SyntaxError"),
        ("plugin =", "1 / 0\nplugin =", "line 6: ZeroDivisionError"),
        ('usage="greet"', 'usage="great"', "its usage must begin with greet"),
        ('"greet", usage="greet"', '"ls", usage="ls"', "line 6: "),
        ('{"said"', '{"other": "Hm.", "said"', "line 6: nothing uses the template 'greeting/other'"),
        ('"Good day."}', '"{{ x"}', "line 6: greeting: template said, line 1: "),
    ],
)
def test_a_mistake_is_told_with_its_line(call: Call, write: Write, old: str, new: str, says: str) -> None:
    file = write("greeting.py", GOOD.replace(old, new, 1))
    result = call("check", str(file))
    assert result.exit_code == 1
    assert says in result.output
    assert f"{file}, line " in result.output


def test_nothing_of_an_error_is_for_the_terminal_alone(call: Call, write: Write) -> None:
    file = write("greeting.py", 'raise RuntimeError("\\x1b]0;title\\x07 it failed")\n')
    output = call("check", str(file)).output
    assert "it failed" in output
    assert "\x1b" not in output


def test_files_that_are_no_code_are_not_read(call: Call, package: Path) -> None:
    os.mkfifo(package / "pipe.py")
    (package / "folder.py").mkdir()
    assert call("check", str(package)).output == "fine\n"


def test_all_mistakes_are_told_at_once(call: Call, write: Write) -> None:
    more = '    ctx.http.get\n    ctx.store.get\n    await ctx.reply("greeting/sad")\n'
    file = write("greeting.py", GOOD + more)
    lines = call("check", str(file)).output.splitlines()
    assert [line.partition("(")[0] for line in lines] == [
        "plugin 'greeting', command 'greet': ctx.http.get ",
        "plugin 'greeting', command 'greet': ctx.store.get ",
        "plugin 'greeting', command 'greet': reply ",
    ]


def test_a_package_is_fine_by_its_folder_and_by_its_project(
    call: Call, package: Path, write: Write
) -> None:
    result = call("check", str(package))
    assert (result.exit_code, result.output) == (0, "fine\n")
    write("pyproject.toml", '[project.entry-points."filebot.plugins"]\ngreeting = "greeting_plugin"\n')
    result = call("check", ".")
    assert (result.exit_code, result.output) == (0, "fine\n")


def test_what_is_not_translated_is_told_with_its_line(call: Call, package: Path) -> None:
    template = package / "templates" / "said.txt"
    template.write_text(
        "\n{% trans %}Good day.{% endtrans %}\n{% trans n=1 %}One{% pluralize %}Many{% endtrans %}\n"
    )
    catalogue = package / "locale/zh_CN/LC_MESSAGES/greeting.po"
    catalogue.write_text(CATALOGUE.replace("问好。", "") + '\nmsgid "Old."\nmsgstr "旧。"\n')
    result, module = call("check", str(package)), package / "__init__.py"
    assert result.exit_code == 1
    adding = f"add it to {catalogue}"
    assert sorted(result.output.splitlines()) == sorted(
        [
            f"{template}, line 3: no translation into zh_CN of 'One'; {adding}",
            f"{module}, line 8: no translation into zh_CN of 'Say good day.'; {adding}, line 4",
            f"{catalogue}, line 10: nothing has the message 'Old.'; remove it",
        ]
    )


def test_catalogues_are_brought_up_to_date(call: Call, package: Path) -> None:
    (package / "templates" / "said.txt").write_text(
        "{% trans %}Good day.{% endtrans %}{% trans n=1 %}One{% pluralize %}Many{% endtrans %}\n"
    )
    catalogue = package / "locale/zh_CN/LC_MESSAGES/greeting.po"
    catalogue.write_text(CATALOGUE + '\nmsgid "Old."\nmsgstr "旧。"\n')
    assert call("messages", str(package)).output == f"Wrote {catalogue}; fill in each empty msgstr.\n"
    text = catalogue.read_text()
    assert 'msgid "Good day."\nmsgstr "您好。"' in text
    assert 'msgid "One"\nmsgid_plural "Many"\nmsgstr[0] ""' in text
    assert "Old." not in text
    [finding] = call("check", str(package)).output.splitlines()
    assert "no translation into zh_CN of 'One'" in finding
    assert call("messages", str(package)).output == "fine\n"
    assert catalogue.read_text() == text


def test_equal_words_in_two_contexts_are_two_messages(call: Call, package: Path) -> None:
    (package / "templates" / "said.txt").write_text(
        '{% trans "day" %}Good day.{% endtrans %}{% trans "night" %}Good day.{% endtrans %}\n'
    )
    catalogue = package / "locale/zh_CN/LC_MESSAGES/greeting.po"
    call("messages", str(package))
    text = catalogue.read_text()
    assert [f'msgctxt "{each}"\nmsgid "Good day."' in text for each in ("day", "night")] == [True, True]
    assert call("messages", str(package)).output == "fine\n"


def test_messages_of_what_cannot_be_loaded_are_not_written(call: Call, package: Path, write: Write) -> None:
    write("greeting_plugin/__init__.py", "1 / 0\n")
    result = call("messages", str(package))
    assert result.exit_code == 1
    assert "ZeroDivisionError: division by zero" in result.output


def test_a_plugin_may_speak_english_alone(call: Call, package: Path) -> None:
    (package / "locale/zh_CN/LC_MESSAGES/greeting.po").unlink()
    assert call("check", str(package)).output == "fine\n"


@pytest.mark.parametrize(
    "code",
    [
        'await ctx.reply(f"greeting/{kind}")',
        'await ctx.reply("greeting/" + kind)',
        'await ctx.reply("greeting/%s" % kind)',
        'await ctx.reply("greeting/{}".format(kind))',
        'name = "greeting/said"; await ctx.reply(name)',
    ],
)
def test_a_template_that_code_may_name_counts_as_used(call: Call, write: Write, code: str) -> None:
    source = GOOD.replace('await ctx.reply("greeting/said")', f'kind = "said"\n    {code}')
    assert call("check", str(write("greeting.py", source))).output == "fine\n"


def test_an_included_template_counts_as_used(call: Call, write: Write) -> None:
    source = GOOD.replace('"Good day."}', '"{% include \'greeting/head.txt\' %}", "head": "Good"}')
    assert call("check", str(write("greeting.py", source))).output == "fine\n"


def test_words_of_room_settings_and_migrations_are_tried(call: Call, write: Write) -> None:
    source = GOOD + '\nloud = plugin.room_setting("loud", bool, default=False, words="{{ valeu }}")\n'
    result = call("check", str(write("greeting.py", source)))
    assert "room setting 'loud' of plugin 'greeting': its words fail" in result.output
    source = GOOD.replace("api=1", 'api=1, migrations=Path(__file__).parent / "migrations"')
    source = source.replace("from filebot", "from pathlib import Path\n\nfrom filebot", 1)
    write("migrations/0001_first.py", "revision = '1'\ndown_revision = None\ndef upgrade():\n    1 / 0\n")
    file = write("greeting.py", source)
    result = call("check", str(file))
    assert result.exit_code == 1
    assert result.output.startswith(
        f"{file}, line 8: its tables cannot be brought up to date: ZeroDivision"
    )


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("empty/notes.txt", "", "has no plugin: neither pyproject.toml nor __init__.py"),
        ("notes.txt", "", "is no Python file"),
        ("project/pyproject.toml", "[project]\n", "announces no plugin"),
        ("project/pyproject.toml", "[project", "cannot be read"),
        (
            "project/pyproject.toml",
            '[project.entry-points."filebot.plugins"]\nx = "nowhere"\n',
            "there is no module nowhere",
        ),
    ],
)
def test_a_path_without_a_plugin_leaves_with_2(
    call: Call, write: Write, path: str, text: str, says: str
) -> None:
    file = write(path, text)
    result = call("check", str(file.parent if "/" in path else file))
    assert result.exit_code == 2
    assert says in result.output
    assert call("check", "nowhere.py").exit_code == 2


def test_a_module_of_the_same_name_elsewhere_is_in_the_way(call: Call, write: Write) -> None:
    write("json/templates/said.txt", "x")
    folder = write("json/__init__.py", PACKAGE).parent
    result = call("check", str(folder))
    assert result.exit_code == 1
    assert "another module json is in the way" in result.output


def test_a_module_that_never_ends_is_told_with_its_line(write: Write, tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    file = write(
        "slow.py", f"import os, time\n\nwhile not os.path.exists({str(stop)!r}):\n    time.sleep(0.1)\n"
    )
    [finding] = plugin_check.findings_at(file, limit_s=0.5)
    stop.touch()
    assert str(finding).startswith(f"its module did not end within 0.5 s; it is at {file}, line ")


def test_a_module_without_a_plugin_is_named_where_filebot_is_installed(
    call: Call, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There filebot's own files are among the libraries."""
    paths = {"purelib": str(ROOT)}
    monkeypatch.setattr(sysconfig, "get_path", lambda name: paths[name])
    file = write("greeting.py", "my = 1\n")
    result = call("check", str(file))
    assert result.exit_code == 1
    assert result.output.startswith(f"{file}, line 1: it has no variable named plugin")
    assert "write plugin = Plugin[None](NAME, api=1)" in result.output


USES = '''
"""Greet people."""

from typing import Any

from filebot.plugin import Address, Context, Plugin

plugin = Plugin[None](
    "greeting",
    api=1,
    needs={"jobs", "people", "files.read"},
    templates={
        "said": "{{ day|line }}{% if more %}, {{ name }}{% endif %}{{ title|default('') }}{{ prefix }}",
        "list": "{% for entry in entries %}{{ entry.name }}{% endfor %}{{ loop_of if more else '' }}",
    },
)


async def page(limit: int, before: int | None) -> list[Any]:
    """List nothing."""
    return []


@plugin.command("greet", usage="greet")
async def greet(ctx: Context[None]) -> None:
    """Say good day."""
    values: dict[str, object] = {}
    await ctx.reply("greeting/said", day="day", more=False)
    await ctx.reply("greeting/said", **values)
    await ctx.reply_pages("greeting/list", page, size=10)
    await ctx.jobs.add("speak", {})


@plugin.job("speak")
async def speak(ctx: Context[None], payload: dict[str, Any]) -> None:
    """Greet somebody else."""
    await ctx.tell(Address("a@example.org"), "greeting/said", day="day", more=False)


@plugin.daily("09:00")
async def remind(ctx: Context[None]) -> None:
    """Greet in the morning."""
    await ctx.tell(Address("a@example.org"), "greeting/said", day="day", more=False)
'''


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        (
            '", day="day"',
            '", dya="day"',
            28,
            "reply gives the template 'greeting/said' no 'day'; write day=...",
        ),
        ('"a@example.org"), "greeting/said", day="day"', '"b"), "greeting/said"', 37, "tell gives"),
        ('add("speak"', 'add("speek"', 31, "plugin 'greeting' has no job 'speek'; did you mean 'speak'?"),
        ("    await ctx.reply(", "    ctx.reply(", 28, "without await; write await ctx.reply(...)"),
        (
            '"""Greet in the morning."""',
            '"""Greet in the morning."""; await ctx.reply("greeting/said", day=1, more=2)',
            42,
            "schedule 'remind' of plugin 'greeting': nobody asked, so there is no ctx.reply; ctx.tell",
        ),
        (
            '"""Greet in the morning."""',
            '"""Greet in the morning."""; await ctx.files.count()',
            42,
            "nobody asked, so there is no ctx.files.count; ctx.room_files are",
        ),
    ],
)
def test_what_would_fail_when_it_runs_is_told(
    call: Call, write: Write, old: str, new: str, line: int, says: str
) -> None:
    file = write("greeting.py", USES)
    assert call("check", str(file)).output == "fine\n"
    file.write_text(USES.replace(old, new, 1))
    [finding] = call("check", str(file)).output.splitlines()
    assert finding.startswith(f"{file}, line {line}: ")
    assert says in finding
