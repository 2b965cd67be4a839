/** Keys through Ink itself: what is typed reaches the commands, what they change reaches the screen. */

import { render } from "ink-testing-library";
import { afterAll, expect, test } from "vitest";
import { Replay } from "../../../tui/replay/app.tsx";
import type { ReplaySession } from "../../../tui/replay/session.ts";
import { sessionOf } from "../../support/replay.ts";
import { tempPaths } from "../../support/temp-dir.ts";

const fresh = tempPaths();
const opened: ReplaySession[] = [];
afterAll(() => {
  for (const session of opened) session.trace.close();
});

const ESCAPE = "\u001b";
const WAIT_MS = 5000;

async function app(name: string) {
  const session = await sessionOf(name, fresh(`${name}.trace`));
  opened.push(session);
  let copied = "";
  const ink = render(
    <Replay
      session={session}
      start={{ width: 100, height: 30 }}
      copy={(text) => void (copied = text)}
      picture={() => "picture.svg"}
      suspend={() => {}}
    />,
  );
  const until = async (text: string): Promise<string> => {
    const end = Date.now() + WAIT_MS;
    for (;;) {
      const frame = ink.lastFrame() ?? "";
      if (frame.includes(text)) return frame;
      if (Date.now() > end) throw new Error(`no "${text}" in\n${frame}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const keys = async (...pressed: string[]): Promise<void> => {
    for (const key of pressed) {
      ink.stdin.write(key);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  };
  return { until, keys, last: session.rows.count - 1, copied: () => copied, end: () => ink.unmount() };
}

test("arrows and letters step, a jump is typed, the wrong turn is found", async () => {
  const { until, keys, last, copied, end } = await app("toy");
  await until(`seq 0 of ${last}`);
  await keys(`${ESCAPE}[B`, "j");
  await until(`seq 2 of ${last}`);
  await keys(`${ESCAPE}[A`);
  await until(`seq 1 of ${last}`);
  await keys("g", "5", "0", "%", "\r");
  await until(`seq ${Math.round(last / 2)} of ${last}`);
  await keys("{", "\r", "\r", "\r", "\r", "\r");
  await until("the wrong turn");
  await keys("y");
  await until("sent to the terminal's clipboard");
  expect(copied()).toContain("Signal context");
  end();
});

test("keys that come in one piece, held down or pasted, are all taken", async () => {
  const { until, keys, last, end } = await app("toy");
  await keys("jjjjj");
  await until(`seq 5 of ${last}`);
  await keys("g50%x\u007f\r");
  await until(`seq ${Math.round(last / 2)} of ${last}`);
  await keys(";SELECT 12 AS seq\r");
  await until(": 1 row");
  await keys("\r");
  await until(`seq 12 of ${last}`);
  end();
});

test("sequences that are no key do nothing, and end nothing", async () => {
  const { until, keys, last, end } = await app("toy");
  await until(`seq 0 of ${last}`);
  await keys(...["[31m", "[0n", "[224z", "[97;5~", "[15;5^", "[?1;2c", "OM"].map((rest) => ESCAPE + rest), "j");
  await until(`seq 1 of ${last}`);
  end();
});

test("the palette runs a command by its name, help opens and closes", async () => {
  const { until, keys, end } = await app("toy");
  await keys("?");
  await until("next transition of this thread");
  await keys("?");
  await until("Signal context");
  await keys(":", "pane", "-", "flow");
  await until("> pane-flow");
  await keys("\r");
  await until("[5 flow]");
  end();
});

test("the wheel steps, a click on the minimap jumps, a click on a row goes there", async () => {
  const { until, keys, last, end } = await app("toy");
  await keys(`${ESCAPE}[<65;10;10M`);
  await until(`seq 1 of ${last}`);
  await keys(`${ESCAPE}[<64;10;10M`);
  await until(`seq 0 of ${last}`);
  await keys(`${ESCAPE}[<0;96;2M`);
  await until(`seq ${last} of ${last}`);
  await keys(`${ESCAPE}[<0;8;2M`);
  await until(`seq 0 of ${last}`);
  // Third line of the timeline's rows: two of the screen's head and the titles are above them.
  await keys(`${ESCAPE}[<0;20;6M`);
  await until(`seq 2 of ${last}`);
  end();
});

test("it plays by itself and stops", async () => {
  const { until, keys, last, end } = await app("toy");
  await keys("+", "+", "+", " ");
  await until("playing");
  await until(`seq ${last} of ${last}`);
  await until("nothing further on");
  end();
});
