"""The demonstration: the paper's loop on the tiny base, through the real services (manage.py demo and demo_controls)."""
