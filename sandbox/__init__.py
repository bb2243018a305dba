"""Stores to develop, demonstrate and test against. The addon itself never imports this package."""
