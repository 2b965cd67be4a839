/** A long strace log: what importing it costs beside reading its lines, and what it holds of each. */

import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { createLineSplitter } from "../../../recorder/import/index.ts";
import { strace } from "../../../recorder/import/strace/index.ts";
import { least, type Setting, times } from "../bars.ts";
import { measureAlone, measureWithin, runProgram } from "../child.ts";

const CPU_BAR = 30;
const BYTES_BAR = 500;
const ROUNDS = 3;
const CHUNK = 1 << 20;

/** A server of two threads under a timer's signals: the calls of a real one, in the length that strace gives them. */
function* lines(count: number): Generator<string, void> {
  let us = 0;
  const at = (): string => `1700000${String(Math.floor(us / 1e6)).padStart(3, "0")}.${String((us += 37) % 1e6).padStart(6, "0")}`;
  yield `10 ${at()} execve("./w", ["./w"], 0x7ffd /* 9 vars */) = 0 <0.000200>`;
  yield `10 ${at()} rt_sigaction(SIGALRM, {sa_handler=0x401100, sa_mask=[], sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x7f01}, NULL, 8) = 0 <0.000010>`;
  yield `10 ${at()} clone(child_stack=0x7f02, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM, parent_tid=[11]) = 11 <0.000080>`;
  for (let made = 3, i = 0; made < count; i += 1) {
    yield `10 ${at()} read(${3 + (i % 5)}, "GET /index.html HTTP/1.1\\r\\nHost: example.org\\r\\n"..., 16384) = 78 <0.000012>`;
    yield `10 ${at()} epoll_wait(5,  <unfinished ...>`;
    yield `11 ${at()} futex(0x7f0d${(i % 4096).toString(16)}, FUTEX_WAIT_PRIVATE, 2, NULL) = -1 EAGAIN (Resource temporarily unavailable) <0.000010>`;
    yield `10 ${at()} <... epoll_wait resumed>[{EPOLLIN, {u32=7, u64=7}}], 10128, 100) = 1 <0.000090>`;
    yield `10 ${at()} mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f58889f3000 <0.000020>`;
    yield `10 ${at()} write(7, "HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nabcd", 45) = 45 <0.000015>`;
    made += 6;
    if (i % 50 > 0) continue;
    yield `10 ${at()} --- SIGALRM {si_signo=SIGALRM, si_code=SI_USER, si_pid=1, si_uid=0} ---`;
    yield `10 ${at()} rt_sigreturn({mask=[]}) = 0 <0.000009>`;
    made += 2;
  }
}

function* chunks(count: number): Generator<Uint8Array, void> {
  let text: string[] = [];
  let length = 0;
  for (const line of lines(count)) {
    text.push(line, "\n");
    length += line.length + 1;
    if (length < CHUNK) continue;
    yield Buffer.from(text.join(""));
    text = [];
    length = 0;
  }
  yield Buffer.from(text.join(""));
}

async function* asRead(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* parts;
}

const cpuMs = (since: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e3;
};

/** CPU time of the import as a multiple of that of reading the lines. */
export async function importAlone(count: number): Promise<number> {
  const parts = [...chunks(count)];
  const reading = readLines(parts, count);
  const begun = process.cpuUsage();
  await strace.read(asRead(parts), "bench.strace");
  return cpuMs(begun) / reading;
}

/** ms of CPU time that reading the lines takes. */
function readLines(parts: readonly Uint8Array[], count: number): number {
  const begun = process.cpuUsage();
  const splitter = createLineSplitter();
  let read = 0;
  for (const part of parts) for (const _ of splitter.add(part)) read += 1;
  if (read < count) throw new Error("the log is shorter than it should be");
  return cpuMs(begun);
}

export const readingAlone = (count: number): number => readLines([...chunks(count)], count);

/** kB that the process has held at most when it has imported so many lines, which are made as they are read. */
export async function importMemoryAlone(count: number): Promise<number> {
  await strace.read(
    (async function* () {
      yield* chunks(count);
    })(),
    "bench.strace",
  );
  return process.resourceUsage().maxRSS;
}

export function imports(setting: Setting): void {
  const { bars, folder } = setting;
  const count = setting.rows(500_000);
  const few = Math.round(count / 50);
  const ratio = least(Array.from({ length: ROUNDS }, () => measureAlone("import", String(count))));
  bars.report(`CPU of importing ${count.toLocaleString("en")} lines / reading them`, times(ratio), `<= ${CPU_BAR} x`, ratio <= CPU_BAR);
  const base = measureAlone("import-memory", String(few));
  const most = measureWithin(Math.ceil((BYTES_BAR * count) / 2 ** 20), "import-memory", String(count));
  const bytes = most === null ? Number.POSITIVE_INFINITY : ((most - base) * 1024) / (count - few);
  bars.report("bytes of memory a line, of the import", bytes.toFixed(0), `<= ${BYTES_BAR}`, bytes <= BYTES_BAR);

  const file = path.join(folder, "long.strace");
  const fd = openSync(file, "w");
  for (const part of chunks(count)) writeSync(fd, part);
  closeSync(fd);
  const trace = path.join(folder, "long.trace");
  const short = runProgram(setting, "record", "lost-interrupted-error", "--stack", "native-linux", "-o", path.join(folder, "short.trace"));
  const { ms, peakKilobytes } = runProgram(setting, "record", file, "--stack", "native-linux", "-o", trace);
  const each = ((peakKilobytes - short.peakKilobytes) * 1024) / count;
  bars.report(
    "bytes of memory a line, of eintr record of it (emulation and verdict)",
    each.toFixed(0),
    `<= ${BYTES_BAR}`,
    each <= BYTES_BAR,
  );
  const reading = measureAlone("reading-lines", String(count));
  bars.tell("time of eintr record / CPU of reading the lines", times((ms - short.ms) / reading));
  bars.tell("lines a second", Math.round((count / ms) * 1000).toLocaleString("en"));
  rmSync(trace, { recursive: true });
}
