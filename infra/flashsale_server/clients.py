"""How clients of AWS behave in a process that only watches."""

from botocore.config import Config

# Seconds. A scrape must not wait for a service that hangs, and repeats no call.
PATIENCE = 2.0
IMPATIENT = Config(connect_timeout=0.5, read_timeout=PATIENCE, retries={"total_max_attempts": 1})
