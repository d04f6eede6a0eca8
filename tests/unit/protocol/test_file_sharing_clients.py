"""Each client says "here is a file" in its own way; all of them are read as the file that they mean."""

import base64
import hashlib
from dataclasses import dataclass
from xml.etree.ElementTree import fromstring

import pytest

from filebot.model import Offer
from filebot.protocol.file_sharing import AnnouncedFile, Attached, Shared, read

URL = "https://up.example/3f2a/summit%20view.jpg"
OTHER = "https://up.example/77aa/notes.txt"
OOB = f"<x xmlns='jabber:x:oob'><url>{URL}</url></x>"
SHA256 = hashlib.sha256(b"summit").digest()
SHA512 = hashlib.sha512(b"summit").digest()
HASH256 = f"<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>{base64.b64encode(SHA256).decode()}</hash>"
HASH512 = f"<hash xmlns='urn:xmpp:hashes:2' algo='sha-512'>{base64.b64encode(SHA512).decode()}</hash>"
UNKNOWN_HASH = "<hash xmlns='urn:xmpp:hashes:2' algo='id-blake2b256'>2AfMGH8O7UNPTvUVAM9aK13mpCY=</hash>"
FALLBACK_SFS = "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body/></fallback>"
SUMMIT = Offer(
    urls=(URL,), name="summit view.jpg", size=3032449, media_type="image/jpeg", hashes={"sha-256": SHA256}
)


def sources(*urls: str) -> str:
    targets = (f"<url-data xmlns='http://jabber.org/protocol/url-data' target='{url}'/>" for url in urls)
    return f"<sources>{''.join(targets)}</sources>"


def sims(version: int, file: str, *uris: str) -> str:
    named = "".join(f"<reference xmlns='urn:xmpp:reference:0' type='data' uri='{uri}'/>" for uri in uris)
    return (
        "<reference xmlns='urn:xmpp:reference:0' type='data'><media-sharing xmlns='urn:xmpp:sims:1'>"
        f"<file xmlns='urn:xmpp:jingle:apps:file-transfer:{version}'>{file}</file>"
        f"<sources>{named}</sources></media-sharing></reference>"
    )


FACTS = "<name>summit view.jpg</name><size>3032449</size><media-type>image/jpeg</media-type>" + HASH256


@dataclass(frozen=True)
class Case:
    what: str
    children: str
    expected: Shared


def one(offer: Offer, *, text: str = "") -> Shared:
    return Shared(offers=(offer,), offered=1, text=text)


