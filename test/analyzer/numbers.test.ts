/** Error numbers and their names: one table, of the kernel, for what findings say and for what logs say. */

import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { E, errnoNumber, resultText } from "../../engine/index.ts";

describe("errors", () => {
  it("are called by their names, also those the emulated code never returns", () => {
    expect(resultText(-98)).toBe("-EADDRINUSE");
    expect(resultText(-4)).toBe("-EINTR");
    expect(resultText(-512)).toBe("-ERESTARTSYS");
    expect(resultText(-999)).toBe("-errno 999");
    // The kernel left 41 and 58 out.
    expect([resultText(-41), errnoNumber("-")]).toEqual(["-errno 41", null]);
    expect([resultText(0), resultText(64), resultText(-4096)]).toEqual(["0", "64", "-4096"]);
  });

  it.skipIf(process.platform !== "linux")("have the numbers of Linux", () => {
    for (const [name, number] of Object.entries(constants.errno)) expect(errnoNumber(name), name).toBe(-number);
  });

  it("read back as what they are called", () => {
    for (let number = 1; number <= 133; number += 1) {
      const name = resultText(-number).slice(1);
      if (number === 41 || number === 58) expect(name).toMatch(/^errno/);
      else expect(errnoNumber(name), name).toBe(-number);
    }
    for (const [name, number] of Object.entries(E)) if (!name.startsWith("RESTART")) expect(errnoNumber(`E${name}`)).toBe(number);
    expect(errnoNumber("EWOULDBLOCK")).toBe(E.AGAIN);
    expect(errnoNumber("ENOSUCH")).toBeNull();
  });
});
