"""What a process is told by its environment.

A secret stays a ``SecretStr`` or ``SecretBytes`` up to the place that uses it: never in a repr, never logged.
"""

import base64
import binascii
import contextlib
import os
import re
import secrets
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import platformdirs
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretBytes,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from temporalio.envconfig import ClientConfig, ClientConnectConfig

from activities.addresses import is_address
from workers.logs import LogFormat

PREFIX: Final = "RAPPORT_"
# Its path goes into headers and pages as it is.
_ADDRESS: Final = re.compile(r"https?://[^/\s?#@]+(/(?!\.{1,2}(/|$))[A-Za-z0-9._~%+=@-]+)*/*")
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
        env_prefix=PREFIX,
        env_ignore_empty=True,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="a PostgreSQL of your own, `postgresql://...`; none: the embedded one",
    )
    temporal_address: str | None = Field(
        default_factory=lambda: configured_temporal().get("target_host"),
        validation_alias="TEMPORAL_ADDRESS",
        description="a Temporal of your own, beside the other names that Temporal's own configuration reads "
        "(`TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS_...`); none: the embedded one",
    )
    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("rapport", appauthor=False),
        description="where the embedded stack keeps its data (also `--data DIR`); "
        "none: the user's data directory",
    )
    agency: str | None = Field(
        default=None, description="the agency that the command line is for, where there are several"
    )
    actor: str | None = Field(
        default=None, description="who gives commands on the command line, `KIND:ID` such as `person:r-1`"
    )
    key_encryption_keys: Annotated[tuple[KeyEncryptionKey, ...], NoDecode] = Field(
        default=(),
        description="`ID:BASE64` of 32 bytes, separated by commas; the first wraps, the others only unwrap; "
        "none: one that the data directory keeps, of the embedded database alone",
    )
    evidence_key: SecretStr | None = Field(
        default=None,
        description="base64 of 32 bytes that sign evidence; none: one that the data directory keeps",
    )
    smtp_host: str | None = Field(
        default=None, description="the mail server; none: a sink in the data directory"
    )
    smtp_port: int = Field(default=25, ge=1, le=65535, description="its port")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        default="none", description="how the way there is guarded: `none`, `starttls` or `tls`"
    )
    smtp_username: str | None = Field(default=None, description="who we are to it; none: nobody asks")
    smtp_password: SecretStr | None = Field(default=None, description="what proves it")
    smtp_from: str = Field(default="rapport@localhost", description="the sender of all that we write")
    smtp_reply_domain: str = Field(
        default="replies.localhost", description="where answers go: `reply+TOKEN@` this domain"
    )
    rate_per_credential: int = Field(
        default=1200,
        ge=1,
        description="requests a minute from one credential, in each gateway process",
    )
    rate_per_address: int = Field(
        default=3000, ge=1, description="requests a minute from one address, in each gateway process"
    )
    outreach_digest_minutes: float = Field(
        default=15,
        ge=0,
        le=1440,
        description="how long what comes up to a team lead or director gathers into one letter; 0: no time",
    )
    gateway_host: str = Field(default="127.0.0.1", description="where the HTTP gateway listens")
    gateway_port: int = Field(
        default=8080,
        ge=0,
        le=65535,
        description="its port; 0 takes any free one, as `up` does if it is taken",
    )
    public_url: str | None = Field(
        default=None,
        description="how others reach the gateway, `https://...`, with which candidates' links begin; "
        "it may have a path, as `https://agency.example/rapport`; "
        "none: the address where it listens, and links begin with their path",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="addresses whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, "
        "separated by commas",
    )
    webhooks_allow_http: bool = Field(
        default=False, description="whether a subscription's URL may begin with `http://`"
    )
    webhooks_allow_private: bool = Field(
        default=False,
        description="whether webhooks may go to addresses that are not public, and APIs be asked there",
    )
    codec_port: int = Field(
        default=8234,
        ge=0,
        le=65535,
        description="where the codec server listens, on loopback only; 0 takes any free port",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="what process logs tell"
    )
    log_format: LogFormat = Field(
        default="auto", description="`json`, `text`, or `auto`: JSON unless on a terminal"
    )
    debug: bool = Field(default=False, description="shows the trace of an unexpected error")

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

    @field_validator("public_url")
    @classmethod
    def _is_a_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("it must start with https://")
        if value and _ADDRESS.fullmatch(value) is None:
            raise ValueError("it must be an address alone, such as https://agency.example/rapport")
        return value.rstrip("/") if value else value

    @field_validator("smtp_from")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not is_address(value):
            raise ValueError("it is no e-mail address")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        if (self.smtp_username is None) != (self.smtp_password is None):
            missing = "RAPPORT_SMTP_PASSWORD" if self.smtp_password is None else "RAPPORT_SMTP_USERNAME"
            raise ValueError(f"{missing} is missing; the two go together")
        return self

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
        raise SettingsError(sentences(error)[0]) from None


def sentences(error: ValidationError) -> list[str]:
    """This will say what is malformed, a sentence for each."""
    return [_mistake(each) for each in error.errors(include_input=False, include_url=False)]


def _mistake(each: Any) -> str:
    says = each["msg"].removeprefix("Value error, ")
    if not each["loc"]:
        return f"{says}."
    return f"{variable(str(each['loc'][0]))} is not usable: {says}."


def variable(field: str) -> str:
    """This will name the environment variable of a setting."""
    return field if field.isupper() else f"{PREFIX}{field.upper()}"


def variables() -> dict[str, FieldInfo]:
    """This will map every environment variable that is read to its setting."""
    return {
        str(field.validation_alias or variable(name)): field for name, field in Settings.model_fields.items()
    }


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
