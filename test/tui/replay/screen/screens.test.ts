/**
 * Whole screens of the replay, as pictures to review: the toy's stories at 80x24, 120x40 and 200x60, without the line that Ink needs.
 * EINTR_UPDATE=1 npx vitest run test/tui/replay/screen/screens.test.ts writes them anew.
 */

import { describe, expect, test } from "vitest";
import { opening } from "../../../../tui/replay/navigate/opening.ts";
import type { ReplaySession } from "../../../../tui/replay/session.ts";
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

/** The ten stories of the second suite: what is opened, whether at the verdict, what is typed. */
const MORE_STORIES = [
  ["open-at-the-verdict", "toy", "", "the wrong turn: the PAL call is left"],
  ["zoom-to-an-aex", "toy-aex", `/sgx.aex${ENTER}4${"i".repeat(8)}`, "[4 lanes]"],
  ["across-threads", "w6-kill-fanout", `/host.signal.generate${ENTER}f4${"i".repeat(12)}`, "◆"],
  ["condition-backwards", "nested", `>&kind = app.handler.enter${ENTER}8R`, "stopped: kind = app.handler.enter"],
  ["who-set-this", "toy", `g52${ENTER}1.....W`, "set here: before it was"],
  ["fix-chosen-inside", "lost-interrupted-error", `7${ENTER})`, "-EINTR there"],
  ["note", "toy", `g20${ENTER}athe lock is taken here${ENTER}8`, "the lock is taken here"],
  ["two-traces", "w12-pause-alarm", ")", "there"],
  ["merged-threads", "w6-kill-fanout", `/free\\(signal${ENTER}V`, "idle"],
  ["recipe-and-chart", "w7-burst-blocked", `6..${ENTER}G`, "█"],
] as const;

/** The findings on the screens: what is new in the catalogue changes none of them. */
const TOLD: ReadonlySet<string> = new Set(["sgx-interrupted-code-lost", "pause-never-returns", "spurious-yield-per-pending"]);
const asTold = (w: ReplaySession): ReplaySession => ({ ...w, stored: (w.stored ?? []).filter(({ rule }) => TOLD.has(rule)) });

const VERDICT = new Set<string>(["open-at-the-verdict", "fix-chosen-inside"]);

describe.each([
  [80, 24],
  [120, 40],
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

  test.each(MORE_STORIES)("%s", async (name, scenario, typed, shows) => {
    const other = name === "two-traces" ? await session("alarm") : null;
    const w = asTold(await session(scenario, { other }));
    const start = VERDICT.has(name) ? opening(w, w.stored ?? []) : {};
    const s = playerOf(w, { width, height: height - 1, ...start });
    await s.type(typed);
    const screen = s.screen().replace(/[ \t]+$/gm, "");
    expect(screen).toContain(shows);
    expectGolden(`replay/${name}-${width}x${height}.txt`, `${screen}\n`);
  });
});
