"""bridge: connects a Magento 2 shop to Ometria from outside the shop."""

__version__ = "0.1.0"
