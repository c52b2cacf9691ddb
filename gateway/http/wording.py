"""Words sentences for whoever asks over HTTP, where they were made for every door, or by a library.

Only fixed phrases are exchanged here: what a sentence says is wrong is said where it is found.
"""

from collections.abc import Mapping
from typing import Any, Final

from events.misfits import misfit
from gateway.http.bodies import shown

# What helps at the command line, and what helps here.
_REMEDIES: Final = {
    "rapport show lists": "GET /v1/engagements/{id} lists",
    "rapport show prints": "GET /v1/engagements/{id}/events and /obligations tell",
    "'rapport connection list' names them": "whoever runs Rapport here knows them",
    "'rapport connection list' names their ids": "give its id",
    "'rapport agency people' lists everybody": "GET /v1/agency lists everybody",
    "'rapport subscription list' names those there are": "GET /v1/subscriptions lists them",
    "adopt one with 'rapport agency load'": "adopt one with adopt-policy",
    "load its people with 'rapport agency load'": "load its people with load-people",
}


def over_http(sentence: str) -> str:
    """Give a sentence with the remedies that are at hand here."""
    for theirs, ours in _REMEDIES.items():
        sentence = sentence.replace(theirs, ours)
    return sentence


def wrong_request(first: Mapping[str, Any]) -> str:
    """Say which part of a request is wrong, without what was sent."""
    where, *path = (str(part) for part in first["loc"])
    name = ".".join(path) or where
    if first["type"] == "missing":
        return f"the {where} needs '{name}'; add it" if path else f"this needs a {where} of JSON; send one"
    if first["type"] == "json_invalid":
        return "the body is not JSON; send one JSON object"
    if first["type"] == "extra_forbidden":
        return f"the {where} has no field '{shown(name)}'; leave it out"
    return f"'{name}' in the {where} {misfit(first)}" if path else f"the {where} {misfit(first)}"
