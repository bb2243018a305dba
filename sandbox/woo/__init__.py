"""The WooCommerce REST API, version 3, as far as a connector uses it.

Facts are taken from WooCommerce's REST documentation and from its PHP source, which decides where
both differ: https://woocommerce.github.io/woocommerce-rest-api-docs/ and
https://github.com/woocommerce/woocommerce/tree/trunk/plugins/woocommerce/includes/rest-api
"""
