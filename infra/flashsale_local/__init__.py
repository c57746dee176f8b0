"""What runs on the laptop of an engineer: the local stack, the CLI, the demo, the live page."""
