"""The rules of an attempt: what may follow what, as plain functions. Time comes in as `now`.

    open ──confirmed──▶ sent ──returned──▶ redeeming ──proved──▶ proved ──right code──▶ signedIn
                                                   └──of `link`, the user that was wanted──▶ signedIn
    polling ──the provider's yes──▶ signedIn

    from each of them, once, to an end:  declined  expired  burnt  failed

An end keeps no secret: neither digest nor verifier nor device code.
"""

from typing import Final, Literal, TypeAlias, get_args

from msgspec.structs import replace

from ivr.sign_in_ports import DirectoryUser, SignInResult
from ivr.sign_in_storage import Attempt, AttemptEnd

LINK_LASTS: Final = 600.0
"Seconds from the beginning of an attempt to the browser's return."
CODE_LASTS: Final = 300.0
"Seconds from the first look at the code to its end."
WRONG_CODES: Final = 5
"Wrong codes after which an attempt is burnt."
DEVICE_LASTS: Final = 900.0
"Seconds for which a code of `device` is good, whatever the provider says."
SLOWER: Final = 5.0
"Seconds by which polls are further apart after `slow_down` (RFC 8628, 3.5)."
SHORTEST_INTERVAL: Final = 1.0
"Seconds between two polls, whatever the provider says."

DeviceStep: TypeAlias = Literal["wait", "slower", "declined", "expired", "failed"]
"What follows a poll that brought no tokens: another one, less often from now on, or an end."

_ENDS: Final[frozenset[str]] = frozenset(get_args(AttemptEnd))


def standing(attempt: Attempt, now: float) -> SignInResult:
    """Return how an attempt stands."""
    match attempt.phase:
        case "signedIn" | "declined" | "expired" | "burnt" | "failed" as end:
            return end
        case _:
            return "expired" if now >= attempt.ends else "pending"


def is_over(attempt: Attempt) -> bool:
    """Return whether an attempt has come to an end; one whose time alone is over has not."""
    return attempt.phase in _ENDS


def may_confirm(attempt: Attempt, browser: str, now: float) -> bool:
    """Return whether this browser, by its cookie's digest, may use the link: nobody has, or it has itself.

    A button is pressed twice, and a browser goes back: that is one use.
    """
    if standing(attempt, now) != "pending":
        return False
    return attempt.phase == "open" or (attempt.phase == "sent" and attempt.browser == browser)


def confirmed(attempt: Attempt, *, browser: str, state: str, nonce: str, verifier: str) -> Attempt:
    """Send a browser to the provider; `browser` and `state` are digests. The ticket is used up."""
    return replace(attempt, phase="sent", ticket="", browser=browser, state=state, nonce=nonce, verifier=verifier)


def redeeming(attempt: Attempt) -> Attempt:
    """Use up the state and the links: a browser came back."""
    return replace(attempt, phase="redeeming", link="", entry="", state="")


def proved(attempt: Attempt, user: DirectoryUser) -> Attempt:
    """Note who has signed in: of `link` that is all, if it is who was wanted; else the caller's code is next."""
    if attempt.by == "code":
        return replace(attempt, phase="proved", nonce="", verifier="")
    return ended(attempt, "signedIn" if user == attempt.wanted else "failed")


def shown(attempt: Attempt, code: str, now: float) -> Attempt:
    """Show a code, given as its digest, for the first time."""
    return replace(attempt, code=code, ends=now + CODE_LASTS)


def judged(attempt: Attempt, *, right: bool) -> Attempt:
    """Count a code that the caller entered."""
    if right:
        return ended(attempt, "signedIn")
    counted = replace(attempt, wrong=attempt.wrong + 1)
    return ended(counted, "burnt") if counted.wrong >= WRONG_CODES else counted


def ended(attempt: Attempt, end: AttemptEnd) -> Attempt:
    """End an attempt. The browser is known still, so that its page can say how it ended."""
    return replace(
        attempt, phase=end, link="", entry="", ticket="", state="", nonce="", verifier="", code="", device_code=""
    )


def device_step(error: str) -> DeviceStep:
    """Return what follows an error of the provider, in RFC 8628's words (3.5) or in Entra's."""
    match error:
        case "authorization_pending":
            return "wait"
        case "slow_down":
            return "slower"
        case "authorization_declined" | "access_denied":
            return "declined"
        case "expired_token":
            return "expired"
        case _:  # bad_verification_code, invalid_client, unauthorized_client, invalid_grant, and whatever else it says
            return "failed"
