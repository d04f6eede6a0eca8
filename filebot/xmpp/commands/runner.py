"""Ad-hoc commands (XEP-0050): requests in, answers out, and the work in between.

Clients give up a request after half a minute or less. A step that takes longer is answered by a note, with
``next`` to wait on; a result that comes while nobody waits goes as a message.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Final, Protocol
from xml.etree.ElementTree import Element

from filebot.concurrency.keyed_tasks import KeyedTasks
from filebot.concurrency.tasks import Tasks
from filebot.errors import BadForm, NotAllowed, TooManyRequests, UnknownCommand, WrongPlace
from filebot.model import Address, Form, FormAction, FormStep, Sender, Severity
from filebot.ports import CommandFill, CommandForms
from filebot.protocol.adhoc import (
    BAD_ACTION,
    BAD_PAYLOAD,
    COMMANDS,
    FORBIDDEN,
    NO_SUCH_COMMAND,
    CommandRefused,
    CommandRequest,
    Status,
    read_command,
    write_canceled,
    write_step,
)
from filebot.protocol.adhoc_sessions import (
    BUSY,
    CommandLimits,
    CommandSession,
    CommandSessions,
    Move,
    Party,
)
from filebot.protocol.data_form import filled_in, read_submission, table_text
from filebot.protocol.form_quirks import shows_tables
from filebot.protocol.stanza_error import StanzaError
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath, Request
from filebot.xmpp.handlers import COMMAND_AS_MESSAGE, COMMAND_LATE, Handlers
from filebot.xmpp.xml import language_of

log = logging.getLogger(__name__)

ANSWER_LIMIT_S: Final = 25.0
"""After it a request is answered although its step is still under way. Commands that know that they take
long say so themselves before."""
STEP_LIMIT_S: Final = 6 * 3600.0
"""A step is over by then: those who do the work have shorter limits, but for large files in-band."""
WORDS_LIMIT_S: Final = 3.0
SWEEP_S: Final = 60.0

LONGEST_ID: Final = 1024
"""Characters of an iq's id, which is kept until the answer."""

_ID_BYTES: Final = 16
_NOT_SERVED: Final = StanzaError("feature-not-implemented")
_STOPPING: Final = StanzaError("recipient-unavailable", "wait")
_FAILED: Final = StanzaError("internal-server-error")


class Says(Protocol):
    """Messenger for results whose client does not wait for them."""

    async def say(self, to: Address, text: str) -> str: ...


@dataclass(slots=True, eq=False)
class _Talk:
    """Driver's part of a session."""

    sender: Sender
    language: str | None
    fill: CommandFill | None = None
    request: Request | None = None
    """Request that waits for its answer."""
    timer: asyncio.TimerHandle | None = None

    def taken(self) -> Request | None:
        """Return the request that waits, for whoever answers it now."""
        request, self.request = self.request, None
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        return request


_Session = CommandSession[_Talk]


