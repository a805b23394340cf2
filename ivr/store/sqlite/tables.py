"""The tables, as SQL, and how questions are asked of their columns."""

VERSION = 3
"Kept in the file's `user_version`."
PAGE_SIZE = 8192
"Bytes of a page: a tenth less work for a commit than with 4096."

TABLES = """
-- One row for each call, live or over. The number is ours, counted in the order in which calls began.
CREATE TABLE call (
    row     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,      -- 32 hexadecimal digits: what logs, traces and file names say
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    name    TEXT NOT NULL,             -- the platform's id of the call
    ended   REAL,                      -- NULL: live; else when the last thing happened, in seconds since 1970
    UNIQUE (channel, account, name)
);

-- One row for each turn, numbered by us in the order of all turns: those of one commit share a page, and a call is as
-- its last row says. What a turn takes of a caller's voice is the last column, so that nothing else is read past it.
CREATE TABLE turn (
    seq     INTEGER PRIMARY KEY,
    call    INTEGER NOT NULL,
    state   TEXT NOT NULL,             -- the engine's call after this turn, JSON
    rest    BLOB NOT NULL,             -- the record around it, a MessagePack array (rows.py)
    message TEXT,                      -- what stands for the message that this turn answers; NULL: none
    reply   BLOB,                      -- MessagePack; nil: owed; NULL: this turn wrote none
    marks   INTEGER NOT NULL,          -- 1: the message is new among the replies, 2: the reply is the call's last one,
                                       -- 4: the state holds sealed values; their sum
    trace   TEXT NOT NULL,             -- what happened, a JSON array of lines
    media   TEXT,                      -- the recording that this turn took
    audio   BLOB                       -- the recording itself, if it is small; NULL: it is a file
);

-- What is still owed, in the order in which it was asked for (rowid). A row leaves when its answer was stepped, or when
-- the answer is no longer wanted.
CREATE TABLE job (
    call     INTEGER NOT NULL,
    kind     TEXT NOT NULL,            -- request: to a service
    id       TEXT NOT NULL,
    body     TEXT NOT NULL,            -- JSON
    attempts INTEGER NOT NULL,         -- runs begun
    owner    TEXT,                     -- who has the last run
    until    REAL,                     -- when that one is taken to be dead, in seconds since 1970
    answered INTEGER,                  -- NULL: open; else its place among all answers
    answer   BLOB,                     -- JSON; sealed if the request is sensitive
    UNIQUE (call, kind, id)
);

CREATE TABLE flow (
    hash   TEXT PRIMARY KEY,
    source BLOB NOT NULL
) WITHOUT ROWID;

-- For each block of calls (row / BLOCK), how often something in it has changed, and how often which calls it holds.
CREATE TABLE block (
    number  INTEGER PRIMARY KEY,
    changes INTEGER NOT NULL,
    members INTEGER NOT NULL
);

-- A text of ours, sealed: tells a damaged value from another key.
CREATE TABLE seal (
    proof BLOB NOT NULL
);
"""

LANE = "coalesce(iif(json_valid({0}.body), json_extract({0}.body, '$[1].lane'), ''), '')"
"Of a table: what a request to a platform waits for (`Outbound.lane`); a row of an earlier version has none."

