import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { defineConfig } from "vitest/config";

/**
 * What changes a module for those who use it later: lists, prototypes, the environment. A file of tests that has one of these gets a process
 * of its own; all others share one, where modules are loaded once and their code is compiled already: a quarter of the time of all tests.
 */
const CHANGES = /\badd(?:Stack|Rule|Importer|Exporter)\(|\/(?:toy-|test-stacks)|\bcheckArguments\(|\bvi\.|\bprocess\.env\.\w+ = /;

const here = import.meta.dirname;
const files = readdirSync(path.join(here, "test"), { recursive: true, encoding: "utf8" })
  .filter((file) => /\.test\.tsx?$/.test(file))
  .map((file) => path.posix.join("test", ...file.split(path.sep)))
  .sort();
const alone = files.filter((file) => CHANGES.test(readFileSync(path.join(here, file), "utf8")));

const common = {
  setupFiles: process.env.EINTR_EXTRA_STEP === undefined ? [] : ["test/support/extra-step.ts"],
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // Random tests print their seed; a second try would hide it.
  retry: 0,
};

export default defineConfig({
  test: {
    // On two cores one worker is the default: the tests of the terminal mostly wait, another can work meanwhile.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      { test: { ...common, name: "shared", isolate: false, include: files.filter((file) => !alone.includes(file)) } },
      { test: { ...common, name: "alone", include: alone } },
    ],
  },
});
