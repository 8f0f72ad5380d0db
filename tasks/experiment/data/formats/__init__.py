"""Data people bring: one layout of files per module."""
