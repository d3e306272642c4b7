"""`python -m service` is the `vigie` command, for where the console script is not on the path."""

from service.cli import run

run()
