/** A user's rule as a JavaScript module: rows go to a process of its own, findings come back. */

import { type ChildProcess, spawn } from "node:child_process";
import { setImmediate as turn } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import * as z from "zod/mini";
import { KIND_COUNT, KINDS, signalName } from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";
import { InputError } from "../io.ts";
import { RULE_CHILD } from "./child.ts";
import { checked, type ModuleFile, type UserRule } from "./load.ts";

/** Rows of a message. */
const BATCH = 2000;
/** An answer is waited for so long; the whole rule may take ten times as long. */
export const ANSWER_MS = 10_000;

const whole = z.number().check(z.refine((n) => Number.isSafeInteger(n) && n >= 0));
const form = z.object({
  error: z.optional(z.string()),
  rule: z.optional(z.object({ id: z.unknown(), title: z.unknown(), severity: z.unknown(), kinds: z.nullable(z.array(z.string())) })),
  findings: z.array(
    z.object({
      thread: z.nullable(whole),
      seq: whole,
      message: z.string(),
      costNs: z.number(),
      evidence: z.array(z.object({ seq: whole, caption: z.string() })),
    }),
  ),
});
export type ModuleFinding = z.infer<typeof form>["findings"][number];
type Answer = z.infer<typeof form>;

export interface RanModule {
  readonly rule: UserRule;
  readonly findings: readonly ModuleFinding[];
}

/** Throws InputError when the module is wrong, or was stopped because it took too long. `answerMs` is for tests. */
export async function runModule({ file }: ModuleFile, trace: Trace, signal: AbortSignal, answerMs = ANSWER_MS): Promise<RanModule> {
  const child = startChild(file, signal, answerMs);
  try {
    const begun = await child.ask({ begin: pathToFileURL(file).href });
    if (begun.rule === undefined) throw new InputError(`${file}: it did not begin`);
    const rule = checked(begun.rule, file, 'id: "my-rule"');
    const wanted = wantedKinds(begun.rule.kinds, file);
    const findings: ModuleFinding[] = [];
    const until = Date.now() + 10 * answerMs;
    const take = async (message: object): Promise<void> => {
      if (Date.now() > until) throw new InputError(`${file}: it took longer than ${(10 * answerMs) / 1000} s and was stopped`);
      findings.push(...(await child.ask(message)).findings);
      if (findings.length > 100_000) throw new InputError(`${file}: more than 100,000 findings`);
    };
    for await (const rows of batches(trace, wanted)) await take({ rows });
    await take({ end: true });
    return { rule, findings };
  } finally {
    child.stop();
  }
}

function wantedKinds(names: readonly string[] | null, file: string): Uint8Array {
  const wanted = new Uint8Array(KIND_COUNT);
  if (names === null) return wanted.fill(1);
  for (const name of names) {
    const id = KINDS.findIndex((kind) => kind.name === name);
    if (id < 0) throw new InputError(`${file}: kinds: no kind of transition is called "${name.slice(0, 60)}" (list: eintr schema --kinds)`);
    wanted[id] = 1;
  }
  return wanted;
}

async function* batches(trace: Trace, wanted: Uint8Array): AsyncGenerator<object[], void> {
  let rows: object[] = [];
  for (const block of trace.rows()) {
    for (let i = 0; i < block.n; i += 1) {
      const kind = block.kind[i] as number;
      if (wanted[kind] !== 1) continue;
      const [thread, signal, detail] = [block.thread[i] as number, block.signal[i] as number, block.detail[i] as number];
      const site = trace.sites[block.site[i] as number];
      rows.push({
        seq: block.seq0 + i,
        time: block.time[i],
        thread,
        threadName: trace.threads[thread]?.name ?? "",
        kind: KINDS[kind]?.name ?? "",
        signal: signal === 0 ? null : signalName(signal),
        value: block.value[i],
        extra: block.extra[i],
        flow: site?.flow ?? "",
        label: site?.label ?? "",
        text: trace.texts[detail] ?? "",
      });
      if (rows.length === BATCH) {
        yield rows;
        rows = [];
      }
    }
    await turn();
  }
  if (rows.length > 0) yield rows;
}

interface Asker {
  ask(message: object): Promise<Answer>;
  stop(): void;
}

/** Node's name for the permission model: from 23.5 on it is no experiment any more. */
const PERMISSION = process.allowedNodeEnvironmentFlags.has("--permission") ? "--permission" : "--experimental-permission";

function startChild(file: string, signal: AbortSignal, answerMs: number): Asker {
  const flags = [PERMISSION, `--allow-fs-read=${file}`, "--no-warnings", "--max-old-space-size=200", "-e", RULE_CHILD];
  const child: ChildProcess = spawn(process.execPath, flags, { stdio: ["ignore", "ignore", "pipe", "ipc"], env: {} });
  let complaint = "";
  let over: Error | null = null;
  let waiting: { resolve(answer: Answer): void; reject(error: Error): void } | null = null;

  const fail = (error: Error): void => {
    over ??= error;
    child.kill("SIGKILL");
    waiting?.reject(over);
    waiting = null;
  };
  const kill = (): void => void child.kill("SIGKILL");
  const aborted = (): void => fail(new InputError(`${file}: stopped`));
  process.once("exit", kill);
  signal.addEventListener("abort", aborted);
  child.stderr?.on("data", (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-4000);
  });
  child.on("error", (error) => fail(new InputError(`${file}: it cannot be started (${error.message})`)));
  child.on("close", () => fail(new InputError(`${file}: its process ended${reasonIn(complaint)}`)));
  child.on("message", (message) => {
    const parsed = form.safeParse(message);
    if (!parsed.success)
      return fail(new InputError(`${file}: it reports what is no finding: ${parsed.error.issues[0]?.path.join(".") ?? ""} is wrong`));
    if (parsed.data.error !== undefined) return fail(new InputError(`${file}: ${parsed.data.error}`));
    waiting?.resolve(parsed.data);
    waiting = null;
  });

  return {
    ask: (message) =>
      new Promise((resolve, reject) => {
        if (over !== null) return reject(over);
        const timer = setTimeout(() => fail(new InputError(`${file}: no answer for ${answerMs / 1000} s; it was stopped`)), answerMs);
        const done = (): void => clearTimeout(timer);
        waiting = {
          resolve: (answer) => {
            done();
            resolve(answer);
          },
          reject: (error) => {
            done();
            reject(error);
          },
        };
        child.send(message, (error) => {
          if (error !== null) fail(new InputError(`${file}: it cannot be asked (${error.message})`));
        });
      }),
    stop() {
      over ??= new InputError(`${file}: stopped`);
      process.removeListener("exit", kill);
      signal.removeEventListener("abort", aborted);
      child.kill("SIGKILL");
    },
  };
}

function reasonIn(complaint: string): string {
  const line = complaint.split("\n").find((text) => /Error|heap|memory/.test(text));
  return line === undefined ? ": out of memory, or it ended itself" : `: ${line.trim().slice(0, 300)}`;
}
