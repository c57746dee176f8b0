"""What prevents or disturbs a local stack on this machine: the checks of `flashsale doctor`."""
