"""Measures waiting rooms: what joins, polls and admissions cost, and a claim behind a room."""
