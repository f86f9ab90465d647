"""What every answer has in common: a field with a default is always there, so clients need not ask."""

from pydantic import BaseModel, ConfigDict


class Shown(BaseModel):
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)
