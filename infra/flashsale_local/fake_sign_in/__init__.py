"""A sign-in for made-up users of a local stack: who asks for a name gets it, with a token."""
