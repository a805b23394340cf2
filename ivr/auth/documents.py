"""Where the platform tells its keys: for the settings, which must not load what checks them, and for the key ring."""

from typing import Final

DOCUMENTS: Final = (
    "https://login.botframework.com/v1/.well-known/openidconfiguration",
    "https://api.aps.skype.com/v1/.well-known/openidconfiguration",
)
"Calls were seen signed by keys of either (protocol 13)."
