"""OpenAPI document of both planes: names, headers, problems and bodies of each operation."""
