"""Templates of pages that are rendered by the server and by the command line."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


@cache
def page_template(package: str, name: str) -> Template:
    """A template in a package's folder ``templates``: values are escaped, unknown names are errors."""
    environment = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
