"""The settings of what operators see of a running server: metrics and spans. Without an address there is neither."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ivr.setting_sources import NO_ADDRESS, SettingsError, host_port_of, refuse_user
from ivr.speech_settings import PREFIX

SHORTEST_METRICS_TOKEN: Final = 16
"Characters."


class TelemetrySettings(BaseSettings):
    """Where metrics are read, and where spans are sent."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    metrics: str | None = Field(
        None, description="Where /metrics is served, such as 127.0.0.1:9464; none: nowhere. Needs the extra metrics."
    )
    metrics_token: SecretStr | None = Field(
        None,
        description="The token for /metrics, 16 characters or more; needed where other machines reach its address.",
    )
    tracing: str | None = Field(
        None,
        description="Where spans of calls are sent by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; none: "
        "nowhere. Needs the extra tracing.",
    )
    tracing_token: SecretStr | None = Field(None, description="The bearer token for that address; none: it needs none.")
    tracing_share: float = Field(
        0.1, gt=0, le=1, description="The share of calls that are traced, the same calls on all servers; 1: all."
    )

    @field_validator("metrics")
    @classmethod
    def _is_host_and_port(cls, value: str | None) -> str | None:
        if value is not None:
            host_port_of(value)
        return value

    @field_validator("metrics_token")
    @classmethod
    def _is_long_metrics_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_METRICS_TOKEN:
            raise ValueError(
                f"must have {SHORTEST_METRICS_TOKEN} characters or more; to make one: openssl rand -hex 24"
            )
        return value

    @field_validator("tracing")
    @classmethod
    def _is_tracing_address(cls, value: str | None) -> str | None:
        if value is not None:
            refuse_user(value)
            parts = urlsplit(value)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                raise ValueError(NO_ADDRESS)
        return value


def check_telemetry(settings: TelemetrySettings) -> None:
    """Refuse to show metrics to whoever asks from another machine; raise SettingsError."""
    if settings.metrics is None or settings.metrics_token is not None:
        return
    if not ip_address(host_port_of(settings.metrics)[0]).is_loopback:
        raise SettingsError(
            "IVR_METRICS is an address that other machines reach, so it needs IVR_METRICS_TOKEN: openssl rand -hex 24. "
            "Without one, serve them on this machine alone, such as at 127.0.0.1:9464."
        )
