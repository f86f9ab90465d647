"""Where a service finds what it must know."""

from pathlib import Path

import pytest

from hourbook_kit.settings import ServiceSettings, from_environment


class Settings(ServiceSettings):
    port: int = 1


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "hourbook_database_url").write_text("postgresql://mounted\n")
    (tmp_path / "hourbook_vault_key").write_text("key-of-the-file")
    monkeypatch.setenv("HOURBOOK_KAFKA_BOOTSTRAP", "kafka:9092")
    monkeypatch.setenv("HOURBOOK_SECRETS_FOLDER", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("mounted")
def test_secrets_come_from_files_of_their_names() -> None:
    settings = Settings()
    assert settings.database_url.get_secret_value() == "postgresql://mounted"
    assert settings.vault_key.get_secret_value() == "key-of-the-file"


@pytest.mark.usefixtures("mounted")
def test_the_environment_is_believed_before_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOURBOOK_VAULT_KEY", "key-of-the-environment")
    assert Settings().vault_key.get_secret_value() == "key-of-the-environment"


@pytest.mark.usefixtures("mounted")
def test_what_is_wrong_is_named_and_its_value_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOURBOOK_PORT", "a-word")
    monkeypatch.delenv("HOURBOOK_KAFKA_BOOTSTRAP")
    with pytest.raises(SystemExit) as left:
        from_environment(Settings)
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert "HOURBOOK_PORT" in said
    assert "HOURBOOK_KAFKA_BOOTSTRAP (missing)" in said
    assert "a-word" not in said
