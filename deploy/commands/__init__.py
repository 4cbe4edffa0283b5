"""The `twofold` command, one module a subcommand; loaded only when it is used."""
