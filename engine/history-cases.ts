/** Written by test/engine/history.test.ts: the built-in cases on which a switch of the history changes the verdict, by stack. */

import type { FixName } from "./fixes.ts";

// biome-ignore format: a line for each stack
export const CHANGED_CASES: Readonly<Partial<Record<FixName, Readonly<Record<string, readonly string[]>>>>> = {
  "wakeup-lost-before-block": {
    "graphene-linux": ["server", "w12-pause-alarm"],
    "graphene-sgx": ["server", "w6-kill-fanout"],
    "graphene-pr347": ["server", "w12-pause-alarm"],
  },
  "sgx-interrupted-code-lost": {
    "graphene-sgx": ["async-in-pal", "async-outside-enclave", "lost-interrupted-error", "retry-doubles-data", "server", "w1-read-killed", "w1-read-stale", "w9-accept-sigchld", "w11-restart"],
  },
  "pause-never-returns": {
    "graphene-linux": ["stop-flag", "w12-pause-alarm"],
    "graphene-sgx": ["stop-flag", "w12-pause-alarm"],
    "graphene-pr347": ["stop-flag", "w12-pause-alarm"],
  },
  "sgx-nested-host-signal": {
    "graphene-sgx": ["int-and-term"],
  },
  "async-list-redundant-cancel": {
    "graphene-linux": ["async-list-cancel"],
    "graphene-sgx": ["async-list-cancel"],
    "graphene-pr347": ["async-list-cancel"],
  },
  "signal-delayed-breaks-preempt-assert": {
    "graphene-linux": ["w3-delayed-bit"],
    "graphene-sgx": ["w3-delayed-bit"],
    "graphene-pr347": ["server"],
  },
  "sigsuspend-ignores-pending": {
    "graphene-linux": ["w2-sigsuspend-pending"],
    "graphene-sgx": ["w2-sigsuspend-pending"],
    "graphene-pr347": [],
  },
  "default-action-table-wrong": {
    "graphene-linux": ["default-action"],
    "graphene-sgx": ["default-action"],
  },
  "sigsuspend-sleeps-with-thread-lock": {
    "graphene-linux": ["sigsuspend-lock", "w2-sigsuspend-pending"],
    "graphene-sgx": ["sigsuspend-lock", "w2-sigsuspend-pending"],
    "graphene-pr347": ["sigsuspend-flag", "sigsuspend-lock"],
  },
  "spurious-yield-per-pending": {
    "graphene-linux": ["server"],
    "graphene-sgx": ["server", "w6-kill-fanout"],
    "graphene-pr347": [],
  },
  "suspend-on-signal-dead-flag": {
    "graphene-linux": [],
    "graphene-sgx": [],
    "graphene-pr347": [],
    "graphene-pr1218": [],
  },
};
