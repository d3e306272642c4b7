"""`python -m service` is the `vigie` command, for where the console script is not on the path."""

import sys

from service.cli import main

sys.exit(main())
