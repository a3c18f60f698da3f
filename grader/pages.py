"""HTML pages of one file: everything escaped, no scripts, nothing loaded from anywhere."""

from functools import cache
from pathlib import Path

import jinja2

TEMPLATES = Path(__file__).with_name("templates")


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True,
                              lstrip_blocks=True, undefined=jinja2.StrictUndefined)


def page(template: str, **values: object) -> str:
    """TEMPLATE of grader/templates/ with VALUES; what comes from strangers is escaped. Undefined names are errors."""
    return _environment().get_template(template).render(**values)
