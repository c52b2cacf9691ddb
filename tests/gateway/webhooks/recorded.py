"""Bodies that vendors publish or that were recorded, where they lie beside the project."""

from pathlib import Path

SHARED = Path(__file__).parents[4] / "shared" / "data"
_FOLDERS = {"greenhouse": SHARED / "greenhouse_webhooks", "calendly": SHARED / "calendly_webhooks"}


def recorded() -> list[tuple[str, Path]]:
    """Give each body's file with its provider; none where they are not there."""
    return [(name, path) for name, folder in _FOLDERS.items() for path in sorted(folder.glob("*.json"))]
