"""What provisions the service; never shipped with it.

The stages, and what each may touch: settings (reads pyproject.toml and the environment)
-> build (runs uv and the target's compiler) -> artifact (pure) -> template (pure)
-> stack (pure decisions on what aws, the only module that talks to AWS, reports)
-> instance (ops/, inside the artifact). `local/` plays AWS's part on a laptop.
"""
