"""Addresses of buckets: what the operator wrote is understood or named, and no key is ever shown."""

from pathlib import Path

import pytest

from filebot.backends.loading import load_backends
from filebot.errors import ConfigError
from filebot.storage.s3.address import ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, Address, Keys, parse

ENVIRONMENT = {ACCESS_KEY: "key", SECRET_KEY: "hush-hush", SESSION_TOKEN: "guest"}
KEYS = Keys("key", "hush-hush", "guest")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("s3://files", Address("files", "", None, "us-east-1", KEYS)),
        ("s3://files/", Address("files", "", None, "us-east-1", KEYS)),
        (
            "s3://my-files.2/a/b_c/?region=eu-west-1",
            Address("my-files.2", "a/b_c", None, "eu-west-1", KEYS),
        ),
        (
            "s3://files/a?endpoint=https://s3.example.org:9000",
            Address("files", "a", "https://s3.example.org:9000", "us-east-1", KEYS),
        ),
        (
            "s3://files/a?endpoint=http%3A%2F%2F127.0.0.1%3A9000",
            Address("files", "a", "http://127.0.0.1:9000", "us-east-1", KEYS),
        ),
    ],
)
def test_an_address_is_read(url: str, address: Address) -> None:
    assert parse(url, ENVIRONMENT) == address


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("s3:", "names no bucket"),
        ("s3://", "names no bucket"),
        ("s3://A_b", "names no bucket"),
        ("s3://files:80/", "names no bucket"),
        ("s3://[", "no URL"),
        ("s3://key:hush-hush@files/", "keys do not belong"),
        ("s3://files/a/../b", "the prefix"),
        ("s3://files/a//b", "the prefix"),
        ("s3://files/ä", "the prefix"),
        ("s3://files?secret=hush-hush", "unknown option 'secret'"),
        ("s3://files?region", "no URL"),
        ("s3://files?region=a%20b", "the region"),
        ("s3://files?endpoint=ftp://example.org", "the endpoint is no URL"),
        ("s3://files?endpoint=https://", "the endpoint is no URL"),
        ("s3://files?endpoint=https://a:hush-hush@b", "the endpoint is no URL"),
        ("s3://files?endpoint=https://b:port", "the endpoint is no URL"),
        ("s3://files?endpoint=http://s3.example.org", "use https"),
        ("s3://files?credentials=keys", "whole path"),
        ("s3://files?credentials=/nowhere/keys", "cannot be read"),
    ],
)
def test_a_mistake_is_named_without_any_key(url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as raised:
        parse(url, ENVIRONMENT)
    assert "hush-hush" not in str(raised.value)
    assert str(raised.value).startswith("store.url: ")


@pytest.mark.parametrize("missing", [ACCESS_KEY, SECRET_KEY])
def test_without_keys_it_is_said_how_to_give_them(missing: str) -> None:
    environ = {name: value for name, value in ENVIRONMENT.items() if name != missing}
    with pytest.raises(ConfigError, match=f"no keys; set {ACCESS_KEY} and {SECRET_KEY}"):
        parse("s3://files", environ)


def test_keys_come_from_a_file_and_its_section(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(
        "[default]\naws_access_key_id = a\naws_secret_access_key = b%c\n"
        "[other]\naws_access_key_id = c\naws_secret_access_key = d\naws_session_token = e\n"
    )
    file.chmod(0o600)
    assert parse(f"s3://files?credentials={file}", {}).keys == Keys("a", "b%c")
    assert parse(f"s3://files?credentials={file}&profile=other", {}).keys == Keys("c", "d", "e")
    with pytest.raises(ConfigError, match=r"under \[third\]"):
        parse(f"s3://files?credentials={file}&profile=third", {})


@pytest.mark.parametrize(
    "text", ["", "hush-hush", "[default]\naws_access_key_id = a\n", "[default\n", "\xff"]
)
def test_a_file_without_keys_is_named_and_not_quoted(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys"
    file.write_bytes(text.encode("latin-1"))
    file.chmod(0o600)
    with pytest.raises(ConfigError, match=str(file)) as raised:
        parse(f"s3://files?credentials={file}", {})
    assert "hush-hush" not in str(raised.value)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        parse(f"s3://files?credentials={file}", {})


def test_secrets_are_masked_and_not_shown() -> None:
    assert KEYS.masked("a hush-hush for the guest") == "a *** for the ***"
    assert "hush-hush" not in repr(KEYS)
    assert "guest" not in repr(KEYS)


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in [name for name in sys.modules if name.startswith("filebot.storage.s3")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ConfigError, match=r'pip install "filebot\[s3\]"'):
        load_backends("s3://files")
