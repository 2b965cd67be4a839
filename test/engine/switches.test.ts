/** Fixes and options: a stack says which of them it knows, and these are the ones that its flows ask for. */

import { describe, expect, test } from "vitest";
import { FIX_NAMES, OPTION_NAMES, STACK_NAMES, STACKS, type SwitchName, stacksKnowing } from "../../engine/index.ts";

/** Switches, none of which is on, that keep who was asked for. */
class Asked extends Set<SwitchName> {
  readonly names = new Set<SwitchName>();
  override has(name: SwitchName): boolean {
    this.names.add(name);
    return false;
  }
}

describe("the switches of a stack", () => {
  test.each(STACK_NAMES)("%s: those that it declares are those that its flows ask for", (stack) => {
    const asked = new Asked();
    STACKS[stack].flows(asked);
    expect([...asked.names].sort()).toEqual([...(STACKS[stack].switches ?? [])].sort());
  });

  test("each fix is known to a stack", () => {
    expect(FIX_NAMES.filter((name) => stacksKnowing(name).length === 0)).toEqual([]);
  });

  test("the kernel alone has nothing to mend or to choose", () => {
    expect([...FIX_NAMES, ...OPTION_NAMES].filter((name) => stacksKnowing(name).includes("native-linux"))).toEqual([]);
  });
});
