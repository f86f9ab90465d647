"""Where the local stack lives and listens."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from hourbook_local.children import free_port


class LocalSettings(BaseSettings):
    """`HOURBOOK_LOCAL_<NAME>`; everything listens on 127.0.0.1."""

    model_config = SettingsConfigDict(env_prefix="HOURBOOK_LOCAL_", frozen=True, extra="ignore")

    folder: Path = Path(".local")
    """All that is kept between runs."""
    ui_folder: Path = Path("services/ui/dist")
    """The built pages; without them there is the API only."""
    query_api_port: int = 8300
    ingest_zammad_port: int = 8301
    reconciler_port: int = 8302
    push_kimai_port: int = 8303
    jobs_port: int = 8304
    zammad_port: int = 8310
    kimai_port: int = 8311
    postgres_port: int = 8332
    kafka_port: int = 8392
    kafka_controller_port: int = 8393

    @property
    def ports(self) -> dict[str, int]:
        """By what listens there."""
        return {
            name.removesuffix("_port"): int(number)
            for name, number in self.model_dump().items()
            if name.endswith("_port")
        }

    @classmethod
    def for_test(cls, folder: Path) -> "LocalSettings":
        """A folder of the test's own, and ports that nobody listens on."""
        names = [name for name in cls.model_fields if name.endswith("_port")]
        return cls.model_validate({"folder": folder} | {name: free_port() for name in names})
