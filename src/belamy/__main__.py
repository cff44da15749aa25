"""`python -m belamy`: the same as the command `belamy`."""

from __future__ import annotations

from belamy.cli import main

if __name__ == "__main__":
    main()
