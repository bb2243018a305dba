"""Wire protocols: plain Python, importable and testable without Odoo."""

from . import medusa, shopify, woocommerce
