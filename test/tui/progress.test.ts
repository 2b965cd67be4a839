/** The line of progress, with a terminal and a clock of the test's own. */

import { expect, test } from "vitest";
import { startProgress } from "../../tui/progress.ts";

function terminal(isTTY: boolean, columns = 60) {
  const written: string[] = [];
  let ms = 0;
  const line = { isTTY, columns, write: (text: string) => void written.push(text) };
  return { written, progress: startProgress(line, () => ms), wait: (more: number) => void (ms += more) };
}

test("nothing is shown of what is soon over, nor where there is no terminal", () => {
  const soon = terminal(true);
  soon.wait(900);
  soon.progress.update("working", 1, 2);
  soon.progress.end();
  const pipe = terminal(false);
  pipe.wait(5000);
  pipe.progress.update("working", 1, 2);
  pipe.progress.end();
  expect([soon.written, pipe.written]).toEqual([[], []]);
});

test("one line, not too often, taken away at the end", () => {
  const { written, progress, wait } = terminal(true, 80);
  wait(2000);
  progress.update("working", 1, 2);
  wait(50);
  progress.update("working", 2, 2);
  progress.end();
  expect(written).toEqual([`\r\u001b[K${"█".repeat(12)}${"░".repeat(12)} 50 %  working  2 s  (Ctrl-C ends it)`, "\r\u001b[K"]);
});

test("a line that would wrap is cut, and no text in it drives the terminal", () => {
  const { written, progress, wait } = terminal(true, 20);
  wait(2000);
  progress.update("a\u001b[2Jb\u0007 and a long text", 1, null);
  expect(written).toEqual(["\r\u001b[Ka�[2Jb� and a long…"]);
});
