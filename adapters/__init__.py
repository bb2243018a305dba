"""Wire protocols: plain Python, importable and testable without Odoo."""

from . import http_platform, medusa, shopify, woocommerce
