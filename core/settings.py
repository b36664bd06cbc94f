"""Every setting, its default and its unit, in one object that is built once and handed on.

Values come, strongest first, from: arguments, environment variables (`WAYSIDE_PORT`, `WAYSIDE_ENGINE__URL`),
the file `wayside.toml` in the workspace, the defaults below. Nothing reads the environment anywhere else.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from core.mcp import McpSettings
from core.systems import SystemsSettings


class EngineSettings(BaseModel):
    """The primary engine for chat. Without a `url` the embedded engine is the primary one and has no fallback."""

    model_config = ConfigDict(extra="forbid")

    url: HttpUrl | None = Field(None, description="base URL of an OpenAI-compatible API, such as https://host/v1")
    api_key: SecretStr | None = None
    model: str = Field("", description="model name to ask that API for")
    grammar_tools: bool = Field(False, description="choose tools by a JSON schema instead of the API's own tool calls")
    relevance: float = Field(0.6, ge=0, le=1, description="how near the best extract its sentences must come")
    timeout: float = Field(30.0, gt=0, description="seconds without a byte before the engine counts as failed")
    breaker_failures: int = Field(5, ge=1, description="failures in a row that open the circuit breaker")
    breaker_seconds: float = Field(30.0, gt=0, description="how long the breaker stays open before one trial")


PACKAGED = "smollm2-135m-instruct"
"""The model that comes as a package."""
HOUSE = "house"
"""The name of the adapter that ships for it."""


class EmbeddedSettings(BaseModel):
    """The embedded engine: llama.cpp's server in this process."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(PACKAGED, description="a name in the model store, or a path to a GGUF file")
    context: int = Field(8192, ge=512, description="tokens of context, shared by the slots")
    slots: int = Field(2, ge=1, description="requests decoded at the same time")
    threads: int = Field(0, ge=0, description="decoding threads; 0 means one a core")
    adapters: dict[str, Path] = Field({}, description="LoRA adapters in GGUF, by the model name that asks for each")
    adapter: str = Field("", description="the adapter for requests that name none")
    tool_adapter: str = Field("", description="the one for requests with tools, where it is another")
    house: bool = Field(True, description="with the packaged model, choose tools by the adapter that ships")

    @model_validator(mode="after")
    def _known(self) -> EmbeddedSettings:
        known = {*self.adapters, HOUSE} if self.housed else self.adapters
        for field in ("adapter", "tool_adapter"):
            name = getattr(self, field)
            if name and name not in known:
                raise ValueError(f"{field} {name!r} is not among the adapters")
        return self

    @property
    def housed(self) -> bool:
        """Whether the adapter that ships is there: it was made for the packaged model, and for no other."""
        return self.house and self.model == PACKAGED


class FraudStream(BaseModel):
    """Streams of NATS JetStream: payments come along one, decisions go out on the other."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(description="nats://host:port")
    stream: str = "PAYMENTS"
    subject: str = "payments"
    results_stream: str = "FRAUD"
    results: str = "fraud.decisions"
    rejected: str = Field("fraud.rejected", description="for what is no payment")


class FraudKafka(BaseModel):
    """Topics of Kafka: payments come along one, decisions go out on another, what is no payment on a third."""

    model_config = ConfigDict(extra="forbid")

    servers: str = Field(description="host:port of a broker or, with commas, of several")
    topic: str = "payments"
    results: str = "fraud.decisions"
    rejected: str = Field("fraud.rejected", description="for what is no payment")
    group: str = Field("wayside-fraud", description="gateways of one group share the payments")
    instance: str | None = Field(None, description="this gateway's own name in the group; the host's where none is set")
    options: dict[str, str] = Field({}, description="librdkafka's, such as security.protocol and sasl.username")


class FraudSettings(BaseModel):
    """What decides about card transactions beside the model: what mistakes cost, and what people decided beforehand.

    Costs are in cents, and what they mean is told in `tabular/fraud/costs.py` and `tabular/fraud/rules.py`.
    """

    model_config = ConfigDict(extra="forbid")

    review_cents: int = Field(300, ge=0, description="a person's look at a transaction")
    found: float = Field(0.9, ge=0, le=1, description="share of the frauds that such a look finds")
    chargeback_cents: int = Field(1500, ge=0, description="what a missed fraud costs beyond its amount")
    refused_cents: int = Field(4000, ge=0, description="a genuine payment refused")
    most_cents: int | None = Field(None, ge=1, description="the largest amount that passes without a look")
    most_uses_an_hour: int | None = Field(6, ge=1, description="of a card, that pass without a look")
    blocked_cards: frozenset[str] = frozenset()
    blocked_terminals: frozenset[str] = frozenset()
    trusted_cards: frozenset[str] = frozenset()
    stream: FraudStream | None = Field(None, description="decide about what comes along NATS JetStream, too")
    kafka: FraudKafka | None = Field(None, description="decide about what comes along Kafka, too")


class DriftSettings(BaseModel):
    """How the served tabular models are watched, and who is told when one's world moves."""

    model_config = ConfigDict(extra="forbid")

    every_hours: float = Field(24.0, gt=0, description="between two checks of a model")
    weeks: int = Field(1, ge=1, le=8, description="length of the window that is looked at")
    webhook_url: HttpUrl | None = Field(None, description="is told when a finding starts and when it ends")
    webhook_secret: SecretStr | None = Field(None, description="signs what is sent, by HMAC-SHA256")
    webhook_timeout: float = Field(10.0, gt=0, le=60, description="seconds for an answer")

    @model_validator(mode="after")
    def _signed(self) -> DriftSettings:
        if self.webhook_url is not None and (
            self.webhook_secret is None or len(self.webhook_secret.get_secret_value()) < 16
        ):
            raise ValueError("a webhook_url takes a webhook_secret of 16 characters or more: alerts are signed")
        return self


