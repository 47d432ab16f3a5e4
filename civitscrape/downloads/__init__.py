"""Bytes to disk: paced slots, streaming, hashes while they pass."""
