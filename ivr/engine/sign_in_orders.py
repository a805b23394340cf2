"""What an order to the service `signIn` is made of: what the action that gives it and the service must agree about.

*Arguments.* `do` says what is to be done. `begin` has `name`, `by` (the way that the flow wants), `scopes`, and of the
caller `caller`, `identity` and `language`; its answer is `SignInBegun`. `check` has `attempt` and, where one was keyed,
`code`; `await` has `attempt`, and is answered once the sign-in is decided. The answer to both is `SignInChecked`.
Attempt and code are private arguments.
"""

from typing import Final

SIGN_IN: Final = "signIn"
"The service that lets callers sign in."
BEGIN: Final = "begin"
CHECK: Final = "check"
AWAIT: Final = "await"
CODE_DIGITS: Final = 8
"Digits of the code that the page shows; one in a hundred million is found by five guesses in twenty million tries."
BEGIN_TIME: Final = 20.0
"Seconds for which it may take to begin: by `device`, the authority is asked."
CHECK_TIME: Final = 20.0
"Seconds for which a check may take: the authority may be asked."
AWAIT_TIME: Final = 900.0
"Seconds for which a caller may be awaited; the service gives a caller less."
