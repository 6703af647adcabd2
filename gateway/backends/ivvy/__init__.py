"""iVvy: contacts and leads, written by add-or-update calls whose arrays override."""