CASES = [
    Case(
        "Conversations: body and XEP-0066 are the same URL",
        f"<body>{URL}</body>{OOB}<request xmlns='urn:xmpp:receipts'/>",
        one(Offer(urls=(URL,))),
    ),
    Case("Conversations: XEP-0066 without a body", OOB, one(Offer(urls=(URL,)))),
    Case(
        "Cheogram: a caption, and the URL as XEP-0428 fallback up to the very end",
        f"<body>Grüße 🏔 from above\n{URL}</body>{OOB}"
        "<fallback xmlns='urn:xmpp:fallback:0' for='jabber:x:oob'>"
        f"<body start='19' end='{19 + len(URL)}'/></fallback>",
        one(Offer(urls=(URL,)), text="Grüße 🏔 from above"),
    ),
    Case(
        "Cheogram: XEP-0385 with thumbnail and sizes in the namespace of schema.org",
        f"<body>{URL}</body>{OOB}"
        + sims(
            5,
            FACTS
            + "<width xmlns='https://schema.org/'>4096</width><height xmlns='https://schema.org/'>2160"
            "</height><thumbnail xmlns='urn:xmpp:thumbs:1' uri='cid:sha1+ff@bob.xmpp.org' width='9'/>",
            URL,
        ),
        one(
            Offer(
                urls=(URL,),
                name="summit view.jpg",
                size=3032449,
                media_type="image/jpeg",
                hashes={"sha-256": SHA256},
                width=4096,
                height=2160,
            )
        ),
    ),
    Case(
        "Dino, first message: XEP-0447 metadata without sources, both spellings of the media type",
        "<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline' id='f1'>"
        "<file xmlns='urn:xmpp:file:metadata:0'><name>summit view.jpg</name><size>3032449</size>"
        f"<media_type>image/jpeg</media_type><media-type>image/jpeg</media-type>{HASH256}{HASH512}</file>"
        "</file-sharing><origin-id xmlns='urn:xmpp:sid:0' id='m1'/><store xmlns='urn:xmpp:hints'/>",
        Shared(
            announced=(
                AnnouncedFile(
                    "f1",
                    Offer(
                        name="summit view.jpg",
                        size=3032449,
                        media_type="image/jpeg",
                        hashes={"sha-256": SHA256, "sha-512": SHA512},
                    ),
                ),
            )
        ),
    ),
    Case(
        "Dino, second message: the sources, attached with XEP-0367",
        f"<body>{URL}</body>{OOB}{FALLBACK_SFS}"
        "<attach-to xmlns='urn:xmpp:message-attaching:1' id='m1'/><sources xmlns='urn:xmpp:sfs:0' id='f1'>"
        f"<url-data xmlns='http://jabber.org/protocol/url-data' target='{URL}'/></sources>",
        Shared(
            offers=(Offer(urls=(URL,)),),
            offered=1,
            attached=Attached("m1", (("f1", (URL,)),)),
        ),
    ),
    Case(
        "Kaidan, one file: XEP-0447, XEP-0066 and fallback in one message",
        f"<body>{URL}</body>{OOB}{FALLBACK_SFS}<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline'>"
        f"<file xmlns='urn:xmpp:file:metadata:0'>{FACTS}{UNKNOWN_HASH}<desc>From above</desc></file>"
        f"{sources(URL)}</file-sharing>",
        one(
            Offer(
                urls=(URL,),
                name="summit view.jpg",
                size=3032449,
                media_type="image/jpeg",
                hashes={"sha-256": SHA256},
                description="From above",
            )
        ),
    ),
    Case(
        "Kaidan, a set: several XEP-0447 files and a text of their own",
        "<body>Our holidays</body>"
        "<file-sharing xmlns='urn:xmpp:sfs:0' id='1'><file xmlns='urn:xmpp:file:metadata:0'>"
        f"{FACTS}</file>{sources(URL)}</file-sharing>"
        "<file-sharing xmlns='urn:xmpp:sfs:0' id='2'><file xmlns='urn:xmpp:file:metadata:0'>"
        f"<name>notes.txt</name></file>{sources(OTHER)}</file-sharing>",
        Shared(offers=(SUMMIT, Offer(urls=(OTHER,), name="notes.txt")), offered=2, text="Our holidays"),
    ),
    Case(
        "Kaidan, a set: the XEP-0066 message for one file of it",
        f"<body>{URL}</body>{OOB}{FALLBACK_SFS}<attach-to xmlns='urn:xmpp:message-attaching:1' id='k1'/>",
        Shared(offers=(Offer(urls=(URL,)),), offered=1, attached=Attached("k1")),
    ),
    Case(
        "Movim: XEP-0385 in version 4 of the file namespace",
        f"<body>{URL}</body>{sims(4, FACTS, URL)}{OOB}",
        one(SUMMIT),
    ),
    Case(
        "Psi: XEP-0385 in version 5, with a Jingle URI beside the upload",
        "<body>Look from the summit</body>" + sims(5, FACTS, URL, "xmpp:anna@example.org/psi?jingle-ft"),
        one(
            Offer(
                urls=(URL, "xmpp:anna@example.org/psi?jingle-ft"),
                name="summit view.jpg",
                size=3032449,
                media_type="image/jpeg",
                hashes={"sha-256": SHA256},
            ),
            text="Look from the summit",
        ),
    ),
    Case(
        "An old Cheogram: XEP-0385 in version 3 and nothing else",
        sims(3, FACTS, URL),
        one(SUMMIT),
    ),
    Case(
        "Gajim: XEP-0066 with an empty description, origin-id and markers",
        f"<body>{URL}</body><x xmlns='jabber:x:oob'><url>{URL}</url><desc/></x>"
        "<origin-id xmlns='urn:xmpp:sid:0' id='g1'/><markable xmlns='urn:xmpp:chat-markers:0'/>",
        one(Offer(urls=(URL,))),
    ),
    Case(
        "Monal: XEP-0066, the store hint and a thread",
        f"<body>{URL}</body>{OOB}<store xmlns='urn:xmpp:hints'/><thread>t</thread>",
        one(Offer(urls=(URL,))),
    ),
    Case(
        "profanity: XEP-0066 with white space around the URL",
        f"<body>{URL}</body><x xmlns='jabber:x:oob'>\n  <url> {URL}\n</url></x>",
        one(Offer(urls=(URL,))),
    ),
    Case(
        "Converse: XEP-0066 beside an active chat state",
        f"<body>{URL}</body><active xmlns='http://jabber.org/protocol/chatstates'/>{OOB}",
        one(Offer(urls=(URL,))),
    ),
    Case(
        "go-sendxmpp: the body before XEP-0066, nothing else",
        f"<body>{URL}</body>{OOB}",
        one(Offer(urls=(URL,))),
    ),
    Case(
        "slidge: XEP-0066, XEP-0447 and XEP-0385 name one file",
        f"<body>{URL}</body>{OOB}{FALLBACK_SFS}<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline'>"
        f"<file xmlns='urn:xmpp:file:metadata:0'><media-type>image/jpeg</media-type>{HASH256}"
        f"<width>4096</width><height>2160</height></file>{sources(URL)}</file-sharing>"
        + sims(5, "<name>summit view.jpg</name><size>3032449</size>" + HASH512, URL),
        one(
            Offer(
                urls=(URL,),
                name="summit view.jpg",
                size=3032449,
                media_type="image/jpeg",
                hashes={"sha-256": SHA256, "sha-512": SHA512},
                width=4096,
                height=2160,
            )
        ),
    ),
    Case(
        "Swift: hashes in the first version of XEP-0300",
        sims(4, f"<name>s</name>{HASH256.replace('hashes:2', 'hashes:1')}", URL),
        one(Offer(urls=(URL,), name="s", hashes={"sha-256": SHA256})),
    ),
    Case(
        "one XEP-0447 description without a source beside one URL",
        f"{OOB}<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>{FACTS}</file>"
        "</file-sharing>",
        one(SUMMIT),
    ),
    Case(
        "older Psi+: nothing but a URL is for the policy to judge",
        f"<body>{URL}</body>",
        Shared(text=URL),
    ),
    Case(
        "a URL among other words is no file",
        f"<body>see {URL} there</body>",
        Shared(text=f"see {URL} there"),
    ),
    Case(
        "a reply is read without the quotation before it (XEP-0461)",
        "<body>&gt; old words\nget summit</body><reply xmlns='urn:xmpp:reply:0' id='1'/>"
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='12'/>"
        "</fallback>",
        Shared(text="get summit", replies_to="1"),
    ),
    Case(
        "the fallback mark means nothing in a message without a file",
        f"<body>help</body>{FALLBACK_SFS}",
        Shared(text="help"),
    ),
]


