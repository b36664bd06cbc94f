"""How the settings describe other MCP servers, whose tools the agents may use as well."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

EVERYBODY = "*"

# Without two underscores in a row: these part the server's name from the tool's.
ServerName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=24)]


class McpServerSettings(BaseModel):
    """An MCP server: behind a URL (streamable HTTP), or a command that is spoken to over its stdin and stdout.

    A server says of its own tools what they do. Whoever does not trust it with that sets `read_only` and `idempotent`
    to `never`: then every tool needs what the policy asks of one that changes the world, and is never called twice.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: str = Field(min_length=1, description="whose server it is; * where every tenant may use it")
    url: str | None = Field(None, pattern=r"^https?://")
    headers: dict[str, str] = Field({}, description='such as {Authorization = "Bearer {secret}"}')
    command: str | None = Field(None, min_length=1, description="program to run; it sees only `env` and what it needs")
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field({}, description='such as {API_KEY = "{secret}"}')
    secret: SecretStr | None = Field(None, description="stands for {secret} in headers or env")
    timeout: float = Field(30.0, gt=0, description="seconds for connecting, and for each call")
    refresh: float = Field(60.0, gt=0, description="seconds after which its tools are asked for again")
    tools: tuple[str, ...] | None = Field(None, description="the only tools that are taken; all of them without it")
    read_only: Literal["hinted", "never"] = Field("hinted", description="whether its readOnlyHint is believed")
    idempotent: Literal["hinted", "never", "always"] = Field(
        "hinted", description="whether its idempotentHint is believed; always: it honours the key of each call"
    )
    answer_characters: int = Field(100_000, ge=100, description="longest result that is passed on whole")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.url is None) == (self.command is None):
            raise ValueError("give either a url or a command")
        if self.url is None and self.headers:
            raise ValueError("headers belong to a url")
        if self.command is None and (self.args or self.env):
            raise ValueError("args and env belong to a command")
        texts = (*self.headers.values(), *self.env.values())
        if (self.secret is not None) != any("{secret}" in text for text in texts):
            raise ValueError("secret and {secret} in headers or env need each other")
        return self

    def revealed(self, texts: dict[str, str]) -> dict[str, str]:
        """`texts` with the secret in its place."""
        secret = self.secret.get_secret_value() if self.secret else ""
        return {name: text.replace("{secret}", secret) for name, text in texts.items()}


class McpSettings(BaseModel):
    """The other MCP servers, by name: `[mcp.servers.crm]` in `wayside.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: dict[ServerName, McpServerSettings] = {}
