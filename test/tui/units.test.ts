/** Times in calls' arguments, as people read them. */

import { expect, test } from "vitest";
import { withUnits } from "../../tui/present/units.ts";

test.each([
  ["nanosleep(5000000)", "nanosleep(5 ms)"],
  ["alarm(1000000000): 0, on Linux 1", "alarm(1 s): 0, on Linux 1"],
  ["epoll_wait(fd 3, 29850000, SIGUSR1)", "epoll_wait(fd 3, 29.85 ms, SIGUSR1)"],
  ["setitimer(100010000000, 1500, virtual)", "setitimer(100.01 s, 1.5 us, virtual)"],
  ["runs in clock_nanosleep(20139000); and 2 more", "runs in clock_nanosleep(20.139 ms); and 2 more"],
])("%s", (site, shown) => expect(withUnits(site)).toBe(shown));

test("what is no time stays: other calls, small numbers, names with digits", () => {
  const texts = ["read(pipe, 65536)", "poll(p, 0)", "poll(1234x, WNOHANG)", "futex_wait(w)", "poll(5000000", `${"alarm(".repeat(50_000)}`];
  for (const text of texts) expect(withUnits(text)).toBe(text);
});
