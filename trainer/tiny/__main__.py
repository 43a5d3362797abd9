"""Entry point of `python -m trainer.tiny`."""

import sys

from trainer.tiny.cli import main

sys.exit(main())