class RecommendSettings(BaseModel):
    """Whether one place of a recommendation is left to chance, so that what is not tried can be judged, and how.

    What the policies do is told in `tabular/recommend/bandit.py`.
    """

    model_config = ConfigDict(extra="forbid")

    explore: Literal["nothing", "epsilon_greedy", "softmax"] = Field(
        "nothing", description="how the last place is drawn"
    )
    epsilon: float = Field(0.2, gt=0, le=1, description="chance of any of the candidates alike")
    temperature: float = Field(1.0, gt=0, description="of softmax: above 1 the chances come nearer to each other")
    candidates: int = Field(10, ge=2, le=50, description="products that the place is drawn from, the best first")
    stock_seconds: float = Field(5.0, ge=0, description="how long the catalogue is remembered, with what is in stock")


class DemandSettings(BaseModel):
    """How the registered forecasts of demand are used."""

    model_config = ConfigDict(extra="forbid")

    stale_days: int = Field(14, ge=0, le=365, description="days of sales after which they are too old to be used")


_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _interval(value: Any) -> Any:
    """`30m`, `24h` and `7d` as times; anything else is left to pydantic."""
    if isinstance(value, str) and (found := re.fullmatch(r"([1-9]\d{0,5})([mhd])", value)):
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    return value


Interval = Annotated[timedelta, BeforeValidator(_interval), Field(gt=timedelta(0), le=timedelta(days=3650))]


class TabularSettings(BaseModel):
    """When models are trained anew by the gateway itself; never, by default."""

    model_config = ConfigDict(extra="forbid")

    retrain: dict[str, Interval] = Field({}, description="how old each model's newest version may grow, such as 24h")
    promote: bool = Field(False, description="make what was retrained the champion, if the gate lets it")
    retry: Interval = Field(timedelta(hours=1), description="when a failed training is tried again; doubles each time")
    patience: Interval = Field(timedelta(hours=1), description="how long a training may take")


class RegistrySettings(BaseModel):
    """The registered model that answers in the embedded model's place, and how its challengers are tried."""

    model_config = ConfigDict(extra="forbid")

    serves: str = Field("house-adapter", description="the registered model whose champion answers here")
    poll_seconds: float = Field(5.0, gt=0, description="how often other processes' decisions are looked for")
    minimum: int = Field(20, ge=5, description="answers of a challenger, or ratings of them, before it is judged")
    patience: float = Field(30.0, gt=0, description="seconds for a challenger's answer, or a stream's first piece")
    shadows: int = Field(1, ge=1, description="shadow answers at the same time; more go without")
    mlflow_url: str | None = Field(None, description="an MLflow tracking server that is told of versions; or none")


class LimitSettings(BaseModel):
    """Limits that protect the process. A key may carry lower ones of its own."""

    model_config = ConfigDict(extra="forbid")

    body_bytes: int = Field(2 * 2**20, ge=1024, description="largest JSON body")
    upload_bytes: int = Field(20 * 2**20, ge=1024, description="largest uploaded document")
    document_characters: int = Field(5_000_000, ge=1000, description="longest text read out of one document")
    requests_per_minute: int = Field(600, ge=1, description="per key, unless the key has its own limit")
    tokens_per_day: int = Field(5_000_000, ge=1, description="per key, unless the key has its own limit")
    message_characters: int = Field(100_000, ge=100, description="sum of all text in one chat request")


