"""Files of the ceremony's own tools."""
