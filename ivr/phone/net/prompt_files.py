"""The audio files that a bot names in its prompts."""

from ivr.media.sound import Unplayable
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.net.post import NoReply, WebPost


async def fetch_prompt_file(web: WebPost, url: str, limits: PhoneLimits) -> bytes:
    """Return a file, within the limits of the phone; raise Unplayable."""
    try:
        return await web.fetch(url, answer_time=limits.file_time, most=limits.file_size)
    except NoReply as error:
        raise Unplayable(f"A file of the prompt cannot be fetched: {error}") from error
