"""`python -m deploy` is `twofold`, for the tree it is started in."""

from deploy.cli import main

raise SystemExit(main())
