"""Logs: one line for each record, and no view into the stream where the password is."""

import json
import logging
import warnings
from collections.abc import Iterator

import pytest

from filebot import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root, slixmpp = logging.getLogger(), logging.getLogger("slixmpp")
    handlers, levels = root.handlers[:], (root.level, slixmpp.level)
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    slixmpp.setLevel(levels[1])


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
