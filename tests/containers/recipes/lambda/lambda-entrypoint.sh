#!/bin/sh
# Without a runtime API, SAM has put Lambda's emulator of one beside this script.
export _HANDLER="$1"
if [ -z "$AWS_LAMBDA_RUNTIME_API" ]; then
    exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap "$1"
fi
exec /var/runtime/bootstrap "$1"
