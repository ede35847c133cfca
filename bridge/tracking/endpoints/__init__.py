"""What is answered below bridge's own prefix on the shop's host: to the tag, to cart links, to embedded tags."""

from bridge.tracking.endpoints.cart import CartPage
from bridge.tracking.endpoints.embedding import Embedding
from bridge.tracking.endpoints.tag import Endpoints

__all__ = ["CartPage", "Embedding", "Endpoints"]
