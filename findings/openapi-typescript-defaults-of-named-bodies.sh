#!/usr/bin/env bash
# Finding: openapi-typescript 7.13.0 requires members of a request body that have a default.
#   It does so only if the schema of the body has a name.
#
# Expected: a request may omit a member that is not `required`, whatever its `default`. A `$ref`
#   means the same as the schema it refers to. The generator keeps such members optional if the
#   schema of the body is inline.
# Observed: the same schema in `components.schemas`, referred to by `$ref`, yields `size: number`
#   instead of `size?: number`. A request without `size` does not compile. Most documents name the
#   schemas of their bodies. FastAPI always does.
# Remedy: use `--default-non-nullable=false`, or no `default` in schemas of bodies.
# Exit code: 0 if the behaviour is as observed on 2026-11-29, 1 if it changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"type": "module"}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts openapi-typescript@7.13.0 typescript@5.9.3

schema='{"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer", "default": 3}}, "required": ["name"]}'
member() {
  cat > openapi.json <<JSON
{
  "openapi": "3.1.0",
  "info": {"title": "Example", "version": "1"},
  "paths": {"/things": {"post": {
    "requestBody": {"required": true, "content": {"application/json": {"schema": $1}}},
    "responses": {"204": {"description": "Made"}}
  }}},
  "components": {"schemas": {"Thing": $schema}}
}
JSON
  npx openapi-typescript openapi.json --output schema.d.ts "${@:2}" >/dev/null 2>&1
  cat > body.ts <<'TYPESCRIPT'
import type { paths } from "./schema.js";
type Body = paths["/things"]["post"]["requestBody"]["content"]["application/json"];
export const body: Body = { name: "left out: size" };
TYPESCRIPT
  if npx tsc --strict --noEmit --target es2022 --module nodenext body.ts >/dev/null; then echo optional; else echo demanded; fi
}

named='{"$ref": "#/components/schemas/Thing"}'
seen="in place: $(member "$schema"), named: $(member "$named"), named with the flag: $(member "$named" --default-non-nullable=false)"

echo "openapi-typescript 7.13.0; a member with a default in a request body: $seen"
if [ "$seen" = "in place: optional, named: demanded, named with the flag: optional" ]; then echo "as observed"; else echo "CHANGED"; exit 1; fi
