"""What the bodies of the admin API share."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

# A range in which clocks, PostgreSQL and JavaScript agree.
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC)),
]


class RequestBody(BaseModel):
    """A body that an admin sends. A field that it does not know is an error."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class Nothing(RequestBody):
    """Body of requests whose path says all. It may be absent."""


class AnswerBody(BaseModel):
    """A body that an admin gets."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)
