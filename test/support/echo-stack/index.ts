/**
 * A generation in one folder, for the test that adds one: a library OS that answers each call with an echo. It has state, columns, an event
 * and hops of its own, none of which another part of the program knows. `../test-stacks.ts` has its line in the list.
 */

import { newFrame } from "../../../engine/control.ts";
import type { Cpu as MachineCpu } from "../../../engine/cpu.ts";
import { flowFor } from "../../../engine/flow.ts";
import { enter } from "../../../engine/frames.ts";
import { endProcess } from "../../../engine/host/process-state.ts";
import { restorer } from "../../../engine/host/restorer.ts";
import type { Flow } from "../../../engine/index.ts";
import { ref } from "../../../engine/ref.ts";
import { record } from "../../../engine/search/layout.ts";
import { SIG } from "../../../engine/signals.ts";
import { HOST_HOPS } from "../../../engine/stack/shown.ts";
import { declareStack, NOTHING_KEPT } from "../../../engine/stack/stack.ts";
import { resultLine, stackLines, stateLine, threadLine } from "../../../engine/stack/state-lines.ts";
import { endThread } from "../../../engine/threads.ts";
import { WHY } from "../../../engine/transition.ts";
import type { EchoProcess, EchoThread } from "./state.ts";

type Cpu = MachineCpu<EchoThread, EchoProcess>;
const flow = flowFor<Cpu>();

const SOURCE = "echo 1";
const start = ref("echo_start");
const program = ref("echo_program");
const call = ref("libc echo");
const shim = ref("shim_echo");
const chamber = ref<{ readonly id: number }>("echo_chamber");

/** Its only event. Upcalls of it carry the number of echoes, not a signal's id. */
const ECHO = 3;

const signal = (c: Cpu, id: number, value = 0): void => {
  c.signal = SIG.USR1;
  c.value = value;
  c.extra = id;
};

const flows = (): Flow[] => [
  restorer("libos"),
  flow(start, "libos", SOURCE, ({ act, callDynamic }) => [
    act("the process starts", (c) => (c.value = c.process(c.t).parent), "process.start"),
    callDynamic("main()", (c) => enter(c.program, program, {})),
  ]),
  flow(program, "app", "", ({ act, call: invoke }) => [
    ...[1, 2].map((number) =>
      invoke(
        `echo(${number})`,
        call,
        (c) => {
          c.value = number;
          return {};
        },
        "app.call",
      ),
    ),
    act("exit_group(0)", (c) => endProcess(c, c.process(c.t), { status: 0, why: WHY.EXIT, signal: 0 }, c.t)),
    act("the thread is gone", (c) => endThread(c, c.t), "thread.exit"),
  ]),
  flow(call, "app", SOURCE, ({ call: invoke, ret }) => [
    invoke("shim_echo()", shim, undefined, "libos.syscall.enter"),
    ret("back in the application", (c) => (c.value = c.t.rax), "app.return"),
  ]),
  flow(shim, "libos", SOURCE, ({ act, call: invoke, ret }) => [
    act("say it", (c) => {
      c.process(c.t).libos.said = "hello";
      c.t.libos.waiting = 1;
    }),
    invoke("into the chamber", chamber, (c) => ({ id: c.newSignalId() })),
    ret(
      "what came back",
      (c) => {
        c.t.rax = c.t.libos.echoes;
        c.value = c.t.rax;
      },
      "libos.syscall.exit",
    ),
  ]),
  flow(chamber, "libos", SOURCE, ({ act, ret }) => [
    act("the host hears it", (c, v) => signal(c, v.id, c.t.id), "host.signal.generate"),
    act(
      "the wall answers",
      (c) => {
        c.t.libos.echoes += 1;
        c.value = ECHO;
        // No id: a reader that took it for one would see a signal of that number.
        c.extra = 1000 + c.t.libos.echoes;
      },
      "libos.upcall.enter",
    ),
    act("keep the echo", (c, v) => signal(c, v.id, c.t.id), "libos.signal.append"),
    act("hear the echo", (c, v) => signal(c, v.id), "app.handler.enter"),
    act("the echo fades", (c, v) => signal(c, v.id), "app.handler.return"),
    ret("silence", (c) => {
      c.t.libos.waiting = 0;
    }),
  ]),
];

export const echo = declareStack<EchoThread, EchoProcess>({
  ...NOTHING_KEPT,
  text: "a stack of the tests: every call is answered by an echo",
  flows,
  boot: start,
  bootThread: (compiled, number) => newFrame(compiled, number, {}),
  enclave: false,
  columns: { cssa: null, preempt: (t) => t.libos.echoes, pending: (t) => t.libos.waiting },
  state: {
    ...NOTHING_KEPT.state,
    newThread(_, t) {
      t.libos = { echoes: 0, waiting: 0 };
    },
    newProcess(_, p) {
      p.libos = { said: "" };
    },
  },
  layout: {
    thread: { ...NOTHING_KEPT.layout.thread, libos: record<EchoThread["libos"]>("EchoThread", {}) },
    process: { ...NOTHING_KEPT.layout.process, libos: record<EchoProcess["libos"]>("EchoProcess", {}) },
  },
  events: { name: (event) => (event === ECHO ? "ECHO_OF_A_CALL" : `echo event ${event}`), withoutSignal: [ECHO], consumed: [] },
  hops: { ...HOST_HOPS, appended: "in the echo chamber" },
  stateLines: (v) => [
    threadLine(v),
    stateLine("echoes", `echoes heard ${v.thread.libos.echoes}, ${v.thread.libos.waiting} on the way`),
    stateLine("said", `said last "${v.process?.libos.said ?? ""}"`),
    resultLine(v),
    ...stackLines("calls", v.thread.host, v.program),
  ],
});