class CommandRunner:
    """Runs the commands of all clients. Each request has one answer, and none waits for another's."""

    def __init__(
        self,
        fast_path: IqFastPath,
        handlers: Handlers,
        asker: Callable[[Element], Sender | None],
        says: Says,
        limits: CommandLimits | None = None,
        *,
        is_there: Callable[[Sender], bool],
        software: Callable[[str], str] = lambda _: "",
    ) -> None:
        """``asker`` reads who sent an iq; None for nobody whom the bot answers. ``is_there`` tells whether
        the address of an asker is still theirs. ``software`` gives the node of a client's caps.
        """
        self._fast_path = fast_path
        self._handlers = handlers
        self._asker = asker
        self._says = says
        self._is_there = is_there
        self._software = software
        limits = limits or CommandLimits()
        self._sessions = CommandSessions[_Talk](limits, lambda: secrets.token_hex(_ID_BYTES))
        self._steps = KeyedTasks[str]()
        # For each session the words about one thing, or the end of its step.
        self._tasks = Tasks(2 * limits.total)
        self._sweeping: asyncio.TimerHandle | None = None
        fast_path.serve(f"{{{COMMANDS}}}command", self._take)

    async def close(self) -> None:
        """Answer all who wait, and end all that is under way."""
        for session in self._sessions:
            if (request := session.owned.taken()) is not None:
                self._fast_path.refuse(request, _STOPPING)
            self._sessions.end(session)
        if self._sweeping is not None:
            self._sweeping.cancel()
        await self._steps.close()
        await self._tasks.close()

    # --- requests -------------------------------------------------------------------------------

    def _take(self, request: Request) -> None:
        try:
            self._handle(request)
        except CommandRefused as refused:
            log.info("a command of %s is refused: %s", request.peer, refused)
            self._fast_path.refuse(request, refused.error)
        except Exception:
            log.exception("a command of %s could not be handled", request.peer)
            self._fast_path.refuse(request, _FAILED)

    def _handle(self, request: Request) -> None:
        """Raises CommandRefused."""
        commands, sender = self._handlers.commands, self._asker(request.stanza)
        if commands is None:
            raise CommandRefused(_NOT_SERVED)
        # Whoever has nothing but a nick cannot be told from the next one who has it.
        if sender is None or sender.identity is None:
            raise CommandRefused(FORBIDDEN)
        if len(request.stanza.get("id", "")) > LONGEST_ID:
            raise CommandRefused(StanzaError("bad-request", "modify"))
        command = read_command(request.payload)
        party = Party(sender.address.jid, sender.rate_key, sender.room)
        language = language_of(request.stanza)
        request = request.bare
        if command.session_id:
            session = self._sessions.find(party, command.node, command.session_id, self._now())
            self._go_on(session, request, command)
        elif command.action is not None:
            raise CommandRefused(BAD_ACTION)
        else:
            talk = _Talk(sender, command.language or language)
            session = self._sessions.begin(party, command.node, talk, self._now())
            self._watch()
            self._start(session, request, lambda: self._first(commands, session))

    def _go_on(self, session: _Session, request: Request, command: CommandRequest) -> None:
        """Raises CommandRefused."""
        move, step, fill = session.move(command.action), session.step, session.owned.fill
        if move is Move.CANCEL:
            self._cancel(session, request)
        elif move is Move.WAIT:
            self._sessions.wait(session)
            self._await(session, request)
        elif step is None or fill is None:
            raise CommandRefused(BAD_ACTION)
        elif move is Move.FETCH:
            self._sessions.fetched(session, self._now())
            self._background(request, self._give(session, request, step))
        elif command.form_number not in {None, str(session.number)}:
            # It came twice: a click too many, or a stanza that was sent again (XEP-0198). It says nothing
            # about what was asked since.
            self._background(request, self._give(session, request, step))
        elif move is Move.PREVIOUS:
            self._sessions.run(session, None, self._now())
            self._start(session, request, fill.previous)
        elif step.form is not None:
            self._submit(session, request, command, step.form, fill)

    def _submit(
        self, session: _Session, request: Request, command: CommandRequest, form: Form, fill: CommandFill
    ) -> None:
        try:
            values = read_submission(command.form, form)
        except BadForm as error:
            # Converse.js and Psi show nothing of an error: mistakes of a person are told beside the form.
            again = filled_in(command.form, form) if error.field else None
            self._background(request, self._refuse_form(session, request, error, again))
            return
        action = command.action or session.usual_action
        self._sessions.run(session, values, self._now())
        self._start(session, request, lambda: fill.take(action, values))

    def _cancel(self, session: _Session, request: Request) -> None:
        canceled, waiting = write_canceled(session.node, session.id), session.owned.taken()
        self._sessions.end(session)
        if waiting is not None:
            self._fast_path.answer(waiting, canceled)
        self._fast_path.answer(request, canceled)
        self._tasks.start(self._steps.stop(session.id), "cancelled command")

    async def _refuse_form(
        self, session: _Session, request: Request, error: BadForm, again: Form | None
    ) -> None:
        text = await self._words(session.owned, error)
        if again is None or session.step is None:
            self._refuse(session.owned, request, replace(BAD_PAYLOAD, text=text))
        else:
            step = replace(session.step, form=again, text=text, severity=Severity.ERROR)
            await self._give(session, request, step)

    # --- steps ----------------------------------------------------------------------------------

    async def _first(self, commands: CommandForms, session: _Session) -> FormStep:
        talk = session.owned
        talk.fill, step = await commands.begin(talk.sender, talk.language, session.node)
        return step

    def _start(self, session: _Session, request: Request, step: Callable[[], Awaitable[FormStep]]) -> None:
        if self._steps.start(session.id, self._do(session, step), f"command {session.node}"):
            self._await(session, request)
        else:
            self._sessions.end(session)
            self._fast_path.refuse(request, _STOPPING)

    def _await(self, session: _Session, request: Request) -> None:
        loop, talk = asyncio.get_running_loop(), session.owned
        talk.request = request
        talk.timer = loop.call_later(ANSWER_LIMIT_S, self._is_late, session, request)

    async def _do(self, session: _Session, step: Callable[[], Awaitable[FormStep]]) -> None:
        try:
            async with asyncio.timeout(STEP_LIMIT_S):
                came = await step()
            await self._came(session, came)
        except Exception as error:  # noqa: BLE001  # it is said, and logged where it is put into words
            await self._failed(session, error)

    async def _came(self, session: _Session, step: FormStep) -> None:
        if not self._sessions.is_open(session):
            return
        try:
            is_awaited = self._sessions.stepped(session, step, self._now())
        except CommandRefused as refused:
            raise TooManyRequests from refused  # there is no memory for it
        request = session.owned.taken()
        if is_awaited and request is not None:
            await self._give(session, request, step)
        elif step.is_over:
            await self._say(session, step)

    async def _failed(self, session: _Session, error: Exception) -> None:
        if not self._sessions.is_open(session):
            return
        text = await self._words(session.owned, error)
        request = session.owned.taken()
        self._sessions.end(session)
        if request is not None:
            self._refuse(session.owned, request, replace(_error_of(error), text=text))
        else:
            await self._say(session, FormStep(text))

    def _is_late(self, session: _Session, request: Request) -> None:
        if not self._background(request, self._tell_late(session, request)):
            session.owned.taken()
            self._sessions.late(session)

    async def _tell_late(self, session: _Session, request: Request) -> None:
        text, talk = await self._words(session.owned, COMMAND_LATE), session.owned
        if talk.request is request:  # else it was answered meanwhile
            talk.taken()
            self._sessions.late(session)
            note = FormStep(text, actions=(FormAction.NEXT,))
            self._answer(session, request, note, Status.EXECUTING)

    # --- answers --------------------------------------------------------------------------------

    async def _give(self, session: _Session, request: Request, step: FormStep) -> None:
        status = Status.COMPLETED if step.is_over else Status.EXECUTING
        if self._answer(session, request, step, status):
            return
        if step.is_over:
            note = FormStep(await self._words(session.owned, COMMAND_AS_MESSAGE), step.severity)
            self._answer(session, request, note, status)
            await self._say(session, step)
        else:
            log.error("a form of command %s is too large for a stanza", session.node)
            self._sessions.end(session)
            self._fast_path.refuse(request, StanzaError("resource-constraint"))

    def _answer(self, session: _Session, request: Request, step: FormStep, status: Status) -> bool:
        """Return whether it was small enough to be sent."""
        if not self._is_there(session.owned.sender):
            log.info("%s is not who asked any more; nothing is answered there", request.peer)
            return True
        # Which software somebody has who asks through a room is not known.
        software = "" if session.owned.sender.room else self._software(request.peer)
        if not shows_tables(software):
            step = replace(step, table=None)  # the text has all that is in it
        payload = write_step(session.node, session.id, step, status, software, number=session.number)
        if fits := self._fast_path.fits(request, payload):
            self._fast_path.answer(request, payload)
        return fits

    def _refuse(self, talk: _Talk, request: Request, error: StanzaError) -> None:
        """Refuse a request in words, which are for nobody else."""
        if self._is_there(talk.sender):
            self._fast_path.refuse(request, error)

    async def _say(self, session: _Session, step: FormStep) -> None:
        parts = (step.text, "" if step.table is None else table_text(step.table))
        text = "\n\n".join(filter(None, parts))
        try:
            if text:
                await self._says.say(session.owned.sender.address, text)
        except Exception:
            log.exception("the result of command %s was not said", session.node)

    async def _words(self, talk: _Talk, what: str | Exception) -> str:
        try:
            async with asyncio.timeout(WORDS_LIMIT_S):
                return await self._handlers.command_words(talk.sender, talk.language, what)
        except Exception:
            log.exception("no words for %r", what)
            return ""

    # --- inside ---------------------------------------------------------------------------------

    def _background(self, request: Request, work: Coroutine[None, None, None]) -> bool:
        """Answer a request in a task; return False if there is no place, and it is refused."""

        async def done() -> None:
            try:
                await work
            except Exception:
                log.exception("a command of %s could not be answered", request.peer)
                self._fast_path.refuse(request, _FAILED)

        if self._tasks.start(done(), "answer to a command"):
            return True
        work.close()
        self._fast_path.refuse(request, BUSY)
        return False

    def _watch(self) -> None:
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = None
        self._sessions.expire(self._now())
        if len(self._sessions):
            self._watch()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _error_of(error: Exception) -> StanzaError:
    if isinstance(error, UnknownCommand):
        return NO_SUCH_COMMAND
    if isinstance(error, NotAllowed | WrongPlace):
        return FORBIDDEN
    return BUSY if isinstance(error, TooManyRequests) else _FAILED
