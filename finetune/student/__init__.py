"""A student small enough for a phone: it learns from a large teacher what hashed grams can tell of a text."""
