"""The configuration: what holds, what does not, and that every mistake is told at once with its place."""

import dataclasses
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filebot.adapters import AVATAR, profile
from filebot.config import Config, load
from filebot.errors import ConfigError
from filebot.plugin_loader import load as plugins_of
from filebot.replies import Replies

CERTIFICATE = Path(__file__).parents[1] / "transfer/http/localhost.pem"
ACCOUNT = '[xmpp]\njid = "bot@example.org"\npassword = "hunter2"\n'


def written(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    file = folder / "config.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    file.chmod(mode)
    return file


def config(folder: Path, text: str, **environ: str) -> Config:
    return load(written(folder, text), environ)


def mistakes(folder: Path, text: str | bytes, mode: int = 0o600) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text, mode), {})
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert all(len(mistake.splitlines()) == 1 for mistake in caught.value.mistakes)
    return caught.value.mistakes


def mistake(folder: Path, text: str) -> str:
    (only,) = mistakes(folder, text)
    return only


# --- what holds --------------------------------------------------------------------------------


def test_an_address_and_a_password_are_enough(tmp_path: Path) -> None:
    found = config(tmp_path, ACCOUNT)
    assert found.xmpp.jid == "bot@example.org"
    assert found.xmpp.password.get_secret_value() == "hunter2"
    assert (found.xmpp.mode, found.xmpp.host, found.xmpp.port, found.xmpp.nick) == (
        "client",
        None,
        None,
        "filebot",
    )
    assert found.data_dir == tmp_path / "data"
    assert found.access.allow == ("*@example.org",)
    assert (found.limits.max_file_size, found.limits.quota_per_user) == (10**9, 10**10)
    assert (found.limits.total, found.limits.idle_timeout) == (10**11, 60.0)
    assert not found.network.allow_insecure
    assert not found.network.allow_private
    assert found.plugins.settings == {}


def test_the_password_shows_in_no_text_of_the_config(tmp_path: Path) -> None:
    assert "hunter2" not in repr(config(tmp_path, ACCOUNT)) + str(config(tmp_path, ACCOUNT).model_dump())


def test_a_config_does_not_change(tmp_path: Path) -> None:
    found = config(tmp_path, ACCOUNT)
    with pytest.raises(ValueError, match="frozen"):
        found.limits.total = 1  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("written_size", "size_bytes"),
    [('"500 MB"', 500_000_000), ('"1 GiB"', 2**30), ("1234", 1234), ('"1.5 kB"', 1500)],
)
def test_sizes_are_read_as_people_write_them(tmp_path: Path, written_size: str, size_bytes: int) -> None:
    found = config(tmp_path, ACCOUNT + f"[limits]\nmax_file_size = {written_size}\n")
    assert found.limits.max_file_size == size_bytes


@pytest.mark.parametrize(
    ("span", "seconds"),
    [('"90 s"', 90.0), ('"30 days"', 2_592_000.0), ("5", 5.0), ("1.5", 1.5), ('"1:30"', 90.0)],
)
def test_spans_are_read_as_people_write_them(tmp_path: Path, span: str, seconds: float) -> None:
    found = config(tmp_path, ACCOUNT + f"[limits]\nidle_timeout = {span}\n")
    assert found.limits.idle_timeout == seconds
    assert isinstance(found.limits.idle_timeout, float)


@pytest.mark.parametrize(
    ("jid", "allow"),
    [
        ("files.example.org", "*@example.org"),
        ("Bot@files.Example.org", "*@example.org"),
        ("files", "*@files"),
    ],
)
def test_a_component_serves_the_parent_domain(tmp_path: Path, jid: str, allow: str) -> None:
    text = f'[xmpp]\njid = "{jid}"\npassword = "x"\nmode = "component"\nhost = "::1"\nport = 5347\n'
    found = config(tmp_path, text)
    assert found.access.allow == (allow,)
    assert found.xmpp.jid == jid.lower()


def test_an_empty_list_of_the_allowed_stays_empty(tmp_path: Path) -> None:
    assert config(tmp_path, ACCOUNT + "[access]\nallow = []\n").access.allow == ()


def test_addresses_are_compared_in_lower_case(tmp_path: Path) -> None:
    text = ACCOUNT + '[access]\nadmins = ["Alice@Example.ORG"]\ndeny = ["*@SPAM.example"]\n'
    found = config(tmp_path, text + '[rooms]\njoin = ["Team@conference.example.org"]\n')
    assert found.access.admins == ("alice@example.org",)
    assert found.access.deny == ("*@spam.example",)
    assert found.rooms.join == ("team@conference.example.org",)


