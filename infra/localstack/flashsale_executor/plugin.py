"""The plugin that LocalStack loads for LAMBDA_RUNTIME_EXECUTOR=process."""

import sys
from typing import Any

from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from flashsale_executor.environment import Environment, InitError, Invocation


class ProcessExecutor(RuntimeExecutor):
    """Runs a function version with LocalStack's own Python."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:  # noqa: A002
        super().__init__(id, function_version)
        config = function_version.config
        self._environment = Environment(
            sys.executable,
            config.handler,
            config.code.get_unzipped_code_location(),
            [layer.code.get_unzipped_code_location() for layer in config.layers or []],
            config.memory_size,
        )

    def start(self, env_vars: dict[str, str]) -> None:
        """Start the process. LocalStack reports errors to the client that invoked the function."""
        try:
            self._environment.start(env_vars)
        except InitError as error:
            raise StatusErrorException(str(error), payload=error.payload) from error

    def stop(self) -> None:
        """Stop the process."""
        self._environment.stop()

    def invoke(self, payload: dict[str, Any]) -> InvocationResult:
        """Run one invocation. The logs include the START, END and REPORT lines."""
        invocation = Invocation(
            request_id=payload["invoke-id"],
            payload=payload["payload"].encode(),
            arn=payload["invoked-function-arn"],
            trace_id=payload["trace-id"],
            deadline=float(self.function_version.config.timeout),
        )
        result = self._environment.invoke(invocation)
        return InvocationResult(invocation.request_id, result.payload, result.is_error, result.logs)

    def get_logs(self) -> str:
        """Return all output of the process."""
        return self._environment.logs()

    def get_address(self) -> str:
        """Return the address of the process."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Return the address at which the process finds LocalStack."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """Return nothing, because each process has its own Runtime API."""
        return ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack the code and the layers."""
        function_version.config.code.prepare_for_execution()
        for layer in function_version.config.layers or []:
            layer.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Do nothing, because nothing is left."""


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """Registers the executor through this package's entry point."""

    name = "process"

    def load(self, *_: Any, **__: Any) -> type[RuntimeExecutor]:
        """Return the executor class."""
        return ProcessExecutor
