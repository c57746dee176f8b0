"""How the application is deployed, and what deployments and stacks have."""
