/** Operations that wait for an object or for the outside world, and those that give the objects what is waited for. */

import * as z from "zod";
import { NEVER } from "../../time.ts";
import { AS_LINUX, done, object, operation, waiting } from "../operation.ts";
import { count, duration, name, names, signal } from "../values.ts";

const timeout = duration.default(NEVER).describe("the call ends after this time without what it waits for");
const mask = z.array(signal).max(1000).optional();
const INTERRUPTED = "A signal with a handler ends the wait with -EINTR, or starts it again after a handler with SA_RESTART.";
const ABANDONED =
  "Linux PAL: -EINTR, SA_RESTART or not, also for ignored and blocked signals. SGX: the PAL call is given up, and pal_errno decides: " +
  "0, or an older error (2.20).";

export const WAITING = {
  read: operation(
    {
      does: "read from a pipe, socket, terminal or file",
      linux: `Waits until a byte is there; 0 when the other end is closed. ${INTERRUPTED}`,
      graphene: `${ABANDONED} What an interrupted ocall has read already is lost. From a terminal a handler runs at the unlock.`,
      example: "read: { from: pipe, bytes: 64 }",
    },
    () =>
      z.strictObject({
        from: object("the pipe or socket; without it nothing ever comes, unless `takes` says when"),
        bytes: count.default(1).describe("bytes read at most"),
        ...waiting,
      }),
  ),
  write: operation(
    {
      does: "write to a pipe, socket, terminal or file",
      linux: "Puts the bytes into the object, which is never full. With the reading end closed: SIGPIPE and -EPIPE.",
      graphene:
        "A broken pipe is -ECONNRESET, a socket -EPIPE; under SGX both without SIGPIPE. An interrupted write may have sent its bytes and still answer 0.",
      example: "write: { to: pipe, bytes: 10 }",
    },
    () =>
      z.strictObject({
        to: object("the pipe or socket; without it the bytes go nowhere"),
        bytes: count.default(1).describe("bytes written"),
        ...waiting,
      }),
  ),
  accept: operation(
    {
      does: "take a connection",
      linux: `Waits for a connection, which an arrival brings. ${INTERRUPTED}`,
      graphene: `The handle's lock is held over the wait: handlers run at its unlock. ${ABANDONED}`,
      example: "accept: { on: listener }",
    },
    () => z.strictObject({ on: object("the listening socket"), ...waiting }),
  ),
  "receive-timeout": operation(
    {
      does: "limit how long reads and accepts of a socket wait (setsockopt SO_RCVTIMEO)",
      linux:
        "0; -ENOTSOCK for other objects. A wait ends with -EAGAIN when the time is over, and a signal with a handler ends it with -EINTR, " +
        "SA_RESTART or not.",
      graphene:
        "The PAL passes on the seconds alone, too few bytes for the host: -EINVAL, or for less than a second 0. No wait is limited. For a " +
        "unix socket 0.",
      example: "receive-timeout: { on: socket, for: 1s }",
    },
    () => z.strictObject({ on: name.describe("the socket"), for: duration.describe("how long; 0s for ever"), ...done }),
  ),
  close: operation(
    {
      does: "close the reading end of a pipe",
      linux: "Whoever waits in it is woken; later writes get SIGPIPE and -EPIPE.",
      graphene: AS_LINUX,
      example: "close: { what: pipe }",
      short: "what",
    },
    () => z.strictObject({ what: name.describe("the pipe") }),
  ),
  poll: operation(
    {
      does: "wait until one of several objects has data (also select)",
      linux: "Counts the objects that are ready; 0 after the timeout. A signal with a handler ends it with -EINTR, SA_RESTART or not.",
      graphene:
        "An interrupted wait looks like a timeout: 0, never -EINTR. The mask is not used. A descriptor that was closed ends the process.",
      example: "poll: { on: [pipe, socket], timeout: 5ms }",
    },
    () =>
      z.strictObject({
        on: names.optional().describe("the objects; without it only the timeout or `takes` ends the wait"),
        timeout,
        mask: mask.describe("signals blocked during the wait, in place of those that are (ppoll, epoll_pwait, pselect6)"),
        ...waiting,
      }),
  ),
  "epoll-wait": operation(
    {
      does: "wait until one of several objects has data, by epoll",
      linux: "Counts the objects that are ready; 0 after the timeout. A signal with a handler ends it with -EINTR, SA_RESTART or not.",
      graphene: "An interrupted wait looks like a timeout: 0. The timeout's milliseconds are taken for microseconds.",
      example: "epoll-wait: { on: [pipe], timeout: 5ms }",
    },
    () =>
      z.strictObject({
        on: names.optional().describe("the objects; without it only the timeout or `takes` ends the wait"),
        timeout,
        mask: mask.describe("signals blocked during the wait, in place of those that are (ppoll, epoll_pwait, pselect6)"),
        pwait2: z.boolean().default(false).describe("true: it is epoll_pwait2, which no library OS has: -ENOSYS"),
        ...waiting,
      }),
  ),
  select: operation(
    {
      does: "wait until one of several objects has data, by select",
      linux: "As poll. Without a handler it starts again with the time that is left.",
      graphene: "As poll; without objects it is nanosleep, with -EINTR.",
      example: "select: { on: [pipe], timeout: 5ms }",
    },
    () =>
      z.strictObject({
        on: names.optional().describe("the objects; without it only the timeout ends the wait"),
        timeout,
        mask: mask.describe("signals blocked during the wait, in place of those that are (pselect6)"),
        ...waiting,
      }),
  ),
  "futex-wait": operation(
    {
      does: "sleep on a word until it is woken",
      linux: `0 when woken, -ETIMEDOUT after the timeout. ${INTERRUPTED}`,
      graphene: `-EAGAIN of the PAL is taken for a timeout, also when it is of an older call; under SGX a timeout never ends it. ${ABANDONED}`,
      example: "futex-wait: { on: word, timeout: 10ms }",
    },
    () =>
      z.strictObject({
        on: object("the word"),
        timeout,
        changed: z.boolean().optional().describe("the word has another value by then: -EAGAIN at once"),
        ...waiting,
      }),
  ),
  "futex-wake": operation(
    {
      does: "wake sleepers on a word",
      linux: "The number of threads that were woken.",
      graphene: "As on Linux, with a PAL call for each.",
      example: "futex-wake: { on: word, count: 1 }",
    },
    () => z.strictObject({ on: name.describe("the word"), count: count.default(1).describe("threads to wake at most"), ...done }),
  ),
  semop: operation(
    {
      does: "take one from a semaphore",
      linux: "Waits until there is one; arrivals put some in. A signal with a handler ends it with -EINTR.",
      graphene: "The LibOS goes round its wait: never -EINTR.",
      example: "semop: { on: semaphore }",
    },
    () => z.strictObject({ on: object("the semaphore"), ...waiting }),
  ),
  msgrcv: operation(
    {
      does: "receive a message",
      linux: "Waits until there is one; arrivals put some in. A signal with a handler ends it with -EINTR.",
      graphene: "The LibOS goes round its wait: never -EINTR.",
      example: "msgrcv: { on: queue }",
    },
    () => z.strictObject({ on: object("the message queue"), ...waiting }),
  ),
} as const;
