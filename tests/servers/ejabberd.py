"""A private, throw-away ejabberd, for the tests only.

It runs in an Erlang that is not a distributed node: without a node name, a cookie or an ``epmd``, so that
it cannot clash with another one or leave a process behind. ``ejabberdctl`` would need all of these, and a
second for each account, so a script inside Erlang makes the accounts instead (``_SCRIPT``).
"""

import os
import re
import shutil
from asyncio.subprocess import Process
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from subprocess import PIPE
from typing import ClassVar, Final

from filebot.localserver.server import HOST, Server
from tests.servers.ejabberd_config import ejabberd_config

_EBIN: Final = "ejabberd-*/ebin/ejabberd.app"

# The script shuts down cleanly as soon as its standard input is closed; on SIGTERM, Erlang takes two
# seconds. Since the kernel closes the pipe when our process dies, ejabberd also ends then.
_SCRIPT: Final = """\
{{ok, _}} = application:ensure_all_started(ejabberd).
lists:foreach(
    fun({{User, Password}}) ->
        case ejabberd_auth:try_register(User, <<"{host}">>, Password) of
            ok -> ok;
            {{error, exists}} -> ok = ejabberd_auth:set_password(User, <<"{host}">>, Password)
        end
    end,
    [{accounts}]).
lists:foreach(
    fun({{User, Friend}}) ->
        Host = <<"{host}">>,
        Jid = {{Friend, Host, <<>>}},
        {{atomic, _}} = mod_roster:set_roster(
            {{roster, {{User, Host, Jid}}, {{User, Host}}, Jid, <<>>, both, none, [], <<>>, []}})
    end,
    [{friends}]).
xmpp:set_config([{{debug, {logs_stanzas}}}]).
spawn(
    fun() ->
        (fun Repeat() ->
            timer:sleep({sync_ms}),
            lists:foreach(fun dets:sync/1, [roster, roster_version]),
            Repeat()
        end)()
    end).
logger:notice("{ready}").
spawn(
    fun() ->
        io:get_line(""),
        application:stop(ejabberd),
        application:stop(mnesia),
        erlang:halt(0)
    end).
"""
_SYNC_MS: Final = 100
"""How often rosters are written to the disk. Left alone, Mnesia's dets tables keep changes in memory for up
to three minutes, and a killed ejabberd forgets subscriptions that everybody else knows of."""
_READY: Final = "Everybody may come in"

# The schedulers do not spin while they wait, to leave the processor to other tests.
_ERLANG: Final = (
    "-noshell",
    *("+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"),
    *("-ejabberd", "quiet", "true"),
)


_SENT: Final = re.compile(rb"\) Send XML on stream = <<(.*?)>>\n", re.DOTALL)
_ESCAPED: Final = re.compile(rb"\\\\(.)", re.DOTALL)
_CONTROLS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class Ejabberd(Server):
    """ejabberd 23.01, as Debian 12 packages it; it starts in about a second and a half."""

    name = "ejabberd"
    package = "ejabberd"
    _stdin: ClassVar[int] = PIPE

    def _component_port(self, domain: str) -> int:
        # ejabberd may deliver a stanza to any component of a port, so each domain has a port of its own.
        return self._ports_by_component[domain]

    @classmethod
    def installed(cls) -> bool:
        return _library() is not None and shutil.which("erl") is not None

    def sent(self, since: int = 0) -> Iterator[str]:
        with self.log_file.open("rb") as log:
            log.seek(since)
            for match in _SENT.finditer(log.read()):
                yield _binary(match[1]).decode(errors="replace")

    def _command(self) -> Sequence[str | Path]:
        spool, script = self.folder / "spool", self.folder / "start.erl"
        return (
            *("erl", *_ERLANG),
            *("-mnesia", "dir", f'"{spool}"'),
            *("-eval", f'ok = file:eval("{script}")'),
        )

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.folder),
            "ERL_LIBS": str(_library()),
            "ERL_CRASH_DUMP_BYTES": "0",
            "EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(self.log_file),
        }

    def _ask_to_end(self, process: Process) -> None:
        assert process.stdin is not None
        process.stdin.close()

    def _listens(self, said: bytes) -> bool:
        return _READY.encode() in said

    def _write_files(self, certificate: Path, key: Path) -> None:
        config = ejabberd_config(
            self.folder,
            self.place,
            self._ports,
            certificate=certificate,
            key=key,
            upload_limit_bytes=self._upload_limit_bytes,
            components=self._secrets,
            component_ports=self._ports_by_component,
            client_kb_per_s=self._client_kb_per_s,
            client_stanza_bytes=self._client_stanza_bytes,
            websockets=self._websockets,
        )
        (self.folder / "ejabberd.yml").write_text(config)
        friends = [(one, other) for one in self.users for other in self.users if one != other]
        script = _SCRIPT.format(
            host=HOST,
            accounts=_pairs(self._passwords.items()),
            friends=_pairs(friends if self._acquainted else ()),
            # The log level "debug" would log stanzas, too, but so much else that the server gets slow.
            logs_stanzas=str(self._logs_stanzas).lower(),
            ready=_READY,
            sync_ms=_SYNC_MS,
        )
        (self.folder / "start.erl").write_text(script)


def _binary(literal: bytes) -> bytes:
    """Return the bytes that Erlang wrote between << and >>, as a text or as numbers."""
    if literal.startswith(b'"'):
        text = literal[1:].removesuffix(b'"')
        return _ESCAPED.sub(lambda match: _CONTROLS.get(match[1], match[1]), text)
    return bytes(int(each) for each in literal.split(b","))


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the pairs in Erlang's notation."""
    return ", ".join(f'{{<<"{one}">>, <<"{other}">>}}' for one, other in pairs)


def _library() -> Path | None:
    """Return the folder of Erlang's libraries with ejabberd; None if it is not installed."""
    found = next(Path("/usr/lib").glob(f"*/{_EBIN}"), None)
    return found.parents[2] if found else None
