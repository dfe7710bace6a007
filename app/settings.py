"""Every setting, read once from the environment (`CANDOR_…`). The README lists them; a test holds it to that."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(env_prefix="CANDOR_", extra="ignore", frozen=True)

    database_url: str | None = Field(None, description="Postgres to use; without it an embedded one is started")
    data_dir: Path = Field(Path(".candor"), description="folder of the embedded Postgres")
    pg_bin: Path | None = Field(None, description="folder with other Postgres binaries for the embedded server")
    pool_size: int = Field(8, ge=1, le=200, description="database connections a server process holds, fixed")
    public_url: str | None = Field(None, description="the address people use, e.g. https://study.example.org")
    demo: bool = Field(default=False, description="show the three ways in on the start page; set by `candor demo`")
    session_hours: int = Field(12, ge=1, le=720, description="hours until a login ends")
    login_attempts: int = Field(8, ge=1, description="failed logins allowed for an address or account in 15 minutes")
    prolific_webhook_secret: SecretStr = Field(SecretStr(""), description="secret of Prolific's webhook; empty: none")
    prolific_token: SecretStr = Field(SecretStr(""), description="token of Prolific's API, for `candor platform poll`")
    prolific_api: str = Field("https://api.prolific.com", description="where Prolific's API is")

    @field_validator("database_url")
    @classmethod
    def _name_the_driver(cls, url: str | None) -> str | None:
        """Accept the plain `postgresql://` form that hosts hand out; psycopg 3 is the one driver."""
        if url is None or not url.strip():
            return None
        for plain in ("postgres://", "postgresql://"):
            if url.startswith(plain):
                return "postgresql+psycopg://" + url.removeprefix(plain)
        return url


@lru_cache
def settings() -> Settings:
    """Return the settings of this process."""
    return Settings()
