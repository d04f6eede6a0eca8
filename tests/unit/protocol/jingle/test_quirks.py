"""Each client that leaves the XEPs has its test, named by the words of the remark in the code."""

import ast
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

import filebot
from filebot.model import Method
from filebot.protocol.jingle.actions import Action, Jingle, JingleReason
from filebot.protocol.jingle.features import OWN_IN_BAND, OWN_SOCKS5, methods_of
from filebot.protocol.jingle.namespaces import IN_BAND, SOCKS5
from filebot.protocol.jingle.parameters import SessionLimits
from filebot.protocol.jingle.quirks import _BY_NODE, STANDARD, Quirks, quirks_of
from filebot.protocol.jingle.states import State
from filebot.protocol.jingle.transports import CandidateError, CandidateUsed, InBandTransport
from filebot.protocol.stanza_error import StanzaError
from tests.support.jingle_talk import DIRECT, THEIR_DIRECT, Talk, in_state, socks5
from tests.support.jingle_talk import IN_BAND as STREAM
from tests.support.jingle_world import candidate

PLACES = ("protocol/jingle", "xmpp/jingle")
TESTS = Path(__file__).parents[2]


# --- which remarks there are, and which tests name them -------------------------------------------------


def remarks() -> list[str]:
    """Return the text of each ``COMPAT`` comment about a client, without line breaks and backticks."""
    found = []
    for place in PLACES:
        for module in sorted((Path(filebot.__file__).parent / place).glob("*.py")):
            source = re.sub(r"\n\s*#?\s*", " ", module.read_text(encoding="utf-8")).replace("`", "")
            found += [source[match.end() :][:120] for match in re.finditer(r"\bCOMPAT\(", source)]
    return found


def named() -> list[str]:
    """Return the arguments of the tests' ``compat`` marks."""
    found = []
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                calls = (each for each in node.decorator_list if isinstance(each, ast.Call))
                marks = (each for each in calls if ast.unparse(each.func) == "pytest.mark.compat")
                found += [ast.literal_eval(argument) for mark in marks for argument in mark.args]
    return found


def test_every_remark_about_a_client_is_named_by_a_test() -> None:
    said = named()
    assert [each for each in remarks() if not any(each.startswith(words) for words in said)] == []


def test_tests_name_one_remark_each_and_none_that_is_not_there() -> None:
    there = remarks()
    assert len(there) > 15
    assert {
        words: n for words in named() if (n := sum(each.startswith(words) for each in there)) != 1
    } == {}


# --- the table ------------------------------------------------------------------------------------------


def test_what_nobody_said_is_as_the_xeps_have_it() -> None:
    assert Quirks() == STANDARD == quirks_of("") == quirks_of("https://unknown.example")
    talk = Talk(quirks=STANDARD)
    talk.session.offer()
    assert (talk.session.wait_s, talk.session.checksum_wait_s) == (SessionLimits().answer_s, 0.0)


@pytest.mark.parametrize("node", list(_BY_NODE))
@pytest.mark.parametrize("more", ["", "#", "/", "/#"])
def test_a_client_is_known_by_the_node_of_its_caps(node: str, more: str) -> None:
    assert quirks_of(node + more.rstrip("/").removeprefix("/")) is _BY_NODE[node]
    assert quirks_of(node) != STANDARD


def test_every_quirk_is_used_by_some_client() -> None:
    for field in fields(Quirks):
        others = {getattr(each, field.name) for each in _BY_NODE.values()} - {getattr(STANDARD, field.name)}
        assert others, field.name


@pytest.mark.compat("Dino, 0.4): as responder it rejects a transport-replace")
@pytest.mark.conformance(69)
@pytest.mark.parametrize("initiating", [True, False])
def test_with_dino_a_failed_transport_is_not_replaced(*, initiating: bool) -> None:
    talk = Talk(initiating=initiating, quirks=quirks_of("https://dino.im"))
    talk.begins()
    assert talk.dialled(None) == ["transport-info CandidateError"]
    ends = ["session-terminate connectivity-error", "ended connectivity-error"]
    assert talk.hears_notice(CandidateError()) == ["ok", *ends]


@pytest.mark.conformance(49)
@pytest.mark.parametrize(("node", "reason"), [("", "success"), ("https://dino.im", "timeout")])
def test_dino_always_says_when_it_has_a_file(node: str, reason: str) -> None:
    talk = in_state(State.FINISHING)
    talk.session.terms = replace(talk.session.terms, quirks=quirks_of(node))
    assert talk.expires() == [f"session-terminate {reason}", f"ended {reason}"]


@pytest.mark.compat("Gajim, 1.x): a connection to its candidates stays empty")
def test_gajim_is_told_late_that_its_candidates_are_of_no_use_and_not_waited_for_long() -> None:
    quirks = quirks_of("https://gajim.org")
    assert not quirks.candidates_work  # see to_dial
    talk = Talk(quirks=quirks)
    talk.session.offer()
    assert talk.session.wait_s == 45.0
    assert talk.begins() == ["dial"]
    assert talk.dialled(None) == ["transport-info CandidateError after 2 s"]
    used = Talk(quirks=quirks)
    used.begins()
    assert used.dialled(THEIR_DIRECT) == ["transport-info CandidateUsed theirs"]


