/** Bundles the command line and the benchmark into dist/. Only what is native code stays outside. */

import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { build, transform } from "esbuild";

/** zod's own messages in fifty languages are half of it; ours are English. */
const zodInEnglish = {
  name: "zod-in-english",
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: 'export { default as en } from "./en.js";' })),
};

/**
 * Parts of node that most commands never use and that take their time to load: the first call loads them. A function that
 * is imported and missing here fails the build.
 */
const LATE = {
  "node:child_process": ["execFileSync", "spawn", "spawnSync"],
  "node:crypto": ["createHash"],
  "node:readline": ["createInterface"],
  "node:vm": ["runInNewContext"],
  "node:zlib": ["deflateSync", "createGzip", "createGunzip", "gunzipSync"],
};

const lateCall = (path, name) =>
  `export const ${name} = (...args) => process.getBuiltinModule(${JSON.stringify(path)}).${name}(...args);\n`;

const lateModules = {
  name: "late-modules",
  setup({ onResolve, onLoad }) {
    // Of the packages that ask by require, commander is known to want no more than these functions.
    onResolve({ filter: /^node:/ }, ({ path, kind, importer }) =>
      path in LATE && (kind === "import-statement" || /[\\/]commander[\\/]/.test(importer)) ? { path, namespace: "late" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "late" }, ({ path }) => ({ contents: LATE[path].map((name) => lateCall(path, name)).join("") }));
  },
};

/** Short names in the libraries: half of what there is to parse at a start. Ours stay, for stack traces. */
const shortNamesInLibraries = {
  name: "short-names-in-libraries",
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]node_modules[\\/].*\.[cm]?js$/ }, async ({ path }) => ({
      contents: (await transform(await readFile(path, "utf8"), { minify: true, define })).code,
    })),
};

const define = {
  "process.env.NODE_ENV": '"production"',
  // Ink's layout engine would load node's HTTP client to decode its own data: URL; it can do without. Nothing else here fetches.
  fetch: "undefined",
};

rmSync("dist", { recursive: true, force: true });
const options = {
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  // Less to read and parse at each start; names stay, for stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: true,
  external: ["*.node"],
  alias: {
    // Ink's developer tools are for developers of Ink: not installed here, and only asked for with DEV=true.
    "react-devtools-core": "./tui/stand-ins/no-devtools.ts",
    // Whether there is a terminal to draw on is asked of the terminal, not guessed from the environment.
    "is-in-ci": "./tui/stand-ins/not-in-ci.ts",
    // A frame is prebuilt lines: nothing to take apart, nothing to measure in another way than we do.
    "@alcalzone/ansi-tokenize": "./tui/stand-ins/whole-lines.ts",
    "string-width": "./tui/stand-ins/string-width.ts",
    // Where the native part lies is known: nothing to search.
    bindings: "./tui/stand-ins/bindings.cjs",
    // The same program as modules: what is not used falls away, and it is parsed once.
    yaml: "./node_modules/yaml/browser/index.js",
  },
  plugins: [zodInEnglish, lateModules, shortNamesInLibraries],
  define,
  // Bundled CommonJS packages ask for node's own modules through require.
  banner: { js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);' },
  logLevel: "warning",
};

// One after the other: what both have is not cut out into modules of its own, which would cost the program's start.
const ENTRIES = [
  { eintr: "tui/main.ts" },
  { "seal-worker": "recorder/sqlite/seal-worker.ts" },
  { library: "tui/library/index.ts" },
  { bench: "test/bench/bench.ts" },
];
for (const entryPoints of ENTRIES) await build({ ...options, entryPoints });

/** The page of `eintr report`: script and style as they stand in each report. No name in it has to be kept: nothing is debugged there. */
await build({
  entryPoints: { report: "tui/report/page/main.ts", "report-style": "tui/report/page/style.css" },
  outdir: "dist",
  bundle: true,
  format: "iife",
  platform: "browser",
  target: ["chrome110", "firefox110", "safari16.4"],
  minify: true,
  legalComments: "none",
  logLevel: "warning",
});

copyFileSync("tui/library/eintr.d.ts", "dist/library.d.ts");
writeFileSync("dist/eintr.1", execFileSync(process.execPath, ["dist/eintr.js", "man"]));
