"""Private names of slixmpp that filebot uses: no promise of slixmpp's covers them, so each is listed here.

A new version of slixmpp may drop any of them. The bound in pyproject.toml keeps it out until this passes.
"""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

from slixmpp import ClientXMPP, ComponentXMPP
from slixmpp.basexmpp import BaseXMPP
from slixmpp.xmlstream import XMLStream

import filebot

PACKAGE = Path(filebot.__file__).parent
PLACES = ("xmpp", "localserver")

OF_STREAMS = {
    "_run_out_filters": "the task that sends; slixmpp ends it only when the stream is collected",
    "_session_started": "whether what is sent now goes out now",
    "_set_session_start": "the moment from which waiting stanzas may go out",
    "_spawn_event": "each stanza, before slixmpp looks for handlers",
}
OF_MECHANISMS = {"_send_auth": "the next mechanism, where only the mechanism was refused"}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def modules() -> Iterator[ast.Module]:
    for place in PLACES:
        for path in sorted((PACKAGE / place).rglob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"))


def used_in(tree: ast.AST) -> set[str]:
    attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return {node.attr for node in attributes if is_private(node.attr)}


def defined_in(tree: ast.AST) -> set[str]:
    """Names of methods, fields and attributes that the module itself makes."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                found.add(name)
            case _:
                pass
    return found


def extends_slixmpp(tree: ast.Module) -> bool:
    """Whether a class of the module inherits from a stream of slixmpp, whose names are its own, too."""
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    bases = {base.id for each in classes for base in each.bases if isinstance(base, ast.Name)}
    return bool(bases & {"BaseXMPP", "ClientXMPP", "ComponentXMPP"})


def names_of_slixmpp() -> set[str]:
    """The private names in slixmpp's own classes of streams."""
    paths = (inspect.getfile(each) for each in (XMLStream, BaseXMPP, ClientXMPP, ComponentXMPP))
    trees = [ast.parse(Path(path).read_text(encoding="utf-8")) for path in paths]
    names = set().union(*map(used_in, trees), *map(defined_in, trees))
    return {name for name in names if is_private(name)}


def test_every_private_name_of_slixmpp_that_is_used_is_listed() -> None:
    trees = list(modules())
    found = set().union(*map(used_in, trees)) - set().union(*map(defined_in, trees))
    extending = [tree for tree in trees if extends_slixmpp(tree)]
    assert extending
    for tree in extending:
        found |= (used_in(tree) | defined_in(tree)) & names_of_slixmpp()
    assert found == OF_STREAMS.keys() | OF_MECHANISMS.keys()


async def test_every_listed_name_exists_in_the_installed_slixmpp() -> None:
    client = ClientXMPP("bot@example.org", "secret")
    component = ComponentXMPP("files.example.org", "secret", "127.0.0.1", 1)  # type: ignore[no-untyped-call]
    for stream in (client, component):
        assert [name for name in OF_STREAMS if not hasattr(stream, name)] == []
    mechanisms = client.plugin["feature_mechanisms"]
    assert [name for name in OF_MECHANISMS if not hasattr(mechanisms, name)] == []


def test_a_name_that_is_not_listed_is_noticed() -> None:
    tree = ast.parse("class Mine:\n    def _own(self):\n        self.stream._theirs(self._own)\n")
    assert used_in(tree) - defined_in(tree) == {"_theirs"}
