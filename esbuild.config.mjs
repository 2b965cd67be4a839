/** Bundles the command line and the benchmark into dist/. Only better-sqlite3 stays outside: it is native code. */

import { rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
await build({
  entryPoints: { eintr: "tui/main.ts", bench: "test/bench/bench.ts" },
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
  external: ["better-sqlite3"],
  alias: {
    // Ink's developer tools are for developers of Ink: not installed here, and only asked for with DEV=true.
    "react-devtools-core": "./tui/stand-ins/no-devtools.ts",
    // Whether there is a terminal to draw on is asked of the terminal, not guessed from the environment.
    "is-in-ci": "./tui/stand-ins/not-in-ci.ts",
  },
  define: { "process.env.NODE_ENV": '"production"' },
  // Bundled CommonJS packages ask for node's own modules through require.
  banner: { js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);' },
  logLevel: "warning",
});
