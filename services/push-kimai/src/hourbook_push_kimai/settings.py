"""What the machine must know; what people set comes from the control topic."""

from pydantic_settings import SettingsConfigDict

from hourbook_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="HOURBOOK_", frozen=True, extra="ignore")

    port: int = 8303
