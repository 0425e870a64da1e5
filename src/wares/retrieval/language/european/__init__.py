"""The European languages: folding, light stems, compounds."""