def test_relative_paths_begin_at_the_config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "more").mkdir()
    shutil.copy(CERTIFICATE, tmp_path / "ca.pem")
    written(tmp_path, f'data_dir = "/srv/f"\n{ACCOUNT}ca_file = "ca.pem"\n[plugins]\npaths = ["more"]\n')
    monkeypatch.chdir(tmp_path)
    found = load(Path("config.toml"), {})
    assert found.data_dir == Path("/srv/f")
    assert found.xmpp.ca_file == tmp_path / "ca.pem"
    assert found.plugins.paths == (tmp_path / "more",)


def test_no_folder_of_templates_is_written_as_an_empty_text(tmp_path: Path) -> None:
    assert config(tmp_path, ACCOUNT + '[replies]\ntemplates = ""\n').replies.templates is None


def test_a_picture_is_a_file_beside_the_config_or_one_of_two_words(tmp_path: Path) -> None:
    shutil.copy(AVATAR, tmp_path / "me.png")
    found = config(tmp_path, ACCOUNT + '[bot]\nname = "Filo"\navatar = "me.png"\n')
    assert found.bot.avatar == tmp_path / "me.png"
    shown = profile(found)
    assert (shown.name, shown.replaces_picture) == ("Filo", True)
    assert shown.picture is not None
    assert not profile(config(tmp_path, ACCOUNT)).replaces_picture, "nobody asked for ours"
    assert profile(config(tmp_path, ACCOUNT)).name == "filebot"
    assert profile(config(tmp_path, ACCOUNT + '[bot]\navatar = ""\n')).picture is None


@pytest.mark.parametrize(
    ("avatar", "reason"),
    [
        ('"none.png"', "there is no file"),
        ('"big.png"', "up to 65536"),
        ('"odd.svg"', "is neither a PNG nor a JPEG"),
        ("3", "must be a path"),
    ],
)
def test_a_picture_that_cannot_be_shown_is_a_mistake(tmp_path: Path, avatar: str, reason: str) -> None:
    (tmp_path / "big.png").write_bytes(AVATAR.read_bytes() + bytes(65_536))
    (tmp_path / "odd.svg").write_text("<svg/>")
    with pytest.raises(ConfigError) as caught:
        config(tmp_path, f"{ACCOUNT}[bot]\navatar = {avatar}\n")
    [mistake] = caught.value.mistakes
    assert mistake.startswith("config.toml line 5: bot.avatar: ")
    assert reason in mistake


def test_tables_of_plugins_are_handed_on_as_they_are(tmp_path: Path) -> None:
    found = config(tmp_path, ACCOUNT + '[plugins]\ndisabled = ["a"]\n[plugins.quota]\nwarn_at = 0.5\n')
    assert found.plugins.settings == {"quota": {"warn_at": 0.5}}
    assert found.plugins.disabled == ("a",)


def test_mistakes_that_plugins_find_get_their_line(tmp_path: Path) -> None:
    found = config(tmp_path, ACCOUNT + "[plugins.quota]\nwarn_at = 7\n")
    located = found.located(ConfigError(("plugins.quota.warn_at: too high", "plugins.quota.x: no", "odd")))
    assert located.mistakes == (
        "config.toml line 5: plugins.quota.warn_at: too high",
        "config.toml line 4: plugins.quota.x: no",
        "config.toml: odd",
    )
    assert found.located(located).mistakes == located.mistakes


# --- the password ------------------------------------------------------------------------------

JID = '[xmpp]\njid = "bot@example.org"\n'


def password_file(folder: Path, text: str = "hunter2\n", mode: int = 0o600) -> str:
    file = folder / "secret"
    file.write_text(text)
    file.chmod(mode)
    return JID + 'password_file = "secret"\n'


def test_the_password_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    found = config(tmp_path, password_file(tmp_path, "hunter2\r\nsecond line\n"))
    assert found.xmpp.password.get_secret_value() == "hunter2"


@pytest.mark.parametrize("text", [JID, ACCOUNT, JID + 'password_file = "nowhere"\n'])
def test_the_environment_counts_before_the_file(tmp_path: Path, text: str) -> None:
    found = config(tmp_path, text, FILEBOT_PASSWORD="from outside")
    assert found.xmpp.password.get_secret_value() == "from outside"


def test_without_a_password_all_three_ways_are_named(tmp_path: Path) -> None:
    told = mistake(tmp_path, JID)
    assert told.startswith("config.toml line 1: xmpp.password: missing")
    assert "password_file" in told
    assert "FILEBOT_PASSWORD" in told


