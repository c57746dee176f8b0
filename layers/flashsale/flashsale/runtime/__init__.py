"""What lives as long as a process of AWS Lambda, and how an SQS event reaches a use case."""
