"""The parts of the Shopify sandbox: GraphQL on Shopify's schema, and the rules it does not say.

Documents are stored under the schema's own field names, so that most fields need no resolver.
"""
