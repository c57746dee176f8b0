"""What stands around the application: local stack, command line, deployment, migrations."""
