/** The one table of keys: what the help and the palette make of it. */

import { describe, expect, test } from "vitest";
import { COMMANDS, matching } from "../../../../tui/replay/input/commands.ts";
import { PANES } from "../../../../tui/replay/panes/index.ts";
import { playerOf, sessions } from "../../../support/replay.ts";

const session = sessions();

describe("the key table", () => {
  test("no key stands for two commands, every command has a text", () => {
    const keys = COMMANDS.flatMap((command) => command.keys);
    expect(new Set(keys).size).toBe(keys.length);
    for (const { text, name } of COMMANDS) expect(text.length, name).toBeGreaterThan(3);
    expect(new Set(COMMANDS.map((command) => command.name)).size).toBe(COMMANDS.length);
  });

  test("the help lists every key, the palette finds by words", async () => {
    const w = await session("initialisation");
    const s = playerOf(w, { width: 200, height: 60 });
    await s.press("?");
    const first = s.screen();
    await s.type(" ");
    const parts = `${first}\n${s.screen()}`.split(/ {2,}|\n/).filter((part) => part !== "");
    /** What stands to the right of this. */
    const beside = (name: string): string | undefined => (parts.includes(name) ? parts[parts.indexOf(name) + 1] : undefined);
    for (const { keys, text, group } of COMMANDS) if (group !== "pane") expect(beside(keys.join(" ")), text).toBe(text);
    for (const { id, title } of PANES) {
      const { keys } = COMMANDS.find(({ name }) => name === `pane-${id}`) ?? expect.fail(`no key for ${id}`);
      expect(beside(`${keys.join(" ")} ${id}`), id).toBe(title);
    }
    await s.type("?:back signal");
    expect(matching("back signal").map((command) => command.name)).toEqual(["signal-back"]);
    expect(s.screen()).toMatch(/^> signal-back +\[ +the same, back *$/m);
    expect(s.screen()).not.toContain("one transition of this thread back");
    // A whole word goes before the begin of another one; the arrows choose among what is found.
    expect(matching("time").map((command) => command.name)[0]).toBe("ask-time-by-layer");
    await s.type("\u001b");
    await s.type(":pane");
    await s.type("\u001b[B");
    await s.type("\r");
    expect(s.state()).toMatchObject({ prompt: null, pane: matching("pane")[1]?.name.replace("pane-", "") });
  });

  test("the help scrolls line by line and page by page, and no further than its end; another key closes it and does what it does", async () => {
    const s = playerOf(await session("initialisation"), { width: 80, height: 23 });
    await s.type("?");
    expect(s.screen()).toMatch(/lines 1 to 17 of/);
    await s.type("jjk");
    expect(s.screen()).toMatch(/lines 2 to 18 of/);
    await s.type("          ");
    expect(s.screen()).toContain("the second line: jump");
    await s.type("kk");
    expect(s.screen()).not.toContain("the second line: jump");
    await s.type("q");
    expect(s.state()).toMatchObject({ overlay: null, seq: 0 });
    await s.type("?J");
    expect(s.state()).toMatchObject({ overlay: null, seq: 1 });
    await s.type("?:time");
    expect(s.screen()).toMatch(/^ {2}ask-time-by-call /m);
  });

  test("too small a terminal is told so", async () => {
    const s = playerOf(await session("initialisation"), { width: 40, height: 10 });
    expect(s.screen()).toContain("this terminal is 40x11;");
    expect(s.screen().split("\n")).toHaveLength(10);
  });
});
