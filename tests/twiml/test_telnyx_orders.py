"""Calls are ordered of Telnyx by its own names, for an application of the account."""

from typing import get_args, get_type_hints

import pytest
from telnyx._utils import PropertyInfo
from telnyx.types.texml.accounts.call_calls_params import BodyWithURL

from ivr.channels.address_token import AddressTokens
from ivr.channels.twiml import PROFILES, TwimlChannel
from ivr.ports import Dial
from tests.twiml.twiml_line import ACCOUNT, NOW, PUBLIC

DIAL = Dial("0" * 32, "+436601234567", "+4315550100", ring=30.0, machine=True)


def ordered(application: str | None) -> dict[str, object]:
    channel = TwimlChannel(
        PROFILES["telnyx"], account=ACCOUNT, public=PUBLIC, media_base=PUBLIC, tokens=AddressTokens(b"k" * 32),
        application=application,
    )  # fmt: skip
    (order,) = channel.place(DIAL, now=NOW).outbound
    assert order.kind == "json"
    assert isinstance(order.body, dict)
    return order.body


def names_of_the_vendor() -> set[str]:
    """Return the names of fields in the vendor's own client."""
    names: set[str] = set()
    pending: list[object] = [*get_type_hints(BodyWithURL, include_extras=True).values()]
    while pending:
        parts = get_args(pending.pop())
        names |= {part.alias for part in parts if isinstance(part, PropertyInfo) and part.alias}
        pending += [part for part in parts if get_args(part)]
    return names


def test_every_field_is_one_that_the_vendor_s_client_knows() -> None:
    body = ordered("1293384261075731499")
    assert set(body) <= names_of_the_vendor()
    assert (body["ApplicationSid"], body["StatusCallbackEvent"]) == (
        "1293384261075731499",
        "ringing answered completed",
    )


def test_without_an_application_no_call_is_ordered() -> None:
    with pytest.raises(ValueError, match="IVR_TELNYX_APPLICATION_ID"):
        ordered(None)
