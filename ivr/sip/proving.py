"""Our credentials for a peer that asks for them (RFC 3261 22.2, 22.3): once, and again only if the nonce was old."""

from hashlib import sha256

from ivr.sip.digest import credentials as digest_credentials
from ivr.sip.digest import is_stale
from ivr.sip.message import Request, Response
from ivr.sip.sip_call import Credentials

MOST_PROOFS = 3
"How often a request is sent with credentials, even if each time the nonce is told to be old."


def proof(
    request: Request, response: Response, credentials: Credentials | None, seed: str, proofs: int
) -> tuple[str, str] | None:
    """Return the header that answers a challenge; None: we have nothing to answer, or it was refused already.

    `seed` is random and of one call or registration: the client's nonce is made of it and of the server's, so that no
    two are alike. `proofs` is how often the request was sent with credentials.
    """
    if credentials is None or response.status not in (401, 407):
        return None
    if proofs and not (is_stale(response) and proofs < MOST_PROOFS):
        return None
    challenge = response.headers.get("WWW-Authenticate" if response.status == 401 else "Proxy-Authenticate") or ""
    cnonce = sha256(f"{seed}{request.headers.get('CSeq')}{challenge}".encode()).hexdigest()[:16]
    return digest_credentials(
        response,
        user=credentials.user,
        password=credentials.password,
        method=request.method,
        uri=request.uri,
        cnonce=cnonce,
    )