@pytest.mark.parametrize("namespace", ["jabber:client", "jabber:component:accept"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_every_clients_message_is_read_as_it_is_meant(case: Case, namespace: str) -> None:
    message = fromstring(f"<message xmlns='{namespace}' type='chat'>{case.children}</message>")
    assert read(message) == case.expected


ESFS = (
    "<encrypted xmlns='urn:xmpp:esfs:0' cipher='urn:xmpp:ciphers:aes-256-gcm-nopadding:0'><key>a2V5</key>"
    "<iv>aXY=</iv><sources xmlns='urn:xmpp:sfs:0'>"
    f"<url-data xmlns='http://jabber.org/protocol/url-data' target='{URL}'/></sources></encrypted>"
)
HIDDEN = (
    f"<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>{FACTS}</file>"
    f"<sources>{ESFS}</sources></file-sharing>"
)
KEYLESS = (
    "<file-sharing xmlns='urn:xmpp:sfs:0'><sources><encrypted xmlns='urn:xmpp:esfs:0'/></sources>"
    "</file-sharing>"
)
AESGCM = "aesgcm://up.example/3f2a/summit.jpg#0011"


@pytest.mark.parametrize(
    ("children", "text"),
    [
        (f"<body>{AESGCM}</body>", ""),
        (f"<body>{AESGCM}\ndata:image/jpeg;base64,/9j/4AAQ</body>", ""),
        (f"<body>{AESGCM}</body><x xmlns='jabber:x:oob'><url>{AESGCM}</url></x>", ""),
        (f"<body>{URL}</body>{OOB}{FALLBACK_SFS}{HIDDEN}", ""),
        (f"<body>For you</body>{HIDDEN}", "For you"),
        (KEYLESS, ""),
    ],
)
def test_an_encrypted_file_is_told_as_such_and_its_bytes_are_never_offered(
    children: str, text: str
) -> None:
    shared = read(fromstring(f"<message xmlns='jabber:client'>{children}</message>"))
    assert shared.encrypted
    assert (shared.offers, shared.announced) == ((), ())
    assert shared.text == text


def test_a_file_with_a_plain_and_an_encrypted_source_is_offered_by_the_plain_one() -> None:
    plain = sources(OTHER).replace("</sources>", f"{ESFS}</sources>")
    shared = read(
        fromstring(
            f"<message xmlns='jabber:client'><body>{URL}</body>{OOB}<file-sharing xmlns='urn:xmpp:sfs:0'>"
            f"<file xmlns='urn:xmpp:file:metadata:0'>{FACTS}</file>{plain}</file-sharing></message>"
        )
    )
    assert not shared.encrypted
    assert [offer.urls for offer in shared.offers] == [(OTHER,)]


def test_talk_of_encrypted_urls_is_only_talk() -> None:
    body = f"why is it {AESGCM} now?"
    shared = read(fromstring(f"<message xmlns='jabber:client'><body>{body}</body></message>"))
    assert shared == Shared(text=body)
