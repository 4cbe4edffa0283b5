"""What provisions the service; never shipped with it.

The stages in their order, and what each may touch:

    settings      reads pyproject.toml and the environment; `target` is the table of Pythons
    artifact/     files -> one zip, named by its digest; runs uv and the target's interpreter
    expression/   text -> a CloudFormation expression (pure)
    template/     decorators -> one template (pure); `decorators/` and `topology` fill it
    stack/        change set -> progress -> outcome: decided on data, carried out through aws
    aws/          the only package that talks to AWS
    local/        plays AWS's part on a laptop
    commands/     the `twofold` command, one module each; `cli` starts them

`composition` puts topology and ops files together. Nothing here imports `service/` but
its settings.
"""