@pytest.mark.compat("Conversations): says the hashes only after the data")
@pytest.mark.parametrize("node", ["http://conversations.im", "https://cheogram.com"])
def test_conversations_may_tell_its_hashes_after_the_data(node: str) -> None:
    assert Talk(initiating=False, quirks=quirks_of(node)).session.checksum_wait_s == 3.0


# --- what is done for everybody -------------------------------------------------------------------------


@pytest.mark.compat("Conversations): never says that it could not activate its proxy")
def test_a_proxy_of_the_peer_has_a_limit_and_then_the_next_transport_is_tried() -> None:
    talk = in_state(State.ACTIVATING)
    assert talk.session.wait_s == SessionLimits().activate_s == 30.0
    assert talk.expires() == ["transport-info ProxyError", "transport-replace spare 16384"]


@pytest.mark.compat("iris): waits as long for a received before it counts silence as success")
def test_silence_after_the_last_byte_is_success_in_the_end() -> None:
    talk = in_state(State.FINISHING)
    assert talk.session.wait_s == SessionLimits().finish_s == 30.0
    assert talk.expires()[-1] == "ended success"


@pytest.mark.compat("Conversations): begins in-band where it is missing")
def test_socks5_is_a_feature_of_its_own_beside_the_others() -> None:
    assert {SOCKS5} == OWN_SOCKS5
    assert SOCKS5 not in OWN_IN_BAND
    assert IN_BAND in OWN_IN_BAND
    assert methods_of(OWN_IN_BAND) == {Method.IBB}
    assert methods_of(OWN_IN_BAND | OWN_SOCKS5) == {Method.IBB, Method.SOCKS5}


@pytest.mark.compat("Dino): does it the other way round, which is why our priorities are")
@pytest.mark.conformance(57)
@pytest.mark.parametrize(("initiating", "said"), [(True, "flow DIALLED"), (False, "flow AWAITED")])
def test_ties_are_broken_as_the_xep_has_it_also_with_dino(said: str, *, initiating: bool) -> None:
    ours, theirs = candidate("ours", DIRECT, 5), candidate("theirs", DIRECT, 5)
    quirks = quirks_of("https://dino.im")
    talk = Talk(initiating=initiating, ours=socks5(ours), theirs=socks5(theirs), quirks=quirks)
    talk.begins()
    talk.dialled(theirs)
    assert talk.hears_notice(CandidateUsed("ours")) == ["ok", said]


@pytest.mark.compat("Dino): refuses activated if it is not yet ready for it")
def test_activated_is_said_again_to_who_was_not_ready() -> None:
    talk = in_state(State.ACTIVATING)
    told = talk.session.activated(well=True)[0]
    assert talk.words([told]) == ["transport-info Activated ours"]
    jingle = told.jingle  # type: ignore[union-attr]  # it is a Send
    again = talk.session.refused(jingle, StanzaError("bad-request"))
    assert talk.words(again) == ["transport-info Activated ours after 2 s"]
    assert talk.session.refused(jingle, StanzaError("bad-request")) == []


@pytest.mark.compat("Dino): refuses a transport-accept that it has asked for")
def test_a_transport_accept_that_is_refused_is_waited_out() -> None:
    talk = in_state(State.CHECKING, initiating=False)
    talk.hears(Action.TRANSPORT_REPLACE, InBandTransport("new", 4096))
    assert talk.session.refused(Jingle(Action.TRANSPORT_ACCEPT, "s"), StanzaError("bad-request")) == []
    assert talk.session.state is State.OPENING
    assert talk.words(talk.session.opened()) == ["flow IN_BAND"]


@pytest.mark.compat("Dino, Gajim): say so as soon as the last byte is sent")
def test_success_before_all_is_received_is_not_the_end() -> None:
    talk = in_state(State.FLOWING, initiating=False)
    assert talk.hears_end(JingleReason.SUCCESS) == ["ok"]
    assert talk.session.state is State.FLOWING
    assert talk.words(talk.session.stored()) == ["ended success"]


@pytest.mark.compat("Gajim, old): answers a transport-replace with a session-accept")
def test_a_session_accept_may_answer_a_replacement() -> None:
    talk = in_state(State.REPLACING)
    assert talk.hears(Action.SESSION_ACCEPT, InBandTransport("spare", 4096)) == ["ok", "open spare 4096"]


@pytest.mark.compat("Dino): does it as the responder, too")
def test_a_responder_may_replace_the_transport() -> None:
    talk = in_state(State.CHECKING, initiating=True)
    said = talk.hears(Action.TRANSPORT_REPLACE, InBandTransport("new", 4096))
    assert said == ["ok", "transport-accept new 4096", "open new 4096"]


@pytest.mark.compat("Dino): names the transport anew in a reject as well")
def test_a_reject_names_the_transport_that_is_not_taken() -> None:
    talk = Talk(spare="")
    talk.begins()
    assert talk.hears(Action.TRANSPORT_REPLACE, STREAM) == ["ok", "transport-reject t 4096"]
