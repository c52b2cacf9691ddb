"""What would fit in place of what did not: in our words, and never with the value."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

from events.misfits import misfit


class Form(BaseModel):
    """Something of every sort."""

    count: Annotated[int, Field(ge=1, lt=10)] = 1
    share: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    sure: bool = True
    kind: Literal["one", "two"] = "one"
    code: Annotated[str, Field(pattern="^[a-z]+$", max_length=4)] = "a"
    names: Annotated[list[str], Field(max_length=1)] = []
    own: str = ""

    @field_validator("own")
    @classmethod
    def _is_ours(cls, value: str) -> str:
        if value:
            raise ValueError("Nothing stands here")
        return value


class TestMisfit:
    @pytest.mark.parametrize(
        ("field", "value", "says"),
        [
            ("count", "many", "must be a whole number"),
            ("count", 1.5, "must be a whole number"),
            ("count", 0, "must be at least 1"),
            ("count", 10, "must be less than 10"),
            ("share", "inf", "must be a number, and not an infinite one"),
            ("sure", "perhaps", "must be true or false"),
            ("kind", "three", "must be one of 'one' or 'two'"),
            ("code", 7, "must be a text"),
            ("code", "abcde", "must be at most 4 characters long"),
            ("names", "a", "must be a list"),
            ("names", ["a", "b"], "must be a list of at most 1"),
            ("own", "secret", "is wrong: nothing stands here"),
        ],
    )
    def test_says_what_would_fit(self, field: str, value: Any, says: str) -> None:
        with pytest.raises(ValidationError) as found:
            Form.model_validate({field: value})
        assert misfit(found.value.errors()[0]) == says
