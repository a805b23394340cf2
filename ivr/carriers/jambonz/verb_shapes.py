"""What a verb of jambonz may look like: its properties, what each may be, and which of them must be there; tables.

They say no to whatever jambonz's two published judges say no to: the one of types, which its feature server runs, and
the one of JSON Schema. A vendor's options of a recognizer are the one thing that is not looked into. Verbs that are not
here are unknown, or need more of jambonz than a call has.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

Plain: TypeAlias = Literal[
    "string",
    "number",
    "boolean",
    "object",  # a mapping with any names
    "amount",  # a number, or a text that has one
    "strings",
    "texts",  # a text or several
    "hook",  # an address, or a mapping with one
    "hook object",
    "headers",  # texts or numbers by name
    "text headers",
    "voice",  # a name, or a mapping of the vendor's own
    "hints",  # texts, or mappings with a `phrase`
    "capture",  # several texts, or a mapping
    "absent",  # jambonz has it, and it is not carried out here
]


class OneOf(Struct, frozen=True):
    """One of some texts."""

    values: tuple[str, ...]


class Between(Struct, frozen=True):
    """A number within bounds."""

    least: float
    most: float


class Channel(Struct, frozen=True):
    """The number of a channel: 1 or 2."""


class Part(Struct, frozen=True):
    """A mapping of a shape of its own."""

    shape: str


class Parts(Struct, frozen=True):
    """Several of them; `least` at least."""

    shape: str
    least: int = 0


class Several(Struct, frozen=True):
    """Several texts, each one of some."""

    values: tuple[str, ...]


Kind: TypeAlias = Plain | OneOf | Between | Channel | Part | Parts | Several


class Shape(Struct, frozen=True):
    """A mapping."""

    properties: Mapping[str, Kind]
    required: tuple[str, ...] = ()
    is_closed: bool = False
    "Not even `_` may be added, in which jambonz's servers hand things over to each other."


_INPUT = Several(("speech", "digits"))
_MIX = OneOf(("mono", "stereo", "mixed"))

VERBS: Mapping[str, Shape] = {
    "answer": Shape({"id": "string"}),
    "say": Shape(
        {
            "id": "string",
            "text": "texts",
            "instructions": "string",
            "stream": "boolean",
            "loop": "amount",
            "synthesizer": Part("synthesizer"),
            "earlyMedia": "boolean",
            "disableTtsCache": "boolean",
            "closeStreamOnEmpty": "boolean",
        },
    ),
    "play": Shape(
        {
            "id": "string",
            "url": "texts",
            "loop": "amount",
            "earlyMedia": "boolean",
            "seekOffset": "amount",
            "timeoutSecs": "amount",
            "actionHook": "hook",
        },
        ("url",),
    ),
    "pause": Shape({"id": "string", "length": "number"}, ("length",)),
    "gather": Shape(
        {
            "id": "string",
            "actionHook": "hook",
            "finishOnKey": "string",
            "input": _INPUT,
            "numDigits": "number",
            "minDigits": "number",
            "maxDigits": "number",
            "interDigitTimeout": "number",
            "partialResultHook": "hook",
            "speechTimeout": "number",
            "listenDuringPrompt": "boolean",
            "dtmfBargein": "boolean",
            "bargein": "boolean",
            "minBargeinWordCount": "number",
            "timeout": "number",
            "recognizer": Part("recognizer"),
            "play": Part("play"),
            "say": Part("say"),
            "fillerNoise": Part("fillerNoise"),
            "actionHookDelayAction": Part("actionHookDelayAction"),
        }
    ),
    "listen": Shape(
        {
            "id": "string",
            "actionHook": "hook",
            "auth": Part("auth"),
            "finishOnKey": "string",
            "maxLength": "number",
            "metadata": "object",
            "mixType": _MIX,
            "passDtmf": "boolean",
            "playBeep": "boolean",
            "disableBidirectionalAudio": "boolean",
            "bidirectionalAudio": Part("bidirectionalAudio"),
            "sampleRate": "number",
            "timeout": "number",
            "transcribe": Part("transcribe"),
            "url": "string",
            "wsAuth": Part("auth"),
            "earlyMedia": "boolean",
            "channel": "number",
        },
        ("url",),
    ),
    "redirect": Shape({"id": "string", "actionHook": "hook", "statusHook": "hook"}, ("actionHook",)),
    "hangup": Shape({"id": "string", "headers": "headers"}),
    "sip:decline": Shape({"id": "string", "status": "number", "reason": "string", "headers": "headers"}, ("status",)),
    "dial": Shape(
        {
            "id": "string",
            "actionHook": "hook",
            "onHoldHook": "hook",
            "answerOnBridge": "boolean",
            "callerId": "string",
            "callerName": "string",
            "confirmHook": "hook",
            "referHook": "hook",
            "dialMusic": "string",
            "dtmfCapture": "capture",
            "dtmfHook": "hook",
            "headers": "headers",
            "anchorMedia": "boolean",
            "exitMediaPath": "boolean",
            "boostAudioSignal": "amount",
            "listen": Part("listen"),
            "stream": Part("listen"),
            "target": Parts("target", least=1),
            "timeLimit": "number",
            "timeout": "number",
            "proxy": "string",
            "transcribe": Part("transcribe"),
            "amd": Part("amd"),
            "tag": "object",
            "forwardPAI": "boolean",
            "srtpEncryption": OneOf(("sdes", "dtls")),
            "dub": "absent",
        },
        ("target",),
    ),
    "sip:refer": Shape(
        {
            "id": "string",
            "referTo": "string",
            "referredBy": "string",
            "referredByDisplayName": "string",
            "headers": "headers",
            "actionHook": "hook",
            "eventHook": "hook",
        },
        ("referTo",),
    ),
    "tag": Shape({"id": "string", "data": "object"}, ("data",)),
    "config": Shape(
        {
            "id": "string",
            "synthesizer": Part("synthesizer"),
            "recognizer": Part("recognizer"),
            "notifyEvents": "boolean",
            "notifySttLatency": "boolean",
            "reset": "texts",
            "onHoldMusic": "string",
            "actionHookDelayAction": Part("actionHookDelayAction"),
            "sipRequestWithinDialogHook": "hook",
            "boostAudioSignal": "amount",
            "vad": Part("vad"),
            "referHook": "hook",
            "fillerNoise": Part("fillerNoise"),
            "earlyMedia": "boolean",
            "autoStreamTts": "boolean",
            "disableTtsCache": "boolean",
            "trackTtsPlayout": "boolean",
            "noiseIsolation": Part("noiseIsolation"),
            "turnTaking": Part("turnTaking"),
            **dict.fromkeys(("bargeIn", "ttsStream", "record", "listen", "stream", "transcribe", "amd"), "absent"),
        }
    ),
}
"Verbs that are carried out here, by their names on the wire."
ALIASES: Mapping[str, str] = {"stream": "listen"}
"Names that are other names of a verb."
ABSENT = frozenset(
    {
        *("alert", "conference", "dequeue", "dialogflow", "dtmf", "dub", "enqueue", "leave", "lex", "llm", "message"),
        *("rasa", "rest:dial", "s2s", "sip:request", "transcribe", "agent", "room", "transfer"),
        *("openai_s2s", "microsoft_s2s", "google_s2s", "elevenlabs_s2s", "deepgram_s2s", "voiceagent_s2s"),
        *("ultravox_s2s", "qwen_s2s", "gptlive_s2s"),
    }
)
"Verbs that jambonz has, and that are not carried out here."

_RECOGNIZER_SWITCHES = (
    *("autogeneratePrompt", "profanityFilter", "interim", "singleUtterance", "dualChannel", "punctuation"),
    *("separateRecognitionPerChannel", "enhancedModel", "words", "diarization", "identifyChannels", "requestSnr"),
)
_RECOGNIZER_TEXTS = (
    *("vendor", "label", "language", "fallbackVendor", "fallbackLabel", "fallbackLanguage", "vocabularyName", "model"),
    *("vocabularyFilterName", "azureServiceEndpoint", "azureSttEndpointId", "asrDtmfTerminationDigit"),
)
_RECOGNIZER_NUMBERS = (
    *("hintsBoost", "diarizationMinSpeakers", "diarizationMaxSpeakers", "naicsCode", "initialSpeechTimeoutMs"),
    *("asrTimeout", "fastRecognitionTimeout"),
)
_RECOGNIZER_VENDORS = (
    *("nuance", "deepgram", "ibm", "nvidia", "soniox", "cobalt", "aws", "azure", "assemblyAi", "google", "custom"),
    *("verbio", "speechmatics", "openai", "houndify", "gladia", "elevenlabs"),
)

PARTS: Mapping[str, Shape] = {
    "say": VERBS["say"],
    "play": VERBS["play"],
    "listen": VERBS["listen"],
    "synthesizer": Shape(
        {
            "vendor": "string",
            "label": "string",
            "language": "string",
            "voice": "voice",
            "fallbackVendor": "string",
            "fallbackLabel": "string",
            "fallbackLanguage": "string",
            "fallbackVoice": "voice",
            "engine": OneOf(("standard", "neural", "generative", "long-form")),
            "gender": OneOf(("MALE", "FEMALE", "NEUTRAL")),
            "options": "object",
        },
        ("vendor",),
    ),
    "recognizer": Shape(
        {
            **dict.fromkeys(_RECOGNIZER_TEXTS, "string"),
            **dict.fromkeys(_RECOGNIZER_SWITCHES, "boolean"),
            **dict.fromkeys(_RECOGNIZER_NUMBERS, "number"),
            **{f"{vendor}Options": "object" for vendor in _RECOGNIZER_VENDORS},
            "vad": Part("vad"),
            "hints": "hints",
            "altLanguages": "strings",
            "interactionType": OneOf(
                (
                    *("unspecified", "discussion", "presentation", "phone_call", "voicemail", "voice_search"),
                    *("voice_command", "dictation"),
                )
            ),
            "filterMethod": OneOf(("remove", "mask", "tag")),
            "outputFormat": OneOf(("simple", "detailed")),
            "profanityOption": OneOf(("masked", "removed", "raw")),
            "minConfidence": Between(0, 1),
        },
        ("vendor",),
    ),
    "auth": Shape({"username": "string", "password": "string"}, ("username", "password")),
    "vad": Shape(
        {
            "enable": "boolean",
            "voiceMs": "number",
            "silenceMs": "number",
            "strategy": "string",
            "mode": Between(0, 3),
            "vendor": OneOf(("webrtc", "silero")),
            "threshold": Between(0, 1),
            "speechPadMs": "number",
        }
    ),
    "fillerNoise": Shape({"enable": "boolean", "url": "string", "startDelaySecs": "number"}, ("enable",)),
    "actionHookDelayAction": Shape(
        {
            "enabled": "boolean",
            **dict.fromkeys(("noResponseTimeout", "noResponseGiveUpTimeout", "retries"), "number"),
            "actions": Parts("any"),
            "giveUpActions": Parts("any"),
        }
    ),
    "bidirectionalAudio": Shape({"enabled": "boolean", "streaming": "boolean", "sampleRate": "number"}),
    "transcribe": Shape(
        {
            "id": "string",
            "transcriptionHook": "string",
            "translationHook": "string",
            "recognizer": Part("recognizer"),
            "earlyMedia": "boolean",
            "channel": Channel(),
        }
    ),
    "target": Shape(
        {
            "type": OneOf(("phone", "sip", "user", "teams")),
            "confirmHook": "hook object",
            "method": OneOf(("GET", "POST")),
            "headers": "text headers",
            "from": Part("dialFrom"),
            "name": "string",
            "number": "string",
            "sipUri": "string",
            "auth": Part("auth"),
            "vmail": "boolean",
            "tenant": "string",
            "trunk": "string",
            "overrideTo": "string",
            "proxy": "string",
        },
        ("type",),
    ),
    "rest:dial": Shape(
        {
            "account_sid": "string",
            "application_sid": "string",
            "call_hook": "hook",
            "call_status_hook": "hook",
            "from": "string",
            "callerName": "string",
            "fromHost": "string",
            **dict.fromkeys((f"speech_synthesis_{name}" for name in ("vendor", "voice", "language")), "string"),
            **dict.fromkeys((f"speech_recognizer_{name}" for name in ("vendor", "language")), "string"),
            "tag": "object",
            "to": Part("target"),
            "headers": "headers",
            "timeout": "number",
            "timeLimit": "number",
            "amd": Part("amd"),
            "dual_streams": "boolean",
            "sipRequestWithinDialogHook": "string",
            "referHook": "hook",
        },
        ("call_hook", "from", "to"),
    ),
    "dialFrom": Shape({"user": "string", "host": "string"}),
    "amd": Shape(
        {
            "actionHook": "hook",
            "thresholdWordCount": "number",
            "digitCount": "number",
            "timers": Part("amdTimers"),
            "recognizer": Part("recognizer"),
        },
        ("actionHook",),
    ),
    "amdTimers": Shape(
        dict.fromkeys(
            ("noSpeechTimeoutMs", "decisionTimeoutMs", "toneTimeoutMs", "greetingCompletionTimeoutMs"), "number"
        ),
        is_closed=True,
    ),
    "noiseIsolation": Shape({"enable": "boolean", "vendor": "string", "level": "number", "model": "string"}),
    "turnTaking": Shape({"enable": "boolean", "vendor": "string", "threshold": "number", "model": "string"}),
}
"The mappings within verbs."
