/** The page's "Alarm() Emulation" (reference, 2.19): two threads, each in the order of its column on the page. */

import type { Diagram } from "../../support/flow-listing.ts";
import { handlers, SHORT } from "./shared.ts";

const PAGE = 'Current LibOS Flows, "Alarm() Emulation"';
const LIBOS = ["app", "libos"] as const;

/** What the page does not draw: locks and the heap. */
const LOCK_HELD = [
  { after: "install_async_event: malloc(async_event)", before: "install_async_event: time = ", as: "under the heap's lock" },
  {
    after: "install_async_event: lock(async_helper_lock)",
    before: "install_async_event: remove the previous entry",
    as: "the lock is taken",
  },
  { after: "install_async_event: unlock(async_helper_lock)", before: "install_async_event: set_event", as: "the lock is released" },
];
const HEAP = { after: "append_signal: malloc(shim_signal)", before: "append_signal: allocate_signal_log", as: "under the heap's lock" };
/** Shown in libos-blocked.flow. */
const RESERVE = {
  after: "append_signal: allocate_signal_log(sig): reserve a slot",
  before: "append_signal: append signal",
  as: "the tail moves, has_signal goes up",
};

const INSTALL: [string, string][] = [
  ["shim_do_alarm(seconds)", "shim_alarm: shim_do_alarm()"],
  ["install_async_event(seconds, callback = signal_alarm)", "shim_do_alarm: install_async_event(seconds, callback = signal_alarm)"],
  ["time = DkSystemTimeQuery()", "install_async_event: time = DkSystemTimeQuery()"],
  [
    "event = struct async_event(callback, caller, install_time, expire_time)",
    "install_async_event: event = struct async_event(callback, caller = app-thread",
  ],
  ["append event to global async_list", "install_async_event: append event to global async_list"],
  ["create_async_helper()  < if not alive >", "install_async_event: create_async_helper()  < if not alive >"],
  ["thread_create(shim_async_helper)", "create_async_helper: thread_create(shim_async_helper)"],
  ["set_event(async_helper_event): DkStreamWrite(async_helper_event)", "install_async_event: set_event: DkStreamWrite(async_helper_event)"],
];

const FIRE: [string, string][] = [
  ["timeout fired: call event.callback", "shim_async_helper: timeout fired: call event.callback"],
  ["signal_alarm(event.caller)", "shim_async_helper: signal_alarm(event.caller)"],
  ["append_signal(app-thread, SIGALRM, wakeup = true)", "signal_alarm: append_signal(app-thread, SIGALRM, wakeup = true)"],
  ["shim_signal signal = (info = NULL, context_stored = false, context = NULL, pal_context = NULL)", "append_signal: malloc(shim_signal)"],
  ["< allocate_signal_log(SIGALRM) and append signal >", "append_signal: append signal"],
  [
    "DkThreadResume(app-thread) < send SIGCONT to app-thread via tgkill() >",
    "append_signal: DkThreadResume(thread)  < SIGCONT via tgkill() >",
  ],
];

const DELIVERED: [string, string][] = [
  ["< SIGCONT delivered >", "(outside): the kernel pushes a signal frame"],
  ["< resume_upcall() with pending SIGALRM >", "resume_upcall: __handle_signal(signal-num = 0, context = NULL)"],
];

const WAIT: [string, string][] = [
  ["shim_async_helper()", "shim_async_helper: async helper thread started"],
  [
    "DkStreamsWaitEvents(array = { global async_helper_event }, timeout)",
    "shim_async_helper: DkObjectsWaitAny({ async_helper_event }, timeout)",
  ],
  ["(DkStreamWrite arrives)", "shim_async_helper: clear_event: DkStreamRead(async_helper_event)"],
  ["DkStreamsWaitEvents(..., timeout = event.expire_time)", "shim_async_helper: DkObjectsWaitAny({ async_helper_event }, timeout)"],
];

const alarm: Diagram = {
  name: "libos-alarm",
  page: PAGE,
  reference: "2.19",
  scenario: "alarm",
  stack: "graphene-linux",
  interval: {
    from: "libc alarm: shim_alarm()",
    to: "libc nanosleep: back in the application",
    layers: LIBOS,
    threads: ["main", "async-helper"],
    fold: [...LOCK_HELD, HEAP, RESERVE],
  },
  order: {
    main: [...INSTALL, ["... app-thread code continues ...", "libc alarm: back in the application"], ...DELIVERED],
    "async-helper": [...WAIT, ["... sleep until timeout ...", "shim_async_helper: the event pipe is readable?"], ...FIRE],
  },
  notAsOnThePage: [
    {
      id: "D9",
      page: "SIGALRM is blocked in Graphene",
      code: "no host mask is set anywhere: see libos-alarm-external.flow",
      never: "host.sigprocmask",
    },
    {
      id: "D13",
      page: "caller = app-thread",
      code: "yes: SIGALRM goes to the thread that called alarm(), not to the process (libos-alarm-directed.flow)",
      at: "append_signal: append signal  [libos.signal.append SIGALRM to main]",
    },
    {
      id: "D14",
      page: "sleep until timeout, then call the callback",
      code: "any NULL result of the wait counts as the timeout (libos-alarm-early.flow)",
      at: "shim_async_helper: the event pipe is readable? -> no",
    },
    {
      id: "2.19",
      page: "event = async_list.pop() before the wait",
      code: "the entry stays in the list during the wait and the callback, and is taken out afterwards, under the lock",
      at: "shim_async_helper: async_list.pop()",
    },
    {
      id: "2.19",
      page: "DkStreamsWaitEvents",
      code: "DkObjectsWaitAny: the page has the later name",
      at: "shim_async_helper: DkObjectsWaitAny({ async_helper_event }, timeout)",
    },
    {
      id: "2.19",
      page: "leaves out the cancelling of an earlier entry",
      code: "before the new entry the last one of the list goes, whatever it is (libos-alarm-cancel.flow)",
      at: "install_async_event: remove the previous entry, remember its remaining time",
    },
  ],
};

