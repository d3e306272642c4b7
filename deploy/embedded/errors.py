"""The one exception of this package, and the way out that most of its messages end with."""

from sensors.errors import OperatorError

WAY_OUT = "set VIGIE_DATABASE_URL and VIGIE_BROKER_URL to servers of your own, or use deploy/compose.yaml"


class EmbeddedError(OperatorError):
    """The embedded stack cannot go on; the message is one line that names the value and the way out."""
