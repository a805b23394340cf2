"""The account of the carriers that `ivr phone --as` plays, which a server in development knows without settings.

None of it is a secret: the carrier listens on this machine alone, and so does a server in development.
"""

from typing import Final

ACCOUNT: Final = "AC" + "0" * 32
TOKEN: Final = "a-secret-for-trying-out"  # noqa: S105  # printed
PORT = 9080
"Of the carrier's API on this machine, as long as nothing else has it."
