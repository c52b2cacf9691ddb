"""What a process is told by its environment.

A secret stays a ``SecretStr`` or ``SecretBytes`` up to the place that uses it: never in a repr, never logged.
"""

import base64
import binascii
import contextlib
import os
import secrets
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretBytes, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from temporalio.envconfig import ClientConfig, ClientConnectConfig

from workers.logs import LogFormat

KEY_BYTES = 32
KEYS_FILE = "key-encryption-keys"


class SettingsError(Exception):
    """The environment is not usable as it is.  The message is one sentence and shows no value."""


class KeyEncryptionKey(BaseModel):
    """A key that wraps the candidates' keys, with the id under which wrapped keys remember it."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    secret: SecretBytes

    @field_validator("secret")
    @classmethod
    def _has_its_length(cls, secret: SecretBytes) -> SecretBytes:
        if len(secret.get_secret_value()) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        return secret

    @classmethod
    def parse(cls, text: str) -> "KeyEncryptionKey":
        """This will read ``ID:BASE64``."""
        name, _, encoded = text.strip().partition(":")
        try:
            return cls(id=name, secret=SecretBytes(base64.b64decode(encoded, validate=True)))
        except (binascii.Error, ValidationError):
            raise ValueError(f"each key is written ID:BASE64 of {KEY_BYTES} bytes") from None


class Settings(BaseSettings):
    """Everything that can be set.  ``DATABASE_URL`` and ``TEMPORAL_ADDRESS`` bypass the embedded servers."""

    model_config = SettingsConfigDict(
        env_prefix="RAPPORT_",
        env_ignore_empty=True,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    temporal_address: str | None = Field(
        default_factory=lambda: configured_temporal().get("target_host"), validation_alias="TEMPORAL_ADDRESS"
    )
    data_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("rapport", appauthor=False))
    key_encryption_keys: Annotated[tuple[KeyEncryptionKey, ...], NoDecode] = Field(
        default=(), description="ID:BASE64, separated by commas; the first wraps, the others only unwrap"
    )
    evidence_key: SecretStr | None = Field(
        default=None,
        description="base64 of 32 bytes that sign evidence; none: one kept in the data directory",
    )
    smtp_host: str | None = Field(default=None, description="none: the embedded stack's sink")
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_from: str = "rapport@localhost"
    smtp_reply_domain: str = "replies.localhost"
    outreach_digest_minutes: float = Field(
        default=15, ge=0, le=1440, description="how long what comes up to one person gathers; 0: no time"
    )
    webhooks_allow_http: bool = Field(
        default=False, description="a subscription's URL may begin with http://"
    )
    webhooks_allow_private: bool = Field(
        default=False, description="a webhook may go to an address that is not public"
    )
    codec_port: int = Field(default=8234, ge=0, le=65535, description="0 takes any free port")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: LogFormat = "auto"

    @field_validator("key_encryption_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        keys = tuple(KeyEncryptionKey.parse(part) for part in value.split(",") if part.strip())
        if len({key.id for key in keys}) < len(keys):
            raise ValueError("two keys have the same id")
        return keys

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("it must start with postgresql://")
        return value

    def temporal_connect(self, embedded_address: str | None = None) -> ClientConnectConfig:
        """This will return the arguments of ``Client.connect`` for the server of the settings.

        An *embedded_address* is our own server on loopback: what the environment says of TLS, API key and
        namespace is meant for another and is left out.
        """
        if embedded_address is not None:
            return ClientConnectConfig(target_host=embedded_address, namespace="default")
        config = configured_temporal()
        if self.temporal_address is not None:
            config["target_host"] = self.temporal_address
        config.setdefault("namespace", "default")
        return config

    def encryption_keys(self) -> tuple[KeyEncryptionKey, ...]:
        """This will return the keys set, else those of the embedded database, made when first asked for.

        :raises SettingsError: a database of your own needs keys of your own: one in a data directory
            that somebody clears would take every candidate's data with it.
        """
        if self.key_encryption_keys:
            return self.key_encryption_keys
        if self.database_url is not None:
            raise SettingsError(
                "RAPPORT_KEY_ENCRYPTION_KEYS is not set, which a database of your own needs: "
                f"set it to ID:BASE64 with {KEY_BYTES} random bytes and keep a copy."
            )
        return _kept_keys(self.data_dir / KEYS_FILE)


def load_settings() -> Settings:
    """This will read the environment.

    :raises SettingsError: something in it is malformed; one sentence names it.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "settings"
        name = field if field.isupper() else f"RAPPORT_{field.upper()}"
        raise SettingsError(f"{name} is not usable: {first['msg'].removeprefix('Value error, ')}.") from None


def configured_temporal() -> ClientConnectConfig:
    """This will return what the environment says of a Temporal server, by temporalio's own names.

    A profile file is read only where the environment names it: the default profile of somebody's
    CLI must not turn a demonstration loose on their cluster.
    """
    named = "TEMPORAL_CONFIG_FILE" in os.environ or "TEMPORAL_PROFILE" in os.environ
    try:
        return ClientConfig.load_client_connect_config(disable_file=not named)
    except Exception as error:  # the bridge raises what its parser raises
        raise SettingsError(f"Temporal's configuration cannot be read: {error}.") from error


def read_keys(path: Path) -> tuple[KeyEncryptionKey, ...]:
    """This will read a file of keys, a line each.

    :raises SettingsError: what is in it is no key.
    :raises OSError: it cannot be read.
    """
    try:
        return tuple(KeyEncryptionKey.parse(line) for line in path.read_text().splitlines() if line.strip())
    except ValueError as error:
        raise SettingsError(f"{path} is not usable: {error}.") from None


def _kept_keys(path: Path) -> tuple[KeyEncryptionKey, ...]:
    with contextlib.suppress(FileNotFoundError):
        return read_keys(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    line = f"local-1:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"
    waiting = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(waiting, path)  # fails where another process was faster: its key is the one
    except FileExistsError:
        pass
    finally:
        waiting.unlink()
    return _kept_keys(path)
