"""Asking providers for what their webhooks leave out: the adapter, the polls, what they find."""
