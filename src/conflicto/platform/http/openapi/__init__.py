"""OpenAPI document: names, headers, problems and bodies of each operation."""
