"""Settings: environment variables named TAMGA_*, read once and never changed."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Any, Literal
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL

from service.errors import ConfigurationError
from service.logs import LogFormat

PREFIX = "TAMGA_"


class SettingsError(ConfigurationError):
    """Settings that are unknown or have no possible value; the text has one line for each."""


class Settings(BaseSettings):
    """Everything that can be set, each by the environment variable TAMGA_<NAME>."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    home: Path = Field(Path("var"), description="Data directory: database, vector indexes, keys")
    models: Path | None = Field(
        None, description="Prepared model files; by default in the user's cache directory"
    )
    encoder: str | None = Field(
        None,
        description="Another sentence-transformers model or folder for retrieval; indexes are embedded again",
    )
    backend: Literal["onnx", "torch"] = Field("onnx", description="Runtime of the encoder")
    threads: int | None = Field(
        None, ge=1, le=256, description="Threads of the models; by default one per core"
    )
    remembered_texts: int = Field(
        16_384, ge=0, description="Texts, and pairs of texts, whose vectors and readings are kept; 0: none"
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address the service listens on")
    port: int = Field(8000, ge=0, le=65_535, description="Port the service listens on; 0 takes a free one")
    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        "info", description="Least severity of the messages that are logged"
    )
    log_format: LogFormat = Field(
        "console", description="How they are written: `console` for people, `json` one object per line"
    )
    trace_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^\s/]+(/[^\s?#]*)?$",
        description="OTLP/HTTP address that traces are sent to, such as http://127.0.0.1:4318; none: off",
    )
    trace_share: float = Field(1.0, ge=0, le=1, description="Share of the requests that are traced")
    database_url: str | None = Field(
        None, description="SQLAlchemy address of the database; by default tamga.db in the data directory"
    )
    vector_store: Literal["faiss", "milvus"] = Field(
        "faiss", description="Where vectors are searched: in this process, or on a Milvus server"
    )
    milvus_uri: str | None = Field(
        None,
        pattern=r"^https?://[^\s/]+/?$",
        description="Address of the Milvus server, such as http://milvus:19530",
    )
    milvus_token: SecretStr | None = Field(None, description="Token of the Milvus server, or `user:password`")
    milvus_database: str | None = Field(
        None, description="Database of the Milvus server; by default the one called default"
    )
    milvus_seconds: float = Field(
        20, gt=0, le=600, description="Longest that the Milvus server may take for one answer"
    )
    target_fpr: float = Field(
        0.01, gt=0, lt=1, description="Share of human texts that may be flagged as likely machine-written"
    )
    max_text_chars: int = Field(1_000_000, ge=1, description="Longest text analysed, in characters")
    max_body_bytes: int = Field(8_000_000, ge=1, description="Largest request body, in bytes")
    body_seconds: float = Field(60, gt=0, description="Longest time for a request body to arrive")
    idempotency_hours: float = Field(
        24, gt=0, description="How long the answer to a request with an Idempotency-Key is kept"
    )
    session_idle_minutes: float = Field(
        60, ge=1, description="Somebody who signed in and does nothing for so long has to sign in again"
    )
    session_hours: float = Field(
        12, gt=0, description="Longest time after which somebody who signed in has to sign in again"
    )
    review_lock_minutes: float = Field(
        15, gt=0, le=1_440, description="How long a review stays with somebody who took it and does nothing"
    )
    review_overlap: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of reviews that two people judge without seeing each other's opinion",
    )
    queue_items: int = Field(64, ge=1, description="Most requests that wait for the models")
    queue_items_per_caller: int = Field(
        32, ge=1, description="Most requests of one caller that wait for the models"
    )
    queue_seconds: float = Field(
        30,
        gt=0,
        description="Longest wait for the models; what is expected to wait for over three quarters of it is "
        "refused at once",
    )
    requests_per_minute: int | None = Field(
        None, ge=1, description="Most requests for the models a minute from one caller; unlimited by default"
    )
    stall_seconds: float = Field(
        600, gt=0, description="A request that computes for longer than this turns /readyz red"
    )
    drain_seconds: float = Field(
        30, ge=0, description="After SIGTERM, waiting requests may still be begun for so long"
    )
    keep_texts_days: int | None = Field(
        None, ge=1, description="Texts of stored articles are dropped after so many days; kept by default"
    )
    audit_folder: Path | None = Field(
        None, description="Folder whose files audits may read by path; by default audits are uploaded"
    )
    audit_max_bytes: int = Field(
        200_000_000, ge=1, description="Largest file of an audit, in bytes, unpacked too"
    )
    audit_max_items: int = Field(100_000, ge=1, description="Most items in one audit")
    audit_upload_seconds: float = Field(600, gt=0, description="Longest time for an audit's file to arrive")
    max_records_per_request: int = Field(1_000, ge=1, description="Most records in one request")
    record_matches: int = Field(5, ge=1, le=100, description="Records compared with each claim of an article")
    related_records: int = Field(5, ge=1, le=100, description="Related records named for an article")
    near_duplicates: int = Field(5, ge=1, le=100, description="Near-duplicates named for an article")
    min_shared_text: float = Field(
        0.3,
        gt=0,
        le=1,
        description="Share of an article's wording found in an earlier one from which that is named",
    )
    max_article_windows: int = Field(
        128, ge=1, le=10_000, description="Windows of an article's text that are embedded, from its beginning"
    )

    public_url: str = Field(
        "http://127.0.0.1:8000",
        pattern=r"^https?://[^\s/]+(/[^\s?#]*[^\s?#/])?$",
        description="Address under which readers reach the service, in labels and links; no slash at the end",
    )
    issuer_name: str | None = Field(
        None, max_length=200, description="Name of the newsroom on labels and certificates"
    )
    c2pa_anchors: Path | None = Field(
        None, description="Certificates (PEM) whose C2PA signatures are trusted, besides the newsroom's own"
    )
    countries: str | None = Field(
        None,
        description="Countries whose rules labels are weighed against, such as KZ,UZ; by commas",
    )
    time_zone: str = Field(
        "UTC", description="Time zone of the times in the dashboard, such as Asia/Almaty (IANA name)"
    )
    watermarks: Path | None = Field(
        None, description="JSON file with keys and tokenizers of the newsroom's own watermarks"
    )

    fetching: bool = Field(False, description="Whether feeds may be fetched from the network")
    fetch_networks: str | None = Field(
        None, description="Private networks that may be fetched from, such as 10.1.0.0/16; by commas"
    )
    fetch_max_bytes: int = Field(50_000_000, ge=1, description="Largest answer fetched, in bytes")
    fetch_seconds: float = Field(60, gt=0, description="Longest a fetch may take")
    webhooks: bool = Field(False, description="Whether events are sent to the addresses of webhooks")
    webhook_networks: str | None = Field(
        None, description="Private networks that webhooks may be in, such as 10.1.0.0/16; by commas"
    )
    webhook_seconds: float = Field(
        15, gt=0, le=300, description="Longest the receiver of a webhook may take to answer"
    )
    webhook_keep_days: int = Field(
        30, ge=2, description="How long events and their deliveries can be looked at and sent again"
    )

    @field_validator("fetch_networks", "webhook_networks")
    @classmethod
    def _networks(cls, value: str | None) -> str | None:
        for network in filter(None, map(str.strip, (value or "").split(","))):
            ipaddress.ip_network(network)
        return value

    @field_validator(
        "models",
        "encoder",
        "threads",
        "trace_endpoint",
        "database_url",
        "milvus_uri",
        "milvus_token",
        "milvus_database",
        "issuer_name",
        "c2pa_anchors",
        "countries",
        "watermarks",
        "fetch_networks",
        "webhook_networks",
        "audit_folder",
        "requests_per_minute",
        "keep_texts_days",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        # Container set-ups hand on empty variables for what nobody set.
        return None if value == "" else value

    @field_validator("countries")
    @classmethod
    def _countries(cls, value: str | None) -> str | None:
        if value is None:
            return None
        from service.labels.obligations import jurisdictions

        known = jurisdictions()
        codes = list(dict.fromkeys(filter(None, (code.strip().upper() for code in value.split(",")))))
        unknown = [code for code in codes if code not in known]
        if unknown:
            raise ValueError(f"there are no rules for {', '.join(unknown)}, only for {', '.join(known)}")
        return ",".join(codes)

    @field_validator("time_zone")
    @classmethod
    def _time_zone(cls, value: str) -> str:
        # The names alone would also take in files that are no zones, such as tzdata.zi.
        if value not in available_timezones():
            raise ValueError("there is no such time zone; write an IANA name such as Asia/Almaty or UTC")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def database(self) -> str:
        """Address of the database."""
        if self.database_url is not None:
            return self.database_url
        url = URL.create("sqlite", database=str(self.home / "tamga.db"))
        return url.render_as_string(hide_password=False)

    @property
    def own_countries(self) -> tuple[str, ...]:
        """The countries whose rules labels are weighed against where nobody names others."""
        return tuple(self.countries.split(",")) if self.countries else ()

    @property
    def index_folder(self) -> Path:
        """Where the snapshots of the vector indexes lie."""
        return self.home / "index"


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process; `overrides` (command line options) go before the environment.

    Raises SettingsError for values that are not possible and for TAMGA_ variables that do not exist: a
    misspelt setting must not be ignored.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    problems = [
        f"{name}: there is no such setting; known are {', '.join(sorted(known))}"
        for name in sorted(os.environ)
        if name.upper().startswith(PREFIX) and name.upper() not in known
    ]
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"])
            shown = name if name in overrides else PREFIX + name.upper()
            problems.append(f"{shown}: {problem['msg']}, not {problem.get('input')!r}")
        raise SettingsError("\n".join(problems)) from error
    if problems:
        raise SettingsError("\n".join(problems))
    return settings
