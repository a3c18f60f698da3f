"""Grades a class: submissions in, gradebook out. See docs/GRADING.md."""

__version__ = "1.0"
