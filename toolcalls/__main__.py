"""`python -m toolcalls`."""

import sys

from toolcalls.cli import main

sys.exit(main())
