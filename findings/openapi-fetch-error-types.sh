#!/usr/bin/env bash
# Finding: openapi-fetch 0.17.0 with the media type `application/json` gives `error` a wrong type.
#   It happens if errors have another media type.
#
# Expected: `createClient<paths, "application/json">` selects the media type of successes. An error
#   described as `application/problem+json` (RFC 9457) gives `error` the type of its schema, as
#   without the second type parameter.
# Observed: the type of `error` is the whole `content` of the response,
#   `{"application/problem+json": Problem}`. The expression `error["application/problem+json"].code`
#   compiles and throws at run time. The property that exists, `error.code`, does not compile.
# Remedy: name both types, `createClient<paths, "application/json" | "application/problem+json">`.
# Exit code: 0 if the behaviour is as observed on 2026-11-29, 1 if it changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"type": "module"}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts openapi-fetch@0.17.0 openapi-typescript@7.13.0 typescript@5.9.3 @types/node@20.19.43

cat > openapi.json <<'JSON'
{
  "openapi": "3.1.0",
  "info": {"title": "Example", "version": "1"},
  "paths": {"/thing": {"get": {"responses": {
    "200": {"description": "A thing", "content": {"application/json": {"schema": {"type": "object", "properties": {"id": {"type": "integer"}}}}}},
    "404": {"description": "None", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
  }}}},
  "components": {"schemas": {"Problem": {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]}}}
}
JSON
npx openapi-typescript openapi.json --output schema.d.ts >/dev/null 2>&1

program() {
  cat > "$1.ts" <<TYPESCRIPT
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const refuse = async () =>
  new Response('{"code": "gone"}', { status: 404, headers: { "content-type": "application/problem+json" } });
const client = createClient<paths$2>({ baseUrl: "http://api.test", fetch: refuse });
const { error } = await client.GET("/thing");
let code = "nothing";
try {
  code = error!$3.code;
} catch (thrown) {
  code = (thrown as Error).name;
}
console.log(code);
TYPESCRIPT
  if npx tsc --strict --target es2022 --module nodenext --types node "$1.ts" >/dev/null; then printf 'compiles, '; else printf 'does not compile, '; fi
  node "$1.js"
}

alone=', "application/json"'
seen="of the schema, no media type named: $(program plain '' '')
of the schema, one named: $(program direct "$alone" '')
of the content, one named: $(program indirect "$alone" '["application/problem+json"]')
of the schema, both named: $(program both "$alone"' | "application/problem+json"' '')"

echo "openapi-fetch 0.17.0, openapi-typescript 7.13.0; the type of an error, and its code at run time:"
echo "$seen"
if [ "$seen" = "of the schema, no media type named: compiles, gone
of the schema, one named: does not compile, gone
of the content, one named: compiles, TypeError
of the schema, both named: compiles, gone" ]; then echo "as observed"; else echo "CHANGED"; exit 1; fi
