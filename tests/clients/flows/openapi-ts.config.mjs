// Node.js wants to read the extensions of the files that a module imports.
export default { input: "openapi.json", output: { path: "client", module: { extension: ".js" } } };
