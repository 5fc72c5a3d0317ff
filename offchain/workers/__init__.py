"""Celery: thin tasks that perform a role's steps in worker processes."""
