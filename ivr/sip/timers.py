"""The times of SIP (RFC 3261, table 4), and how something is repeated until it is answered."""

from msgspec import Struct

T1 = 0.5
"Seconds: an estimate of the round trip."
T2 = 4.0
"Seconds: the longest pause between repeats."
T4 = 5.0
"Seconds for which a message may stay in the network."
TIMEOUT = 64 * T1
"Seconds after which nothing more is waited for (timers B, F, H, M)."
KEPT = TIMEOUT + T4
"Seconds for which answers are kept (J, L): whoever asks repeats for 64*T1, and a repeat may be under way for T4."


class Repeats(Struct, frozen=True):
    """When something is sent again."""

    due: float
    pause: float = T1
    longest: float = T2

    def after(self, now: float) -> "Repeats":
        """Return when it is sent again after it was just now."""
        pause = min(2 * self.pause, self.longest)
        return Repeats(now + pause, pause, self.longest)


def repeats(now: float, longest: float = T2) -> Repeats:
    """Return the repeats of what is sent now: after T1, and after twice as long each time, up to `longest`."""
    return Repeats(now + T1, T1, longest)


def earliest(*moments: float | None) -> float | None:
    """Return the first of these moments; None: there is none."""
    return min((each for each in moments if each is not None), default=None)
