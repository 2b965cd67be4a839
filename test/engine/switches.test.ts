/** Fixes and options: a stack says which of them it knows, and these are the ones that its flows ask for. */

import { describe, expect, test } from "vitest";
import { FIX_NAMES, OPTION_NAMES, STACK_NAMES, STACKS, type SwitchName, stacksKnowing } from "../../engine/index.ts";

/** Switches of which one or none is on: `names` gets those that are asked for. */
class Asked extends Set<SwitchName> {
  constructor(
    readonly names: Set<SwitchName>,
    readonly on: SwitchName | null,
  ) {
    super();
  }
  override has(name: SwitchName): boolean {
    this.names.add(name);
    return name === this.on;
  }
}

describe("the switches of a stack", () => {
  test.each(STACK_NAMES)("%s: those that it declares are those that its flows ask for", (stack) => {
    const names = new Set<SwitchName>();
    // Some are asked for where another one is on only: what an option brings with it may have a fix.
    for (const on of [null, ...OPTION_NAMES]) STACKS[stack].flows(new Asked(names, on));
    expect([...names].sort()).toEqual([...(STACKS[stack].switches ?? [])].sort());
  });

  test("each fix is known to a stack", () => {
    expect(FIX_NAMES.filter((name) => stacksKnowing(name).length === 0)).toEqual([]);
  });

  test("the kernel alone has nothing to mend or to choose", () => {
    expect([...FIX_NAMES, ...OPTION_NAMES].filter((name) => stacksKnowing(name).includes("native-linux"))).toEqual([]);
  });
});
