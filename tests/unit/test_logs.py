"""Logs: one line for each record, and no view into the stream where the password is."""

import json
import logging
import warnings
from collections.abc import Iterator

import pytest
from slixmpp import Message

from filebot import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    names = (
        None,
        "slixmpp",
        "filebot",
        "plugins",
        "filebot_plugins",
        "filebot_local_plugins",
        "sqlalchemy",
    )
    loggers = [logging.getLogger(name) for name in (*names, "alembic.runtime.plugins")]
    handlers, levels = loggers[0].handlers[:], [each.level for each in loggers]
    logging.getLogger("slixmpp").setLevel(logging.NOTSET)  # `filebot check` of another test silences it
    yield
    logging.captureWarnings(capture=False)
    loggers[0].handlers[:] = handlers
    for each, level in zip(loggers, levels, strict=True):
        each.setLevel(level)


def fail() -> None:
    try:
        int("a\nb")
    except ValueError:
        logging.getLogger("test").exception("it \x1b[31m %s", "broke\nFAKE line")


def test_a_text_record_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info")
    fail()
    (line,) = capsys.readouterr().err.splitlines()
    assert "ERROR    test: it \\x1b[31m broke\\nFAKE line" in line
    assert "ValueError" in line


def test_a_json_record_is_one_object_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info", "json")
    fail()
    (line,) = capsys.readouterr().err.splitlines()
    record = json.loads(line)
    assert (record["level"], record["logger"]) == ("error", "test")
    assert record["message"] == "it \x1b[31m broke\nFAKE line"
    assert record["time"].endswith("+00:00")
    assert "ValueError" in record["traceback"]


def test_the_stream_of_slixmpp_is_never_shown(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("debug")
    logging.getLogger("slixmpp.xmlstream.xmlstream").debug("SEND: <auth>hunter2</auth>")
    logging.getLogger("filebot").debug("shown")
    logging.getLogger("slixmpp.xmlstream").info("shown as well")
    logged = capsys.readouterr().err
    assert "hunter2" not in logged
    assert logged.count("shown") == 2


@pytest.mark.parametrize("library", ["aiosqlite", "aiohttp.client", "asyncio", "sqlalchemy.engine.Engine"])
def test_of_libraries_nothing_is_shown_that_is_for_debugging(
    library: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up("debug")
    logging.getLogger(library).debug("executing INSERT %s", ("hunter2",))
    assert not logging.getLogger(library).isEnabledFor(logging.DEBUG)
    logging.getLogger("filebot_local_plugins.mine").debug("of a plugin")
    logged = capsys.readouterr().err
    assert "hunter2" not in logged
    assert "of a plugin" in logged


def test_values_of_statements_are_shown_at_no_level(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("debug")
    logging.getLogger("sqlalchemy.engine.Engine").info("[generated in 0.1s] %r", ("hunter2",))
    assert capsys.readouterr().err == ""


def test_stanzas_and_bytes_are_left_out_of_what_libraries_complain_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.set_up("debug")
    slixmpp, message = logging.getLogger("slixmpp.xmlstream.xmlstream"), Message()  # type: ignore[no-untyped-call]
    message["body"] = "hunter2"
    slixmpp.error("Parse error: %r", b"<body>hunter2</body>")
    slixmpp.error("Request timed out: %s", message)
    slixmpp.error("Unable to parse stanza: %s,\n%s", "no reason", message.xml)
    logged = capsys.readouterr().err
    assert "hunter2" not in logged
    assert "Parse error: '<20 bytes>'" in logged
    assert "timed out: <Message>" in logged


def test_less_important_records_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("warning")
    logging.getLogger("slixmpp").info("no")
    logging.getLogger("filebot").info("no")
    assert capsys.readouterr().err == ""


def test_warnings_of_python_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old thing", stacklevel=1)
    (line,) = capsys.readouterr().err.splitlines()
    assert "old thing" in line
