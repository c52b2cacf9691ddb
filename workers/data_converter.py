"""How values cross Temporal: pydantic to JSON, then encrypted, the texts of failures included.

Client, worker, replayer and codec server must all use this one, or they cannot read each other.
"""

from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes

from events.log.keys import KeyStore
from workers.codec import EngagementCodec


def data_converter(keys: KeyStore, agency: str | None = None) -> DataConverter:
    """Make the converter; *agency*'s key encrypts what belongs to no engagement."""
    return DataConverter(
        payload_converter_class=PydanticPayloadConverter,
        payload_codec=EngagementCodec(keys, agency),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