def test_two_passwords_in_the_file_are_a_mistake(tmp_path: Path) -> None:
    password_file(tmp_path)
    told = mistake(tmp_path, ACCOUNT + 'password_file = "secret"\n')
    assert (
        told == "config.toml line 4: xmpp.password_file: password is there as well; remove one of the two"
    )


def test_a_config_with_a_password_is_closed_to_others(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, ACCOUNT, 0o644)
    assert told.startswith("config.toml line 3: xmpp.password: other users")
    assert told.endswith("chmod 600 config.toml")
    load(written(tmp_path, ACCOUNT, 0o640), {})
    load(written(tmp_path, JID, 0o644), {"FILEBOT_PASSWORD": "x"})


def test_a_password_file_is_closed_to_others(tmp_path: Path) -> None:
    told = mistake(tmp_path, password_file(tmp_path, mode=0o644))
    assert "line 3: xmpp.password_file: other users" in told
    assert "chmod 600" in told


def test_a_password_file_that_is_of_no_use_is_told_once(tmp_path: Path) -> None:
    assert "cannot be read" in mistake(tmp_path, JID + 'password_file = "nowhere"\n')
    assert "cannot be read" in mistake(tmp_path, JID + 'password_file = "."\n')
    assert "unknown user" in mistake(tmp_path, JID + 'password_file = "~nobody-here/x"\n')
    assert "must be a path" in mistake(tmp_path, JID + 'password_file = ""\n')
    assert "empty first line" in mistake(tmp_path, password_file(tmp_path, "\nhunter2"))


@pytest.mark.parametrize("value", ["12345", "true", '""', '["hunter2"]', "{a = 'hunter2'}"])
def test_a_password_is_a_text(tmp_path: Path, value: str) -> None:
    assert mistake(tmp_path, JID + f"password = {value}\n").startswith(
        "config.toml line 3: xmpp.password: "
    )


# --- mistakes ----------------------------------------------------------------------------------


