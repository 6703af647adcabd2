"""Everbridge: contacts of one organization, written whole (read, merge, PUT)."""
