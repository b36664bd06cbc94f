from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.settings import Settings
from core.systems import OperationSettings, RemoteSettings

URL = "https://shop.example"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"url": URL}, "whose system"),
        ({"url": "ftp://shop.example", "tenant": "a"}, "pattern"),
        ({"url": URL, "tenant": "a", "secret": "s"}, "need each other"),
        ({"url": URL, "tenant": "a", "headers": {"Authorization": "{secret}"}}, "need each other"),
        ({"url": URL, "tenant": "a", "retry": 3}, "Extra inputs"),
    ],
)
def test_half_a_description_is_refused(told: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        RemoteSettings.model_validate(told)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"path": "orders"}, "pattern"),
        ({"path": "/", "conflict": [404]}, "one thing only"),
        ({"path": "/", "conflict": [500]}, "400 to 499"),
        ({"path": "/", "invalid_input": [200]}, "400 to 499"),
        ({"path": "/", "method": "TRACE"}, "method"),
    ],
)
def test_an_operation_is_checked(told: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        OperationSettings.model_validate(told)


def test_a_system_is_described_in_the_workspace_and_its_secret_elsewhere(tmp_path: Path) -> None:
    names = ("orders", "cancel", "change_address", "refund", "outcome")
    operations = "\n".join(f'[systems.orders.operations.{name}]\npath = "/{name}"' for name in names)
    head = f'[systems.orders]\nurl = "{URL}"\ntenant = "default"\nheaders = {{ Authorization = "Bearer {{secret}}" }}\n'
    (tmp_path / "wayside.toml").write_text(head + operations)
    with pytest.raises(ValidationError, match="need each other"):
        Settings(workspace=tmp_path)
    settings = Settings.model_validate(
        {"workspace": tmp_path, "systems": {"orders": {"secret": "s3cret"}}},
    )
    assert settings.systems.orders is not None
    assert settings.systems.orders.secret is not None
    assert settings.systems.orders.secret.get_secret_value() == "s3cret"
    assert settings.systems.help_desk is None
    assert "s3cret" not in repr(settings)
