"""The modern checklist for a staggered design, run on one panel: ``replication audit``."""
