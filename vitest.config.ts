import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "test/**/*.test.tsx"],
    setupFiles: process.env.EINTR_EXTRA_STEP === undefined ? [] : ["test/support/extra-step.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Random tests print their seed; a second try would hide it.
    retry: 0,
    // On two cores one worker is the default: the tests of the terminal mostly wait, another can work meanwhile.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
