"""Run single-file Python programs that declare their own dependencies."""

__version__ = "0.1.0"
