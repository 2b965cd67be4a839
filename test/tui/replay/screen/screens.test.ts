/**
 * Whole screens of the replay, as pictures to review: the toy's stories at 80x24 and 200x60, without the line that Ink needs.
 * EINTR_UPDATE=1 npx vitest run test/tui/replay/screen/screens.test.ts writes them anew.
 */

import { describe, expect, test } from "vitest";
import { expectGolden } from "../../../support/golden.ts";
import { playerOf, sessions } from "../../../support/replay.ts";

const session = sessions();
const ENTER = "\r";

/** Name, case, what is typed, and what the screen must have to be about something. */
const STORIES = [
  ["wrong-turn", "toy", `}${ENTER.repeat(4)}`, "the wrong turn: the PAL call is left"],
  ["signal", "toy", ">[f[[", "SIGINT, signal 1, now: "],
  ["back-across-aex", "toy-aex", `/sgx.aex${ENTER}JKK`, "inside the enclave  CSSA 0"],
  ["with-the-fix", "toy", ")", "-EINTR"],
  ["sql-and-jump", "toy", `;SELECT seq, flow FROM transitions WHERE kind = 'app.return'${ENTER}.${ENTER}`, "back in the application"],
  ["search", "toy", `/lock${ENTER}n`, "lock(handle)"],
  ["jump-and-flow", "toy", `g32${ENTER}5`, "toy_sighandler  (untrusted-pal"],
  ["lanes", "toy", `4g60%${ENTER}`, "capitals: signal context"],
] as const;

describe.each([
  [80, 24],
  [200, 60],
] as const)("%ix%i", (width, height) => {
  test.each(STORIES)("%s", async (name, scenario, typed, shows) => {
    const other = name === "with-the-fix" ? await session("toy", { fixes: ["sgx-interrupted-code-lost"] }) : null;
    const s = playerOf(await session(scenario, { other }), { width, height: height - 1 });
    await s.type(typed);
    const screen = s.screen().replace(/[ \t]+$/gm, "");
    expect(screen).toContain(shows);
    expectGolden(`replay/${name}-${width}x${height}.txt`, `${screen}\n`);
  });
});
