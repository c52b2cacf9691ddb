"""What is made without checking is what checking would have made."""

from typing import TYPE_CHECKING, get_args

import pytest

from events.catalogue import Event
from events.codec import body_of
from events.making import made
from events.promises import Conclusion

if TYPE_CHECKING:
    from tests.events.specification import World


class TestMade:
    @pytest.mark.parametrize("kind", get_args(Conclusion), ids=lambda kind: kind.__name__)
    def test_equals_what_is_checked(self, world: "World", kind: type[Event]) -> None:
        """Every event of the engine, with all its fields and with only those it must have."""
        checked = world.event(kind.model_fields["type"].default)
        values = {name: getattr(checked, name) for name in kind.model_fields if name != "type"}
        assert made(kind, **values) == checked
        assert body_of(made(kind, **values)) == body_of(checked)
        assert made(kind, **values).model_dump_json() == checked.model_dump_json()
        needed = {name: values[name] for name, field in kind.model_fields.items() if field.is_required()}
        assert made(kind, **needed) == kind(**needed)
        assert hash(made(kind, **needed)) == hash(kind(**needed))
