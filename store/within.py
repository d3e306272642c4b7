"""Who is kept to some sites is shown what is at these and nowhere else; `%(within)s` says the same in queries."""

from __future__ import annotations

from collections.abc import Collection


def lies_within(places: Collection[str], sites: Collection[str]) -> bool:
    """Whether something has places, all of them among `sites`."""
    return bool(places) and set(places) <= set(sites)
