"""What a value of a message must be, in our words, where the library that checked it has its own.

No sentence may quote the value: of an error only its kind and the bounds that the model sets are told.
"""

from collections.abc import Mapping
from typing import Any, Final

_MUST_BE: Final = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number, and not so large",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number, and not an infinite one",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "string_unicode": "a text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object with fields",
    "model_type": "an object with fields",
    "model_attributes_type": "an object with fields",
    "string_pattern_mismatch": "an id or code of letters, digits, '-', '_' and '.', without spaces",
    "literal_error": "one of {expected}",
    "enum": "one of {expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_too_long": "at most {max_length} characters long",
    "string_too_short": "at least {min_length} characters long",
    "too_long": "a list of at most {max_length}",
    "too_short": "a list of at least {min_length}",
}


def misfit(error: Mapping[str, Any]) -> str:
    """Say of one error of a validation what would fit, to stand after a field's name."""
    wanted = _MUST_BE.get(error["type"])
    if wanted is not None:
        return f"must be {wanted.format_map(error.get('ctx') or {})}"
    says = str(error["msg"]).removeprefix("Value error, ")
    return f"is wrong: {says[:1].lower()}{says[1:]}"
