"""Measures live streams: what they cost a sale, the stores and the web workers."""