const directed: Diagram = {
  name: "libos-alarm-directed",
  page: PAGE,
  reference: "2.19, D13",
  scenario: {
    main: [...handlers("SIGALRM"), { clone: "waiter" }, { nanosleep: "3s" }],
    programs: { waiter: [{ alarm: "1s" }, { nanosleep: "2s" }] },
    handlers: SHORT,
  },
  stack: "graphene-linux",
  interval: {
    from: "shim_async_helper: timeout fired: call event.callback",
    to: "libc nanosleep: back in the application",
    layers: LIBOS,
    threads: ["waiter", "async-helper"],
    fold: [HEAP, RESERVE],
  },
  order: { waiter: DELIVERED, "async-helper": FIRE },
  notAsOnThePage: [
    {
      id: "D13",
      page: "caller = app-thread",
      code: "the caller of alarm() gets it, a second thread here; on Linux SIGALRM is for the process and goes to the main thread",
      at: "append_signal: append signal  [libos.signal.append SIGALRM to waiter]",
    },
  ],
};

const early: Diagram = {
  name: "libos-alarm-early",
  page: PAGE,
  reference: "2.19, D14 (3.2 alarm-fires-early)",
  scenario: {
    main: [...handlers("SIGALRM"), { alarm: "10s" }, { nanosleep: "20s" }],
    handlers: SHORT,
    signals: [{ signal: "SIGINT", thread: "async-helper", when: { at: "1s" } }],
  },
  stack: "graphene-linux",
  interval: {
    from: "(outside): a signal arrives",
    to: "shim_async_helper: async_list.pop()",
    layers: [...LIBOS, "host"],
    threads: ["async-helper"],
    fold: [HEAP, RESERVE],
  },
  order: { "async-helper": [["... sleep until timeout ...", "shim_async_helper: the event pipe is readable?"], ...FIRE] },
  notAsOnThePage: [
    {
      id: "D14",
      page: "sleep until timeout, then call the callback",
      code: "SIGINT ends the helper's wait, and the alarm of 10 s fires after one",
      at: "host wait-any: wait-any: wait is over  [thread.wake interrupted]",
    },
    {
      id: "D14",
      page: "timeout fired",
      code: "neither the clock nor the error is looked at between the wait and the callback",
      at: 'shim_async_helper: timeout fired: call event.callback  ["alarm"]',
    },
  ],
};

const cancel: Diagram = {
  name: "libos-alarm-cancel",
  page: PAGE,
  reference: "2.19 step 2 (3.1 async-list-redundant-cancel)",
  scenario: "async-list-cancel",
  stack: "graphene-linux",
  interval: {
    from: "shim_do_ioctl: install_async_event",
    to: "shim_do_ioctl: return",
    layers: LIBOS,
    fold: [...LOCK_HELD],
  },
  order: {
    main: [
      ["install_async_event(...)", "shim_do_ioctl: install_async_event"],
      ["time = DkSystemTimeQuery()", "install_async_event: time = DkSystemTimeQuery()"],
      ["event = struct async_event(...)", "install_async_event: event = struct async_event("],
    ],
  },
  notAsOnThePage: [
    {
      id: "2.19",
      page: "append event to global async_list",
      code: "the last entry is removed first, here an alarm by an ioctl that knows nothing of it",
      at: '["removed the entry of alarm for io"]',
    },
    {
      id: "2.19",
      page: "append event to global async_list",
      code: "an event with time 0 is freed instead",
      never: "install_async_event: append event to global async_list",
    },
  ],
};

const external: Diagram = {
  name: "libos-alarm-external",
  page: PAGE,
  reference: "2.19, D9",
  scenario: {
    main: [...handlers("SIGALRM"), { compute: "1ms" }],
    handlers: SHORT,
    signals: [{ signal: "SIGALRM", when: { at: "600us" } }],
  },
  stack: "graphene-sgx",
  interval: { from: "(outside): a signal arrives", to: "(outside): the host ends the thread" },
  order: { main: [["SIGALRM from outside", "(outside): a signal arrives"]] },
  notAsOnThePage: [
    {
      id: "D9",
      page: "SIGALRM signal is blocked in Graphene",
      code: "neither blocked nor handled: an external one has its default action and kills the host process",
      at: "(outside): the kernel takes the default action  [host.signal.default SIGALRM]",
    },
    {
      id: "D9",
      page: "generated and raised purely by LibOS",
      code: "the LibOS never sees it, nor does the application's handler",
      never: "libos",
    },
  ],
};

export const ALARM: readonly Diagram[] = [alarm, directed, early, cancel, external];
