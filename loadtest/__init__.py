"""Benchmarks and load scripts."""
