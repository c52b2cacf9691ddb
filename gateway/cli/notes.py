"""Reads the note that goes with a handover: words, a file of words, or a TOML file with a note for each.

No complaint may repeat a note: it is about somebody.
"""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.cli.errors import Wrong

if TYPE_CHECKING:
    from workers.reassigning import Notes

# In a TOML file: for every engagement that has no note of its own.
OTHERS: Final = "others"
LONGEST: Final = 20_000


def read_notes(given: str | None) -> "Notes":
    """Read FILE or TEXT; nothing given means no note."""
    from workers.reassigning import Notes

    if given is None:
        return Notes()
    path = Path(given)
    looks_like_file = "\n" not in given and (path.suffix in (".toml", ".txt", ".md") or "/" in given)
    if not looks_like_file and not (len(given) < 200 and path.is_file()):
        return Notes(others=_sized(given, "--note"))
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Wrong(f"--note: {path}: cannot be read ({(error.strerror or 'no file').lower()})") from None
    except UnicodeDecodeError:
        raise Wrong(f"--note: {path}: is not UTF-8 text") from None
    return _each(text, path) if path.suffix == ".toml" else Notes(others=_sized(text.strip(), str(path)))


def _each(text: str, path: Path) -> "Notes":
    from workers.reassigning import Notes

    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        # Its own words may quote the line.
        raise Wrong(f'--note: {path}: is not valid TOML; write lines like e-1 = "…"') from None
    for key, value in data.items():
        if not isinstance(value, str):
            raise Wrong(f'--note: {path}: each line is an engagement and its note, like e-1 = "…"')
        _sized(value, f"{path}, '{key}'")
    return Notes(of={key: value for key, value in data.items() if key != OTHERS}, others=data.get(OTHERS))


def _sized(text: str, where: str) -> str:
    if len(text) > LONGEST:
        raise Wrong(f"{where}: a note has at most {LONGEST} characters; say where the rest lies")
    return text