def test_every_mistake_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    told = mistakes(
        tmp_path,
        """data_dri = "x"
[xmpp]
jid = "bot@@example.org"
prot = 5222
password = "hunter2"
port = "5222"
mode = "clinet"
[rooms]
join = [
    "team@conference.example.org",
    "team",
]
[limits]
idle_timeout = "soon"
max_file_size = "much"
[netwrok]
""",
    )
    assert [text.partition(";")[0] for text in told] == [
        "config.toml line 1: data_dri: unknown key",
        'config.toml line 3: xmpp.jid: "bot@@example.org" is not an address',
        "config.toml line 4: xmpp.prot: unknown key",
        "config.toml line 6: xmpp.port: must be a whole number, without quotes",
        "config.toml line 7: xmpp.mode: must be 'client' or 'component'",
        'config.toml line 11: rooms.join[2]: "team" is not an address',
        "config.toml line 14: limits.idle_timeout: must be a span of time up to ten years",
        "config.toml line 15: limits.max_file_size: must be a size",
        "config.toml line 16: netwrok: unknown key",
    ]
    assert told[0].endswith('did you mean "data_dir"?')
    assert told[2].endswith('did you mean "port"?')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[rooms]\ncommand_prefix = ''", "one to three signs"),
        ("[store]\nurl = 'disk'", "is no URL of a backend"),
        ("[store]\nurl = 'S3:x'", "is no URL of a backend"),
        ("[files]\nscanners = ['clamd: a']", "is no URL of a backend"),
        ("[rooms]\ncommand_prefix = 'bot'", "one to three signs"),
        ("[rooms]\ncommand_prefix = '! '", "one to three signs"),
        ("[rooms]\njoin = 'team@conference.example.org'", "must be a list"),
        ("[rooms]\njoin = ['team@conference.example.org/filebot']", "leave out the slash"),
        ("[rooms]\njoin = [5]", "must be text in quotes"),
        ("[access]\nallow = ['example.org']", "write it like *@example.org"),
        ("[access]\nallow = ['[ab]@example.org']", "brackets"),
        ("[access]\nadmins = ['a b@example.org']", "not an address"),
        ("[limits]\ntotal = 0", "above zero"),
        ("[limits]\ntotal = -1", "above zero"),
        ("[limits]\ntotal = true", "above zero"),
        ("[limits]\ntotal = '9 QB'", "500 MB"),
        ("[limits]\ntotal = '1,5 GB'", '"1.5 GB"'),
        ("[limits]\ntotal = '100%'", "must be a size"),
        ("[limits]\nidle_timeout = '1,5 h'", "span of time"),
        ("[limits]\ntotal = '99999999999 EiB'", "must be at most"),
        (f"[limits]\ntotal = '{'9' * 400} GB'", "must be a size"),
        ("[limits]\nidle_timeout = 0", "span of time"),
        ("[limits]\nidle_timeout = true", "span of time"),
        ("[limits]\nidle_timeout = nan", "span of time"),
        ("[limits]\nidle_timeout = '-3 s'", "span of time"),
        ("[limits]\nfiles_per_message = 0", "must be at least 1"),
        ("[limits]\ncommands_per_minute = 1.5", "whole number"),
        ("[network]\nallow_private = 'yes'", "true or false"),
        ("[network]\nallow_private = 1", "true or false"),
        ("[replies]\nlanguage = 'Klingon!'", "not a language"),
        ("[replies]\ntemplates = 'nowhere'", "there is no folder"),
        ("[plugins]\npaths = ['nowhere']", "there is no folder"),
        ("[plugins]\ndisabeld = []", 'did you mean "disabled"?'),
        ("[plugins]\nfiles = 3", "[plugins.files]"),
        ("[limits]\njid = 'x'", "belongs into the table [xmpp]"),
        ("[limits]\ndata_dir = 'x'", "belongs above all tables"),
        ("[limits]\nqwertyuiop = 1", "use one of: max_file_size"),
        ('[limits]\n"a\\nb" = 1', 'limits."a b": unknown key'),
        ("access = 3", "must be a table"),
        ("plugins = []", "must be a table"),
        ("data_dir = ''", "must be a path"),
        ("data_dir = 5", "must be a path"),
        ("data_dir = '~nobody-here/x'", "unknown user"),
        ('data_dir = "a\\u0000b"', "must be a path"),
    ],
)
def test_what_does_not_hold_is_told_with_a_remedy(tmp_path: Path, text: str, words: str) -> None:
    top, table = (text, "") if not text.startswith("[") else ("", text)
    assert words in mistake(tmp_path, f"{top}\n{ACCOUNT}\n{table}\n")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('jid = "example.org"', 'write it like bot@example.org, or set mode = "component"'),
        ('jid = "bot@example.org/home"', "leave out the slash"),
        ('jid = ""', "not a domain"),
        ('jid = "bot@example.org"\nport = 5222', "port is of no use without host"),
        ('jid = "files.example.org"\nmode = "component"', "add both"),
        ('jid = "files.example.org"\nmode = "component"\nport = 5347', "add both"),
        ('jid = "bot@example.org"\nhost = "a b"', "not a host"),
        ('jid = "bot@a..example"', "is not an address"),
        (f'jid = "bot@{"a" * 64}.example"', "is not an address"),
        ('jid = "bot@example.org"\nhost = "a..example"', "not a host"),
        ('jid = "bot@example.org"\nhost = "."', "not a host"),
        ('jid = "bot@example.org"\nhost = "h"\nport = 0', "must be at least 1"),
        ('jid = "bot@example.org"\nhost = "h"\nport = 65536', "must be at most 65535"),
        ('jid = "bot@example.org"\nca_file = "no.pem"', "there is no file"),
        ('jid = "bot@example.org"\nca_file = "' + "x" * 5000 + '"', "there is no file"),
        ('jid = "bot@example.org"\nca_file = "config.toml"', "holds no certificate; name a PEM file"),
        ('jid = "bot@example.org"\nnick = " a"', "one to 64 characters"),
        ("", "xmpp.jid: missing; add it"),
    ],
)
def test_what_does_not_hold_of_the_account_is_told_with_a_remedy(
    tmp_path: Path, lines: str, words: str
) -> None:
    assert words in mistake(tmp_path, f'[xmpp]\npassword = "hunter2"\n{lines}\n')


def test_an_empty_file_lacks_an_account(tmp_path: Path) -> None:
    assert [text.partition(";")[0] for text in mistakes(tmp_path, "")] == [
        "config.toml: xmpp.jid: missing",
        "config.toml: xmpp.password: missing",
    ]


def test_text_that_is_not_toml_is_told_with_its_line(tmp_path: Path) -> None:
    told = mistake(tmp_path, "\n[xmpp]\njid = bot@example.org\npassword = 'hunter2'\n")
    assert told.startswith("config.toml line 3: is not TOML: ")
    assert mistake(tmp_path, 'a = """').startswith("config.toml: is not TOML: ")


@pytest.mark.parametrize("text", ["a = " + "9" * 5_000, "a = " + "[" * 5_000])
def test_numbers_and_brackets_without_end_are_told(tmp_path: Path, text: str) -> None:
    assert mistake(tmp_path, text).startswith("config.toml: has ")


