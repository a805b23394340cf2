"""What becomes of a sign-in of a call in the terminal: there is no page, so that the typist says it."""

from typing import Final, get_args

from ivr.engine.commands import Request
from ivr.engine.events import SignInBegun, SignInChecked, SignInResult
from ivr.engine.sign_in_orders import BEGIN

RESULTS: Final[tuple[SignInResult, ...]] = get_args(SignInResult)
"What can be typed; nothing: the first of them."
_PAGE = "sign-in.example"
_TICKET = "123456789"


def begun(request: Request) -> SignInBegun | None:
    """Return that a sign-in has begun, as it would on a line that does not know who calls; None: no such order."""
    if request.arguments["do"] != BEGIN:
        return None
    if request.arguments["by"] == "device":
        return SignInBegun(request.job, "device", "terminal", _PAGE, code="ABCD1234")
    return SignInBegun(request.job, "code", "terminal", _PAGE, _TICKET, f"https://{_PAGE}/s/{_TICKET}")


def by_hand(typed: str, request: Request) -> SignInChecked | None:
    """Read what was typed: `wrong`, nothing for `signedIn`; None: it is nothing that can become of a sign-in."""
    wanted = typed.strip().lower()
    found = next((result for result in RESULTS if result.lower() == wanted), RESULTS[0] if not wanted else None)
    return None if found is None else SignInChecked(request.job, found)
