"""Settings: everything that a process reads from its environment, in one typed record."""

from datetime import timedelta
from functools import cached_property
from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The environment of one process. `hub up` fills what an operator leaves out."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    database_url: str = ""
    database_owner_url: str = ""
    redis_url: str = ""
    data_dir: Path = Field(default=Path(".hub"), validation_alias="HUB_DATA_DIR")
    keys_dir_override: Path | None = Field(default=None, validation_alias="HUB_KEYS_DIR")
    public_url: str = Field(default="http://127.0.0.1:8000", validation_alias="HUB_PUBLIC_URL")
    smtp_url: str = ""
    notify_api_key: str = Field(
        default="",
        repr=False,
        validation_alias=AliasChoices("HUB_NOTIFY_API_KEY", "NOTIFY_API_KEY"),
    )
    notify_template: str = Field(default="", validation_alias="HUB_NOTIFY_TEMPLATE")
    notify_sms_template: str = Field(default="", validation_alias="HUB_NOTIFY_SMS_TEMPLATE")
    notify_url: str = Field(
        default="https://api.notifications.service.gov.uk", validation_alias="HUB_NOTIFY_URL"
    )
    notify_callback_token: str = Field(
        default="", repr=False, validation_alias="HUB_NOTIFY_CALLBACK_TOKEN"
    )
    mail_from: str = Field(
        default="hub@missing-children-hub.example", validation_alias="HUB_MAIL_FROM"
    )
    trusted_proxies: str = Field(default="", validation_alias="HUB_TRUSTED_PROXIES")
    metrics_token: str = Field(default="", validation_alias="HUB_METRICS_TOKEN")
    clamd: str = Field(default="", validation_alias="HUB_CLAMD")
    session_idle_minutes: int = Field(default=30, validation_alias="HUB_SESSION_IDLE_MINUTES")
    session_hours: int = Field(default=12, validation_alias="HUB_SESSION_HOURS")
    database_pool: int = Field(default=20, validation_alias="HUB_DATABASE_POOL")

    directory_verify_days: int = Field(
        default=90, ge=1, validation_alias="HUB_DIRECTORY_VERIFY_DAYS"
    )

    @property
    def verify_every(self) -> timedelta:
        """How long a verified contact stays so (DOMAIN.md 5)."""
        return timedelta(days=self.directory_verify_days)

    @cached_property
    def keys_dir(self) -> Path:
        """Where the keys lie: outside the database, and apart from its backups."""
        return self.keys_dir_override or self.data_dir / "keys"

    @property
    def owner_url(self) -> str:
        """The address that migrations use: its own role where one is given."""
        return self.database_owner_url or self.database_url

    @property
    def secure(self) -> bool:
        """Whether the hub is reached over TLS, so that cookies must be."""
        return self.public_url.startswith("https://")


def get_settings() -> Settings:
    """Read the environment afresh."""
    return Settings()
