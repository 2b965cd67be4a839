/** Commands that are told can be pasted: in a checkout, and with names that a shell would take apart. */

import { afterEach, expect, test, vi } from "vitest";
import { pasted } from "../../tui/present/pasted.ts";

afterEach(() => void vi.unstubAllEnvs());

test("through npm, where eintr alone is not found", () => {
  vi.stubEnv("npm_lifecycle_event", "test");
  expect(pasted("show", "a.trace", "--finding", 2)).toBe("eintr show a.trace --finding 2");
  for (const script of ["start", "eintr"]) {
    vi.stubEnv("npm_lifecycle_event", script);
    expect(pasted("analyze", "a.trace")).toBe("npm run -s eintr -- analyze a.trace");
  }
});

test("quoted where a shell needs it, and without what drives a terminal", () => {
  vi.stubEnv("npm_lifecycle_event", "");
  expect(pasted("analyze", "my trace")).toBe("eintr analyze 'my trace'");
  expect(pasted("analyze", "it's $HOME")).toBe("eintr analyze 'it'\\''s $HOME'");
  expect(pasted("analyze", "/tmp/a-b_c.trace")).toBe("eintr analyze /tmp/a-b_c.trace");
  expect(pasted("analyze", "a\u001b[2J")).not.toContain("\u001b");
});
