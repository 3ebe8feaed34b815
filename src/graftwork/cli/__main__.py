"""`python -m graftwork.cli`, the same as `graft`."""

from graftwork.cli.main import main

main()
