"""What should run is read back from the stack, through the services themselves."""

from typing import Any

from deploy.local.running_release import wanted


def test_the_function_is_as_the_stack_describes_it(provisioned: Any) -> None:
    plan = provisioned.plan
    found = wanted(provisioned.aws, plan.stack)
    assert found.release == plan.pointer
    assert found.function.handler == "service.lambda_function.lambda_handler"
    assert (found.function.memory, found.function.timeout) == (512, 30.0)
    assert found.function.environment["SERVICE_DIGEST"] == plan.artifact.sha256
    assert found.function.version.isdigit()
    assert found.function.log_group == "/twofold/hello-dev/function"
    assert found.domain.endswith(f".lambda-url.{provisioned.aws.region}.on.aws")


def test_the_fleet_wants_one_instance(provisioned: Any) -> None:
    assert wanted(provisioned.aws, provisioned.plan.stack).fleet.desired == 1
