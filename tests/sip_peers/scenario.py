"""Scenarios for sipp, written short: what is the same in each request is added here.

A file in `scenarios` is what sipp reads, with three elements more:

    <request method="INVITE" cseq="1"> … </request>     a request, sent again until its answer comes (UDP)
    <ack cseq="1"/>                                     the ACK of a 2xx;  refused="yes": of another final response
    <answer status="200 OK"/>                           the answer to a request of the other side, just received

The text of a request, line by line, is further headers. In it `<sdp formats="8 96" direction="sendonly" version="2"/>`
is its session description, `<body type="…">…</body>` any other. `dialog="no"` leaves the To tag out (a request that
begins a new dialog after an answer had one), `tag="…"` sets it; `routed="yes"` sends it along the Record-Route of the
answer (`<recv … rrs="true"/>`). `[service]` is the number that is called (sipp's -s).
"""

from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

SCENARIOS = Path(__file__).parent / "scenarios"
_NAMES = {"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000", "18": "G729/8000", "96": "telephone-event/8000"}


def expanded(name: str) -> str:
    """Return a scenario as sipp reads it."""
    root = ElementTree.parse(SCENARIOS / f"{name}.xml").getroot()
    messages: list[str] = []
    for place, element in enumerate(list(root)):
        if element.tag in _WRITERS:
            root[place] = Element("send", {"retrans": "500"} if element.tag == "request" else {})
            root[place].text = f"message {len(messages)}"
            messages.append(_WRITERS[element.tag](element))
    text = ElementTree.tostring(root, encoding="unicode")
    for number, message in enumerate(messages):  # sipp takes a message as CDATA only
        text = text.replace(f">message {number}<", f"><![CDATA[{message}]]><")
    return f'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n{text}'


def _request(element: Element) -> str:
    method, cseq = element.attrib["method"], element.attrib["cseq"]
    branch = element.get("branch", f"{cseq}{'' if method == 'CANCEL' else method}".replace("INVITE", ""))
    lines = [
        f"{method} {_target(element)} SIP/2.0",
        *_head(method, cseq, branch, element),
        *dedent(element.text or "").strip().splitlines(),
    ]
    sdp, body = element.find("sdp"), element.find("body")
    if sdp is not None:
        return _message([*lines, "Content-Type: application/sdp"], _description(sdp))
    if body is not None:
        return _message([*lines, f"Content-Type: {body.attrib['type']}"], dedent(body.text or "").strip("\n"))
    return _message(lines)


def _ack(element: Element) -> str:
    cseq = element.attrib["cseq"]
    branch = cseq if element.get("refused") else f"{cseq}ACK"  # RFC 3261 17.1.1.3: that of the INVITE
    lines = [f"ACK {_target(element)} SIP/2.0", *_head("ACK", cseq, branch, element)]
    sdp = element.find("sdp")
    if sdp is not None:
        return _message([*lines, "Content-Type: application/sdp"], _description(sdp))
    return _message(lines)


def _answer(element: Element) -> str:
    return _message(
        [
            f"SIP/2.0 {element.attrib['status']}",
            *(f"[last_{name}:]" for name in ("Via", "From", "To", "Call-ID", "CSeq")),
            "Contact: <sip:caller@[local_ip]:[local_port];transport=[transport]>",
        ]
    )


def _target(element: Element) -> str:
    return "[next_url]" if "routed" in element.attrib else "sip:[service]@[remote_ip]:[remote_port]"


def _head(method: str, cseq: str, branch: str, element: Element) -> list[str]:
    tag = f";tag={element.attrib['tag']}" if "tag" in element.attrib else "[peer_tag_param]"
    return [
        f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-{branch};rport",
        'From: "T" <sip:+491701234567@[local_ip]:[local_port]>;tag=[pid]T[call_number]',
        f"To: <sip:[service]@[remote_ip]:[remote_port]>{'' if element.get('dialog') == 'no' else tag}",
        "Call-ID: [call_id]",
        f"CSeq: {cseq} {method}",
        "Max-Forwards: 70",
        "Contact: <sip:caller@[local_ip]:[local_port];transport=[transport]>",
        *(["[routes]"] if "routed" in element.attrib else []),
        *(["Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK, INFO"] if method == "INVITE" else []),
    ]


def _description(sdp: Element) -> str:
    formats = sdp.get("formats", "8 0 96")
    return "\n".join(
        [
            "v=0",
            f"o=u 1 {sdp.get('version', '1')} IN IP[local_ip_type] [local_ip]",
            "s=-",
            "c=IN IP[media_ip_type] [media_ip]",
            "t=0 0",
            f"m=audio [auto_media_port] RTP/AVP {formats}",
            *(f"a=rtpmap:{name} {_NAMES[name]}" for name in formats.split()),
            *(["a=fmtp:96 0-15"] if "96" in formats.split() else []),
            f"a={sdp.get('direction', 'sendrecv')}",
        ]
    )


def _message(head: list[str], body: str = "") -> str:
    return "\n" + "\n".join([*head, "Content-Length: [len]", "", body]) + "\n"


_WRITERS = {"request": _request, "ack": _ack, "answer": _answer}
