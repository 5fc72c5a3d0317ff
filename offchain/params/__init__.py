"""Parameters: presets are what the chain enforces, settings are what a user may change."""
