"""`python -m whyops`: the same as the command `whyops`."""

from __future__ import annotations

import sys

from whyops._cli._main import main

if __name__ == "__main__":
    sys.exit(main())
