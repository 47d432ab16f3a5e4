"""A small Civitai on this machine: to try things on, and for the tests."""