class MediaSettings(BaseModel):
    """What pictures and sound are admitted. Each limit has its own error."""

    model_config = ConfigDict(extra="forbid")

    request_bytes: int = Field(32 * 2**20, ge=2**20, description="largest body of a request that may carry media")
    picture_bytes: int = Field(10 * 2**20, ge=1024, description="largest picture file")
    pixels: int = Field(40_000_000, ge=10_000, description="most pixels of a picture, from its header")
    frames: int = Field(1, ge=1, description="most frames of a picture; the first one counts")
    audio_bytes: int = Field(25 * 2**20, ge=1024, description="largest sound file")
    audio_seconds: float = Field(900.0, gt=0, description="longest sound")
    remote_urls: bool = Field(False, description="fetch pictures by the URL that a client names")
    remote_seconds: float = Field(10.0, gt=0, description="time for fetching one")


class SpeechSettings(BaseModel):
    """Hearing and speaking: packaged models by default, or OpenAI-compatible endpoints where a `url` is set."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field("whisper-tiny.en", description="speech to text: a name in the model store, or a folder")
    url: HttpUrl | None = Field(None, description="base URL of an OpenAI-compatible API for speech to text")
    api_key: SecretStr | None = None
    remote_model: str = Field("whisper-1", description="model name to ask that API for")
    voice: str = Field("heart", description="the packaged voice")
    voice_url: HttpUrl | None = Field(None, description="base URL of an OpenAI-compatible API for text to speech")
    voice_api_key: SecretStr | None = None
    voice_model: str = Field("gpt-4o-mini-tts", description="model name to ask that API for")
    remote_voice: str = Field("alloy", description="default voice of that API")


class RealtimeSettings(BaseModel):
    """How much one realtime session may hear and how long it may last."""

    model_config = ConfigDict(extra="forbid")

    sessions: int = Field(64, ge=1, description="sessions at the same time")
    session_seconds: float = Field(3600.0, gt=0, description="longest session")
    idle_seconds: float = Field(300.0, gt=0, description="time without an event before a session is closed")
    audio_seconds: float = Field(3600.0, gt=0, description="most sound that a session hears")
    message_seconds: float = Field(60.0, gt=0, description="longest spoken message")
    event_bytes: int = Field(4 * 2**20, ge=64 * 2**10, description="largest event")


class VisionSettings(BaseModel):
    """A vision model that describes pictures and answers questions about them; without a `url` there is none."""

    model_config = ConfigDict(extra="forbid")

    url: HttpUrl | None = Field(None, description="base URL of an OpenAI-compatible API")
    api_key: SecretStr | None = None
    model: str = Field("", description="model name to ask that API for")


class Settings(BaseSettings):
    """All of Wayside's settings."""

    model_config = SettingsConfigDict(
        env_prefix="WAYSIDE_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        validate_default=True,
    )

    workspace: Path = Field(Path(".wayside"), description="the one folder that everything is written into")
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    demo: bool = Field(True, description="load the demo company into an empty workspace")
    database_url: str | None = Field(None, description="SQLAlchemy URL; the default is SQLite in the workspace")
    redis_url: str | None = Field(None, description="shared rate limits; the default is in process")
    qdrant_url: HttpUrl | None = Field(None, description="a Qdrant server; the default is Qdrant Edge in process")
    qdrant_api_key: SecretStr | None = None
    embedding_model: str = Field("all-minilm-l6-v2", description="a name in the model store")
    engine: EngineSettings = EngineSettings()
    embedded: EmbeddedSettings = EmbeddedSettings()
    registry: RegistrySettings = RegistrySettings()
    fraud: FraudSettings = FraudSettings()
    drift: DriftSettings = DriftSettings()
    recommend: RecommendSettings = RecommendSettings()
    demand: DemandSettings = DemandSettings()
    tabular: TabularSettings = TabularSettings()
    limits: LimitSettings = LimitSettings()
    media: MediaSettings = MediaSettings()
    speech: SpeechSettings = SpeechSettings()
    realtime: RealtimeSettings = RealtimeSettings()
    vision: VisionSettings = VisionSettings()
    systems: SystemsSettings = SystemsSettings()
    mcp: McpSettings = McpSettings()
    policy: Path | None = Field(None, description="a file like agents/policy.toml, to be read in its place")
    otlp_endpoint: HttpUrl | None = Field(None, description="OTLP/HTTP collector for traces; off when absent")
    null_engine: bool = Field(False, description="serve the null engine, which measures the gateway itself")

    @property
    def database_dsn(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite+aiosqlite:///{self.workspace.absolute() / 'wayside.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the workspace's `wayside.toml` behind arguments and environment."""
        workspace = Path(init_settings().get("workspace") or env_settings().get("workspace") or ".wayside")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, workspace / "wayside.toml")