# Made wherever one is missing; tables that came after this version of the others, too.
INDEXES = f"""
-- Who is to be told of something. A row stays, without what was told, once that is sent.
CREATE TABLE IF NOT EXISTS notification (
    call   INTEGER NOT NULL,
    id     TEXT NOT NULL UNIQUE,       -- our id of the call, a point, the engine's id of the order
    body   TEXT NOT NULL,              -- JSON; empty: it was sent
    made   REAL NOT NULL,              -- in seconds since 1970, like all times
    state  TEXT NOT NULL,              -- waiting, sent, dead
    due    REAL NOT NULL,              -- when it is tried next, or was sent or given up
    tries  INTEGER NOT NULL,           -- begun
    owner  TEXT,                       -- who has the last try; NULL: it is over
    reason TEXT NOT NULL               -- why it failed
);
CREATE INDEX IF NOT EXISTS notification_of_call ON notification (call);
CREATE INDEX IF NOT EXISTS notification_state ON notification (state);
CREATE INDEX IF NOT EXISTS notification_due ON notification (due) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS notification_owned ON notification (owner) WHERE owner IS NOT NULL;
-- What a platform is to be asked. A row stays until it is sent.
CREATE TABLE IF NOT EXISTS platform_request (
    call   INTEGER NOT NULL,
    id     TEXT NOT NULL UNIQUE,       -- our id of the call, a point, the channel's id of the request
    body   TEXT NOT NULL,              -- JSON: the platform's name of the call, and the request
    made   REAL NOT NULL,              -- like all that follows as in the table of notifications
    state  TEXT NOT NULL,
    due    REAL NOT NULL,
    tries  INTEGER NOT NULL,
    owner  TEXT,
    reason TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS request_of_call ON platform_request (call);
CREATE INDEX IF NOT EXISTS request_state ON platform_request (state);
CREATE INDEX IF NOT EXISTS request_due ON platform_request (due) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS request_owned ON platform_request (owner) WHERE owner IS NOT NULL;
CREATE INDEX IF NOT EXISTS request_lane ON platform_request ({LANE.replace("{0}.", "")}) WHERE state = 'waiting';
-- What bots keep (bot_state.py). No id of a user or a conversation stands here as it is: they are keyed hashes, which
-- leave nothing in an index that would have to be erased with them. The ids themselves are sealed with the data.
CREATE TABLE IF NOT EXISTS bot_state (
    name         TEXT NOT NULL UNIQUE, -- hash of all that a record is named by
    app          TEXT NOT NULL,
    channel      TEXT NOT NULL,
    conversation TEXT NOT NULL,        -- hash of its id; empty: of the user in all conversations
    user         TEXT NOT NULL,        -- hash of the id; empty: of the conversation, whoever is in it
    tag          TEXT NOT NULL,
    body         BLOB NOT NULL,        -- sealed
    touched      REAL NOT NULL         -- when it was used last, roughly, in seconds since 1970
);
CREATE INDEX IF NOT EXISTS state_of_user ON bot_state (user);
CREATE INDEX IF NOT EXISTS state_of_app ON bot_state (app);
CREATE INDEX IF NOT EXISTS state_touched ON bot_state (touched);
-- Attempts of callers to sign in, and the tokens that came of them. A row goes with its attempt, or with its call.
CREATE TABLE IF NOT EXISTS sign_in (
    call INTEGER NOT NULL,
    id   TEXT NOT NULL UNIQUE,         -- 32 hexadecimal digits, drawn by chance
    body BLOB NOT NULL                 -- JSON, sealed
);
CREATE TABLE IF NOT EXISTS sign_in_token (
    call INTEGER NOT NULL,
    id   TEXT NOT NULL UNIQUE,         -- of the attempt
    body BLOB NOT NULL                 -- JSON, sealed
);
CREATE INDEX IF NOT EXISTS sign_in_of_call ON sign_in (call);
CREATE INDEX IF NOT EXISTS token_of_call ON sign_in_token (call);
-- What was said in conversations whose other side comes and reads it. A row stays until its call is erased.
CREATE TABLE IF NOT EXISTS mail (
    seq          INTEGER PRIMARY KEY,  -- in the order in which it was said
    call         INTEGER NOT NULL,
    id           TEXT NOT NULL UNIQUE,
    conversation TEXT NOT NULL,
    made         REAL NOT NULL,
    body         BLOB NOT NULL         -- JSON, sealed
);
CREATE INDEX IF NOT EXISTS mail_of_call ON mail (call);
CREATE INDEX IF NOT EXISTS mail_of_conversation ON mail (conversation, seq);
-- What flows keep of callers beyond their calls, the last value of each variable.
CREATE TABLE IF NOT EXISTS user_value (
    caller BLOB NOT NULL,              -- what stands for the caller's name: a keyed hash, 32 bytes
    line   TEXT NOT NULL,              -- on which the name is his, a JSON array: channel, account, part of the account
    name   TEXT NOT NULL,              -- of the variable, `user.NAME`
    value  BLOB NOT NULL,              -- JSON; sealed if it is private
    sealed INTEGER NOT NULL,
    until  REAL NOT NULL,              -- when it is erased, in seconds since 1970
    UNIQUE (caller, line, name)
);
CREATE INDEX IF NOT EXISTS user_value_until ON user_value (until);
-- Recordings that an operator has marked as done. A row goes when that is undone, or with its call.
CREATE TABLE IF NOT EXISTS handled (
    media TEXT PRIMARY KEY,
    call  INTEGER NOT NULL,
    at    REAL NOT NULL                -- when, in seconds since 1970
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS handled_of_call ON handled (call);
CREATE INDEX IF NOT EXISTS live ON call (row) WHERE ended IS NULL;
CREATE INDEX IF NOT EXISTS ended_at ON call (ended) WHERE ended IS NOT NULL;
CREATE INDEX IF NOT EXISTS turn_of_call ON turn (call);
CREATE INDEX IF NOT EXISTS turn_of_media ON turn (media) WHERE media IS NOT NULL;
CREATE INDEX IF NOT EXISTS recorded ON turn (call, media) WHERE media IS NOT NULL;
CREATE INDEX IF NOT EXISTS owed ON job (answered) WHERE kind = 'request';
"""

LATEST_TURN = "turn.seq = (SELECT max(seq) FROM turn AS one WHERE one.call = call.row)"
"The row that says how a call stands, where `turn` is joined to `call`."


# --- columns that hold JSON -------------------------------------------------------------------------------------------

# Of a column that holds something else these read NULL: `json_extract` alone fails the whole question, and with it the
# answer for all other calls.


def of_state(member: str) -> str:
    """Return the SQL for a member of a call's state; NULL: it has none, or cannot be read."""
    return f"iif(json_valid(state), json_extract(state, '$.{member}'), NULL)"


def of_trace(member: str) -> str:
    """Return the SQL for a member of a turn's trace, `[#-1].now` say; NULL: it has none, or cannot be read."""
    return f"iif(json_valid(trace), json_extract(trace, '${member}'), NULL)"


def as_bytes(stored: object) -> bytes:
    """Return what stands in a column of bytes; what is something else stands for nothing that can be read."""
    return stored if isinstance(stored, bytes) else b""
