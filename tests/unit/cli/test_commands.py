"""The command line: what it writes, what it says, and with which code it leaves."""

import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

import filebot
from filebot import __version__, logs
from filebot.cli import main
from filebot.config import Config, load
from filebot.config.template import first_config
from filebot.errors import ConfigError, LoginFailed

ROOT = Path(__file__).parents[3]
OPTIONS = ["--jid", "bot@example.org", "--password", "hunter2"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FILEBOT_PASSWORD", raising=False)
    monkeypatch.setattr(logs, "set_up", lambda *_: None)


@pytest.fixture
def config() -> Path:
    assert call("init", *OPTIONS).exit_code == 0
    return Path("config.toml")


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Takes the place of the composition root."""
    fake = SimpleNamespace()
    monkeypatch.setattr(filebot, "app", fake, raising=False)
    return fake


def call(*words: str, answers: str = "") -> Result:
    return CliRunner().invoke(main, list(words), input=answers)


def process(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "filebot", *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# --- init --------------------------------------------------------------------------------------


def test_init_asks_and_writes_a_config_for_the_owner_only(tmp_path: Path) -> None:
    answers = "nonsense\nBot@example.org\nhunter2\nalice@example.org, bob@example.org\n"
    result = call("init", answers=answers)
    assert result.exit_code == 0, result.output
    assert "hunter2" not in result.output
    assert "is not" in result.output
    assert "filebot check --config config.toml" in result.output
    assert stat.S_IMODE(Path("config.toml").stat().st_mode) == 0o600
    written = load(Path("config.toml"), {})
    assert written.xmpp.jid == "bot@example.org"
    assert written.xmpp.password.get_secret_value() == "hunter2"
    assert written.access.admins == ("alice@example.org", "bob@example.org")
    assert [file.name for file in tmp_path.iterdir()] == ["config.toml"]


def test_init_asks_nothing_when_all_is_given(config: Path) -> None:
    assert load(config, {}).access.admins == ()


def test_init_refers_to_a_file_with_the_password(tmp_path: Path) -> None:
    Path("secret").write_text("hunter2\n")
    Path("secret").chmod(0o600)
    Path("etc").mkdir()
    words = ("--config", "etc/bot.toml", "--jid", "bot@example.org", "--password-file", "secret")
    assert call("init", *words, "--admin", "a@b.c", "--admin", "d@e.f").exit_code == 0
    written = load(Path("etc/bot.toml"), {})
    assert written.xmpp.password.get_secret_value() == "hunter2"
    assert written.xmpp.password_file == tmp_path / "secret"
    assert written.access.admins == ("a@b.c", "d@e.f")


def test_init_puts_the_data_where_it_is_told(config: Path, tmp_path: Path) -> None:
    assert load(config, {}).data_dir == tmp_path / "data"
    assert call("init", "--force", "--data-dir", "elsewhere", *OPTIONS).exit_code == 0
    assert load(config, {}).data_dir == tmp_path / "elsewhere"


def test_init_replaces_a_config_only_by_force(config: Path) -> None:
    before = config.read_text()
    result = call("init", "--jid", "other@example.org", "--password", "x")
    assert result.exit_code == 2
    assert "--force replaces it" in result.output
    assert config.read_text() == before
    assert call("init", "--jid", "other@example.org", "--password", "x", "--force").exit_code == 0
    assert load(config, {}).xmpp.jid == "other@example.org"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "nobody answers"),
        (["--jid", "bot@example.org"], "nobody answers"),
        (["--jid", "example.org", "--password", "x"], "write it like name@example.org"),
        ([*OPTIONS, "--admin", "a b"], "is not an address"),
        ([*OPTIONS, "--password-file", "x"], "two answers"),
        (["--nonsense"], "No such option"),
    ],
)
def test_init_without_a_person_says_what_is_missing(words: list[str], says: str) -> None:
    result = call("init", *words)
    assert result.exit_code == 2
    assert says in result.output
    assert not Path("config.toml").exists()


def test_init_where_nothing_can_be_written_leaves_with_1() -> None:
    result = call("init", "--config", "nowhere/config.toml", *OPTIONS)
    assert result.exit_code == 1
    assert "cannot be written" in result.output


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
@settings(deadline=None)
def test_any_password_survives_being_written(password: str) -> None:
    import tomllib

    text = first_config("bot@example.org", password, ())
    assert tomllib.loads(text)["xmpp"]["password"] == password


# --- check -------------------------------------------------------------------------------------


def test_check_offline_is_content_with_a_good_config(config: Path) -> None:
    result = call("check", "--offline")
    assert (result.exit_code, result.output) == (0, "config is fine\n")


def test_check_names_the_plugins_of_others(config: Path) -> None:
    Path("mine").mkdir(mode=0o700)
    Path("mine/words.py").write_text(
        'from filebot.plugin import Plugin\nplugin = Plugin[None]("words", api=1)\n'
    )
    Path("mine/words.py").chmod(0o600)
    with config.open("a") as file:
        file.write('\n[plugins]\npaths = ["mine"]\n')
    result = call("check", "--offline")
    assert result.output == "config is fine\nplugins that did not come with filebot: words\n"


def test_check_tells_every_mistake_and_leaves_with_2() -> None:
    Path("config.toml").write_text("[xmpp]\nprot = 1\n")
    result = call("check", "--offline")
    assert result.exit_code == 2
    assert [line.partition(";")[0] for line in result.output.splitlines()] == [
        "config.toml line 1: xmpp.jid: missing",
        "config.toml line 1: xmpp.password: missing",
        "config.toml line 2: xmpp.prot: unknown key",
    ]


def test_check_looks_into_plugins_and_templates(config: Path) -> None:
    Path("words/errors").mkdir(parents=True)
    Path("words/errors/stranger.txt").write_text("{{")
    start = len(config.read_text().splitlines())
    more = '[replies]\ntemplates = "words"\n[plugins.files]\npgae_size = 1\n[plugins.nonsense]\n'
    config.write_text(config.read_text() + more)
    result = call("check", "--offline")
    assert result.exit_code == 2
    told = result.output
    assert f"config.toml line {start + 2}: replies.templates: " in told
    assert f"config.toml line {start + 4}: plugins.files.pgae_size: unknown key" in told
    assert f"config.toml line {start + 5}: plugins.nonsense: no plugin" in told


@pytest.mark.parametrize("command", [("check", "--offline"), ("check",), ("run",)])
@pytest.mark.parametrize("below", ["", "/data"])
def test_a_data_dir_that_cannot_be_written_is_a_mistake_in_the_config(
    config: Path, command: tuple[str, ...], below: str, tmp_path: Path
) -> None:
    (tmp_path / "taken").touch()
    config.write_text(config.read_text().replace('"data"', f'"taken{below}"'))
    result = call(*command)
    told = f"data_dir: {tmp_path}/taken{below} cannot be written: Not a directory; correct the path"
    assert result.exit_code == 2
    assert result.output == f"config.toml line 5: {told} or its rights\n"


BRAGS = 'print("I was run")\n'


OPEN_TO_OTHERS = ("config", "data", "plugins", "plugins/mine.py", "pyc", "above")


# Each starts a process. Both commands look at all of these in the same way.
@pytest.mark.parametrize(
    ("open_to_others", "command"),
    [
        *((place, "run") for place in OPEN_TO_OTHERS),
        ("config", "check"),
        *(pytest.param(place, "check", marks=pytest.mark.thorough) for place in OPEN_TO_OTHERS[1:]),
    ],
)
def test_what_others_can_write_is_refused_with_2_and_not_run(
    tmp_path: Path, command: str, open_to_others: str
) -> None:
    home = tmp_path / "home"
    for folder in ("data", "plugins/__pycache__"):
        (home / folder).mkdir(parents=True)
    config = home / "config.toml"
    text = first_config("bot@example.org", "hunter2", ())
    config.write_text(text + '[plugins]\npaths = ["plugins"]\n')
    config.chmod(0o600)
    (home / "plugins/mine.py").write_text(BRAGS)
    pyc = home / "plugins/__pycache__/mine.cpython-311.pyc"
    pyc.touch()
    place = {"config": config, "above": home, "pyc": pyc}.get(open_to_others, home / open_to_others)
    place.chmod(place.stat().st_mode | 0o020)
    options = ("--offline",) if command == "check" else ()
    ended = process(command, "--config", str(config), *options, folder=tmp_path)
    assert ended.returncode == 2
    assert "I was run" not in ended.stdout + ended.stderr
    (line,) = ended.stderr.splitlines()
    assert f"{place} can be written by others; run chmod go-w {place}" in line


def test_check_tells_of_each_plugin_that_run_would_leave_out(config: Path) -> None:
    Path("own").mkdir()
    Path("own/broken.py").write_text("def (")
    Path("own/ours.py").write_text("from filebot.plugin import Plugin\nplugin = Plugin('files', api=1)\n")
    config.write_text(config.read_text() + '[plugins]\npaths = ["own"]\n')
    result = call("check", "--offline")
    assert result.exit_code == 1
    broken, ours = result.output.splitlines()
    assert "/own/broken.py cannot be loaded: SyntaxError: " in broken
    assert "/own/ours.py cannot be loaded: there is a plugin 'files' already" in ours
    config.write_text(config.read_text() + "[plugins.nonsense]\n")
    result = call("check", "--offline")
    assert result.exit_code == 2
    assert result.output.splitlines()[1:] == [broken, ours]


def test_examining_a_config_makes_no_folder(config: Path, tmp_path: Path) -> None:
    assert call("check", "--offline").exit_code == 0
    assert list(tmp_path.iterdir()) == [tmp_path / config]


@pytest.mark.parametrize(("works", "code"), [(True, 0), (False, 1)])
@pytest.mark.usefixtures("config")
def test_check_shows_what_works(monkeypatch: pytest.MonkeyPatch, works: bool, code: int) -> None:
    async def probe(config: Config) -> list[tuple[str, bool, str]]:
        assert config.xmpp.jid == "bot@example.org"
        return [("disk", True, "12 GB free"), ("login", works, "as [bold]bot@example.org")]

    monkeypatch.setattr(filebot, "self_check", SimpleNamespace(probe=probe), raising=False)
    result = call("check")
    assert result.exit_code == code
    assert "✓ disk: 12 GB free\n" in result.output
    assert f"{'✓' if works else '✗'} login: as [bold]bot@example.org\n" in result.output


# --- fsck --------------------------------------------------------------------------------------


def test_fsck_of_a_folder_that_is_not_there_leaves_with_2(config: Path, tmp_path: Path) -> None:
    result = call("fsck")
    assert result.exit_code == 2
    assert f"data_dir: {tmp_path / 'data'} is not there" in result.output


@pytest.mark.parametrize("rate", ["fast", "0", "-1", "100 XB", "9" * 40])
def test_fsck_by_a_rate_that_is_no_size_leaves_with_2(config: Path, tmp_path: Path, rate: str) -> None:
    (tmp_path / "data").mkdir()
    result = call("fsck", "--rate", rate)
    assert result.exit_code == 2
    assert 'write it like "500 MB"' in result.output
    assert call("fsck", "--rate", "20 MB").exit_code == 0


# --- run and demo ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "code", "says"),
    [
        (None, 0, ""),
        (
            LoginFailed("not-authorized"),
            2,
            "refuses the account or its password (not-authorized); look at xmpp.jid and password\n",
        ),
        (ConfigError(("xmpp.jid: odd",)), 2, "line 8: xmpp.jid: odd"),
        (OSError("disk on fire"), 1, ""),
    ],
)
def test_run_leaves_with_the_code_of_what_happened(
    config: Path, app: SimpleNamespace, failure: Exception | None, code: int, says: str
) -> None:
    async def run(read: Config, read_config: Callable[[], Config]) -> int:
        assert read_config() == read
        if failure is not None:
            raise failure
        return 0

    app.run = run
    result = call("run", "--log-level", "debug")
    assert result.exit_code == code
    assert says in result.output
    assert "Traceback" not in result.output


def test_demo_leaves_with_the_code_of_the_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = list[Path]()

    def main(once: bool, plugins: tuple[Path, ...]) -> int:
        folders.extend(plugins)
        return 0 if once else 1

    fake = SimpleNamespace(main=main)
    monkeypatch.setitem(sys.modules, "filebot.demo", SimpleNamespace(conversation=fake))
    assert call("demo", "--once").exit_code == 0
    assert call("demo").exit_code == 1
    assert folders == []
    assert call("demo", "--once", "--plugins", ".").exit_code == 0
    assert folders == [Path.cwd()]


# --- as a process ------------------------------------------------------------------------------


def test_the_version_is_told(tmp_path: Path) -> None:
    done = process("--version", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"filebot {__version__}\n")


def test_a_wrong_command_line_leaves_with_2(tmp_path: Path) -> None:
    assert process("fly", folder=tmp_path).returncode == 2


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_wrong_config_leaves_with_2_and_speaks_on_stderr(tmp_path: Path, command: str) -> None:
    done = process(command, "--config", "nowhere.toml", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "nowhere.toml: there is no such file; filebot init writes one\n"
    assert done.stdout == ""
