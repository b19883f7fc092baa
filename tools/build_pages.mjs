// Bundles and minifies the pages' modules and style sheets: `node tools/build_pages.mjs FOLDER [--maps]`.
//
// Output: entries at the paths of their sources, shared chunks below `chunks/`, style sheets, declarations (`.d.ts`)
// of the modules below `sdk/` and of what they import, `licenses.txt` of the bundled packages, and `manifest.json` with `sources` (digest of the sources)
// and `preloads` (static imports by page).

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { Features, transform } from "lightningcss";
import { rolldown } from "rolldown";

const ROOT = join(import.meta.dirname, "..");
const PACKAGE = join(ROOT, "src", "conflicto");
const STATIC = join(PACKAGE, "web", "static");
const TYPES = join(PACKAGE, "activity_types");

// The newest syntax that minified modules may use; the sources use private methods.
const TARGET = "es2022";

// Modules that are loaded by URL: pages, the public interface of views, and what a page names at run time.
const ENTRIES = ["pages/*.js", "sdk/*.js", "elements/opaque.js", "elements/qr.js", "frame/main.js", "worker.js"];
const VIEWS = "*/ui/{participant,screen,results,editor}.js";

// Chunks that several entries share. Every page needs the first two, a frame only the first; a phone loads the others
// after its first view.
const CHUNKS = [
  { name: "sdk", test: /web\/static\/(core\/(dom|i18n|image|types)|sdk\/v1)\.js/ },
  {
    name: "core",
    test: /web\/static\/(core\/(?!value_text)|elements\/(appearance_loader|results\.|views)|phone\/length_limit)/,
  },
  { name: "results", test: /web\/static\/(sdk\/(chart|cloud|results)|core\/value_text|elements\/results_view)/ },
  { name: "deferred", test: /web\/static\/phone\/(deferred|menu|notices|offline)/ },
  { name: "numbers", test: /web\/static\/sdk\/numbers/ },
  { name: "list_footer", test: /web\/static\/host\/list_footer/ },
  { name: "host", test: /web\/static\/(host\/(commands|fields|lists|session_control)|screen\/(clock|keys))/ },
];

// Views import `../../sdk/`, which is their place on the server.
const viewImports = {
  name: "view-imports",
  resolveId: (source, importer) =>
    importer?.startsWith(TYPES + sep) && source.startsWith("../../sdk/") ? join(STATIC, source.slice(6)) : null,
};

const found = (folder, pattern) => globSync(pattern, { cwd: folder }).sort();

function entries() {
  const own = ENTRIES.flatMap((pattern) => found(STATIC, pattern)).map((name) => [
    name.slice(0, -3),
    join(STATIC, name),
  ]);
  const views = found(TYPES, VIEWS).map((name) => [
    `types/${dirname(dirname(name))}/${basename(name, ".js")}`,
    join(TYPES, name),
  ]);
  return Object.fromEntries([...own, ...views]);
}

async function buildModules(folder, hasMaps) {
  const bundle = await rolldown({
    input: entries(),
    plugins: [viewImports],
    platform: "browser",
    transform: { target: TARGET },
  });
  const { output } = await bundle.write({
    dir: folder,
    format: "esm",
    minify: true,
    comments: false,
    sourcemap: hasMaps,
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name].js",
    codeSplitting: { groups: CHUNKS },
  });
  return new Map(output.filter(({ type }) => type === "chunk").map((chunk) => [chunk.fileName, chunk]));
}

function buildStyles(folder) {
  for (const name of found(STATIC, "css/*.css")) {
    const { code } = transform({
      filename: name,
      code: readFileSync(join(STATIC, name)),
      minify: true,
      include: Features.MediaQueries, // `min-width`, which more browsers know than ranges
    });
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), code);
  }
}

// Writes the types of the public interface, which editors read. They import each other by the paths of the modules.
function buildDeclarations(folder) {
  const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const project = join(ROOT, "tsconfig.sdk.json");
  execFileSync(process.execPath, [compiler, "--project", project, "--outDir", folder], { stdio: "inherit" });
  for (const name of found(STATIC, "*.d.ts")) copyFileSync(join(STATIC, name), join(folder, name));
}

// Returns the licences of the npm packages in the chunks.
function licenses(chunks) {
  const modules = [...chunks.values()].flatMap(({ moduleIds }) => moduleIds);
  const packages = modules.map((id) => id.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0]).filter(Boolean);
  const texts = [...new Set(packages)]
    .sort()
    .map((path) => `${basename(path)}\n\n${readFileSync(join(path, "LICENSE"), "utf8")}`);
  return texts.join("\n");
}

// Returns the chunks that a file imports, directly or through others, in the order of their evaluation.
function importsOf(name, chunks, seen = new Set()) {
  for (const each of chunks.get(name).imports.filter((imported) => !seen.has(imported))) {
    seen.add(each);
    importsOf(each, chunks, seen);
  }
  return [...seen];
}

// Returns a digest of the paths and bytes of all sources, as `web/page_bundle.py` computes it.
function sourceDigest() {
  const paths = [
    ...found(STATIC, "**/*.{css,js,d.ts}").map((name) => join(STATIC, name)),
    ...found(TYPES, "*/ui/*.js").map((name) => join(TYPES, name)),
  ];
  const named = paths.map((path) => [relative(PACKAGE, path).split(sep).join("/"), path]);
  const digest = createHash("sha256");
  for (const [name, path] of named.sort(([one], [other]) => (one < other ? -1 : 1))) {
    const body = readFileSync(path);
    digest.update(`${name}\0${body.length}\0`).update(body);
  }
  return digest.digest("hex");
}

// The finished bundle replaces the old one at once, so that a server never reads a part of one.
const folder = process.argv[2];
const part = `${folder}.part`;
rmSync(part, { recursive: true, force: true });
const chunks = await buildModules(part, process.argv.includes("--maps"));
buildStyles(part);
buildDeclarations(part);
writeFileSync(join(part, "licenses.txt"), licenses(chunks));
const pages = found(STATIC, "pages/*.js");
const preloads = Object.fromEntries(pages.map((name) => [basename(name, ".js"), importsOf(name, chunks)]));
writeFileSync(join(part, "manifest.json"), `${JSON.stringify({ sources: sourceDigest(), preloads }, null, 1)}\n`);
rmSync(folder, { recursive: true, force: true });
renameSync(part, folder);
