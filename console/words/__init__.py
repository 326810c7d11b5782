"""Texts that others wrote made printable, and troubles in words."""