def test_what_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, b"\n\nnick = '\xff'\n")
    assert told == "config.toml line 3: is not UTF-8 text; save it as UTF-8"
    load(written(tmp_path, b"\xef\xbb\xbf" + ACCOUNT.encode()), {})


def test_a_file_that_is_not_there_or_not_a_config_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; filebot init"):
        load(tmp_path / "nowhere.toml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})
    assert "too large" in mistakes(tmp_path, b"#" * (2 << 20))[0]


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match="may not be read by this user"):
        load(tmp_path / "config.toml", {})


# --- anything ----------------------------------------------------------------------------------

values = st.recursive(
    st.sampled_from(
        ['"x"', "'bot@example.org'", "0", "-1", "1.5", "nan", "true", "1979-05-27", '"1 GiB"', '"~"']
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | inner.map(lambda item: f"{{ jid = {item} }}")
    ),
    max_leaves=4,
)
tables = ["", *Config.model_fields, "plugins.files", "nonsense"]
keys = sorted(
    {"odd", *(k for f in Config.model_fields.values() for k in getattr(f.annotation, "model_fields", ()))}
)
lines = st.one_of(
    st.sampled_from(tables[1:]).map(lambda name: f"[{name}]"),
    st.tuples(st.sampled_from([*keys, *tables[1:]]), values).map(" = ".join),
)


def outcome(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    told: tuple[str, ...] = ("",)
    try:
        load(path, {"FILEBOT_PASSWORD": "hunter2"})
    except ConfigError as error:
        told = error.mistakes
    assert told
    assert "hunter2" not in "".join(told)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config") / "config.toml"


@given(content=st.binary() | st.text().map(str.encode))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_are_a_config_or_a_list_of_mistakes(scratch: Path, content: bytes) -> None:
    outcome(scratch, content)


@given(content=st.lists(lines, max_size=8, unique_by=lambda line: line.partition(" =")[0]).map("\n".join))
@settings(deadline=None)
def test_any_toml_is_a_config_or_a_list_of_mistakes(scratch: Path, content: str) -> None:
    outcome(scratch, content.encode())


# --- the example -------------------------------------------------------------------------------

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"
WITHOUT_DEFAULT = {
    "xmpp": {"jid", "password", "password_file", "host", "port", "ca_file"},
    "access": {"allow"},
    "bot": {"name"},
}


def live() -> str:
    """The example with the marks removed from its commented-out keys and tables."""
    return re.sub(r"(?m)^#(?=[a-z_]+ = |\[)", "", EXAMPLE.read_text())


def shown() -> dict[str, Any]:
    return tomllib.loads(live())


def test_the_example_has_every_key_of_the_code_and_no_other() -> None:
    example = shown()
    assert example.keys() == Config.model_fields.keys()
    for name, table in example.items():
        if isinstance(table, dict):
            known = Config.model_fields[name].annotation.model_fields.keys()  # type: ignore[union-attr]
            assert {key for key in table if not isinstance(table[key], dict)} == known, name


def all_live(folder: Path) -> Config:
    """Everything of the example in use, but for one of the two passwords."""
    shutil.copy(CERTIFICATE, folder / "cert.pem")
    return config(folder, live().replace("password_file = ", "#"))


def test_the_example_loads_as_it_is_and_with_all_keys_live(tmp_path: Path) -> None:
    assert config(tmp_path, EXAMPLE.read_text()).xmpp.port is None
    assert all_live(tmp_path).xmpp.port == 5222


def test_the_defaults_in_the_example_are_those_of_the_code(tmp_path: Path) -> None:
    example, code = all_live(tmp_path), config(tmp_path, ACCOUNT)
    assert example.data_dir == code.data_dir
    assert example.access.allow == code.access.allow
    for name, table in shown().items():
        keys = table.keys() - WITHOUT_DEFAULT.get(name, set()) if isinstance(table, dict) else ()
        for key in keys:
            if not isinstance(table[key], dict):
                ours, theirs = getattr(getattr(code, name), key), getattr(getattr(example, name), key)
                assert ours == theirs, f"{name}.{key}"


def test_the_example_has_every_setting_of_the_bundled_plugins_with_its_default() -> None:
    tables = {name: table for name, table in shown()["plugins"].items() if isinstance(table, dict)}
    for loaded in plugins_of({}, Replies()):
        if loaded.plugin.settings is not None:
            defaults = dataclasses.asdict(loaded.plugin.settings())
            assert tables.pop(loaded.plugin.name) == defaults, loaded.plugin.name
    assert tables == {}
