"""A small Civitai on this machine: to try things on, and for the tests."""

from civitscrape.sandbox.edge import Edge
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.site import Quirks
from civitscrape.sandbox.world import CreatorSpec, World, default_world

__all__ = ["CreatorSpec", "Edge", "Quirks", "Sandbox", "World", "default_world"]
