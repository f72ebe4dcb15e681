"""Payments: one interface to every gateway, and the inbox of their events."""
