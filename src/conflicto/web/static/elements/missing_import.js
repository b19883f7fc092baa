// The import that keeps a module from loading. Browsers name the module alone, without the file that is missing.

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g;
const MAX_IMPORTS = 20;

/**
 * Returns message and line of the first import of a module that the server does not have, or null.
 *
 * @param {string} address
 */
export async function missingImport(address) {
  const response = await fetch(address);
  if (!response.ok) return { message: "is missing", line: 0 };
  const source = await response.text();
  for (const { 1: specifier, index } of [...source.matchAll(IMPORT)].slice(0, MAX_IMPORTS)) {
    const line = source.slice(0, index).split("\n").length;
    if (!/^\.{0,2}\//.test(specifier)) return { message: `imports ${specifier}, which is no path`, line };
    const imported = new URL(specifier, response.url);
    const isThere = imported.origin === location.origin && (await fetch(imported, { method: "HEAD" })).ok;
    if (!isThere) return { message: `imports ${specifier}, which is missing`, line };
  }
  return null;
}
