"""A self-hosted voice IVR server: phone flows in YAML, answered over webhooks, every call traced."""

__version__ = "0.1.0"
