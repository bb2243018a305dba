"""Wire protocols: plain Python, importable and testable without Odoo."""

from . import shopify, woocommerce
