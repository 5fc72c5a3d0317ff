"""The gateway as a whole: its own description held against it, and real processes over loopback."""
