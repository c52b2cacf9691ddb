"""How values cross Temporal: pydantic to JSON, then encrypted, the texts of failures included.

Client, worker, replayer and codec server must all use this one, or they cannot read each other.
"""

from typing import Final

from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
)

from events.log.keys import KeyStore
from workers.codec import EngagementCodec

_ONE: Final = PydanticPayloadConverter()


class Payloads(CompositePayloadConverter):
    """Pydantic's converter with what it learns kept once a process, and not once a cached workflow.

    Every run makes a converter, and each would build and keep readers of the same types.
    """

    def __init__(self) -> None:
        super().__init__(*_ONE.converters.values())


def data_converter(keys: KeyStore, agency: str | None = None) -> DataConverter:
    """Make the converter; *agency*'s key encrypts what belongs to no engagement."""
    return DataConverter(
        payload_converter_class=Payloads,
        payload_codec=EngagementCodec(keys, agency),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
