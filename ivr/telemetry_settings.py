"""The settings of what operators see of a running server: metrics. Without an address there are none."""

from ipaddress import ip_address
from typing import Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ivr.setting_sources import SettingsError, host_port_of
from ivr.speech_settings import PREFIX

SHORTEST_METRICS_TOKEN: Final = 16
"Characters."


class TelemetrySettings(BaseSettings):
    """Where metrics are read, and by whom."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    metrics: str | None = Field(
        None, description="Where /metrics is served, such as 127.0.0.1:9464; none: nowhere. Needs the extra metrics."
    )
    metrics_token: SecretStr | None = Field(
        None,
        description="The token for /metrics, 16 characters or more; needed where other machines reach its address.",
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


def check_telemetry(settings: TelemetrySettings) -> None:
    """Refuse to show metrics to whoever asks from another machine; raise SettingsError."""
    if settings.metrics is None or settings.metrics_token is not None:
        return
    if not ip_address(host_port_of(settings.metrics)[0]).is_loopback:
        raise SettingsError(
            "IVR_METRICS is an address that other machines reach, so it needs IVR_METRICS_TOKEN: openssl rand -hex 24. "
            "Without one, serve them on this machine alone, such as at 127.0.0.1:9464."
        )
