"""What an event of Temporal's history says, in a line."""

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from workers.runs import step_of

NOTE = b'{"seq":1,"attempt":1,"activity_id":"1","activity_type":"append"}'


def _marker(name: str, **details: Payload) -> HistoryEvent:
    event = HistoryEvent(event_id=7, event_type=EventType.EVENT_TYPE_MARKER_RECORDED)
    event.marker_recorded_event_attributes.marker_name = name
    for key, payload in details.items():
        event.marker_recorded_event_attributes.details[key].CopyFrom(Payloads(payloads=[payload]))
    return event


class TestStepOf:
    async def test_names_a_local_activity(self) -> None:
        note = Payload(metadata={"encoding": b"json/plain"}, data=NOTE)
        step = await step_of(_marker("core_local_activity", data=note), None, {})
        assert step.says == "local activity: append"

    async def test_names_any_other_marker_as_it_is(self) -> None:
        note = Payload(metadata={"encoding": b"json/plain"}, data=b'{"id":"a-patch"}')
        assert (await step_of(_marker("core_patch", data=note), None, {})).says == "patch"

    async def test_looks_into_nothing_sealed(self) -> None:
        sealed = Payload(metadata={"encoding": b"binary/encrypted"}, data=b"?")
        step = await step_of(_marker("core_local_activity", data=sealed), None, {})
        assert step.says == "local activity"
