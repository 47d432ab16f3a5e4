"""A small Civitai on this machine: to try things on, and for the tests."""

from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.edge import Edge
from civitscrape.sandbox.process import spawn
from civitscrape.sandbox.proxy import Proxy
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.site import Quirks
from civitscrape.sandbox.world import World, default_world

__all__ = ["CreatorSpec", "Edge", "Proxy", "Quirks", "Sandbox", "World", "default_world", "spawn"]
