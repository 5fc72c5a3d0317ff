"""One module a part of the API; each has one `router`."""
