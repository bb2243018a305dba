"""What a Medusa store answers, as far as the addon uses it."""
