"""Tells other systems what happens: webhooks out, in order per engagement, at least once."""
