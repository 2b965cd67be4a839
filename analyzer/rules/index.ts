/** All rules: a new one is a file here and a line in this list. */

import type { Rule } from "../rule.ts";
import { deadlock } from "./general/deadlock.ts";
import { eintrMissed } from "./general/eintr-missed.ts";
import { handlerStorm } from "./general/handler-storm.ts";
import { livelock } from "./general/livelock.ts";
import { lockHeldAcrossBlock } from "./general/lock-held-across-block.ts";
import { lostWakeup } from "./general/lost-wakeup.ts";
import { maskImbalance } from "./general/mask-imbalance.ts";
import { processDiedSilently } from "./general/process-died-silently.ts";
import { reentrancy } from "./general/reentrancy.ts";
import { signalNeverHandled } from "./general/signal-never-handled.ts";
import { slowDelivery } from "./general/slow-delivery.ts";
import { alarmLostInWorkerGap } from "./gramine/alarm-lost-in-worker-gap.ts";
import { blockedFaultReachesHandler } from "./gramine/blocked-fault-reaches-handler.ts";
import { connectNeverEintr } from "./gramine/connect-never-eintr.ts";
import { eventfdReadUninterruptible } from "./gramine/eventfd-read-uninterruptible.ts";
import { execKeepsAltstack } from "./gramine/exec-keeps-altstack.ts";
import { execWaitsForExit } from "./gramine/exec-waits-for-exit.ts";
import { exitKickLost } from "./gramine/exit-kick-lost.ts";
import { exitlessChildKeepsRpcMask } from "./gramine/exitless-child-keeps-rpc-mask.ts";
import { exitlessEintrIsEperm } from "./gramine/exitless-eintr-is-eperm.ts";
import { forcedSignalIgnoredLoop } from "./gramine/forced-signal-ignored-loop.ts";
import { forkAnswersEintr } from "./gramine/fork-answers-eintr.ts";
import { forkDropsAltstack } from "./gramine/fork-drops-altstack.ts";
import { futexRestartWithTimeout } from "./gramine/futex-restart-with-timeout.ts";
import { futexWakeLostOnTimeout } from "./gramine/futex-wake-lost-on-timeout.ts";
import { getitimerStaleAfterAlarm } from "./gramine/getitimer-stale-after-alarm.ts";
import { groupKillMissing } from "./gramine/group-kill-missing.ts";
import { hostSigtermNotInjected } from "./gramine/host-sigterm-not-injected.ts";
import { ignoredSignalEndsSleep } from "./gramine/ignored-signal-ends-sleep.ts";
import { int3KillsProcess } from "./gramine/int3-kills-process.ts";
import { ipcReplyFailureKillsReceiver } from "./gramine/ipc-reply-failure-kills-receiver.ts";
import { linuxFaultInUpcallHostKill } from "./gramine/linux-fault-in-upcall-host-kill.ts";
import { maskReplacedNotMerged } from "./gramine/mask-replaced-not-merged.ts";
import { notReadyFailLoop } from "./gramine/not-ready-fail-loop.ts";
import { orphanCannotReleaseItsId } from "./gramine/orphan-cannot-release-its-id.ts";
import { pendingHandlersInTurn } from "./gramine/pending-handlers-in-turn.ts";
import { pendingKeptWhenIgnored } from "./gramine/pending-kept-when-ignored.ts";
import { pendingSigtermBitOverwrite } from "./gramine/pending-sigterm-bit-overwrite.ts";
import { pipeAnswersEintr } from "./gramine/pipe-answers-eintr.ts";
import { pipeSpinlockSwallowsKick } from "./gramine/pipe-spinlock-swallows-kick.ts";
import { plainEintrFromFileIo } from "./gramine/plain-eintr-from-file-io.ts";
import { ppollIgnoresPending } from "./gramine/ppoll-ignores-pending.ts";
import { processSignalNotRetargeted } from "./gramine/process-signal-not-retargeted.ts";
import { processSignalToSender } from "./gramine/process-signal-to-sender.ts";
import { recvLockSwallowsKick } from "./gramine/recv-lock-swallows-kick.ts";
import { rtDefaultIgnored } from "./gramine/rt-default-ignored.ts";
import { sgxFaultWithoutExinfo } from "./gramine/sgx-fault-without-exinfo.ts";
import { sgxQuitOverwrittenInOcall } from "./gramine/sgx-quit-overwritten-in-ocall.ts";
import { sgxUsr2KeptByPal } from "./gramine/sgx-usr2-kept-by-pal.ts";
import { shutdownSkippedByPendingEvent } from "./gramine/shutdown-skipped-by-pending-event.ts";
import { sigframeOnBadStack } from "./gramine/sigframe-on-bad-stack.ts";
import { sigpipeProcessDirected } from "./gramine/sigpipe-process-directed.ts";
import { sigprocmaskOldsetReadonly } from "./gramine/sigprocmask-oldset-readonly.ts";
import { sigtermConsumedWakeStorm } from "./gramine/sigterm-consumed-wake-storm.ts";
import { sigtermStarvedByBlockedPending } from "./gramine/sigterm-starved-by-blocked-pending.ts";
import { sigtermToParkedMain } from "./gramine/sigterm-to-parked-main.ts";
import { timeoutStartsOver } from "./gramine/timeout-starts-over.ts";
import { tlsWriteEintrSubstitution } from "./gramine/tls-write-eintr-substitution.ts";
import { wait4EintrThoughChildEnded } from "./gramine/wait4-eintr-though-child-ended.ts";
import { wait4UnlocksUnheldLock } from "./gramine/wait4-unlocks-unheld-lock.ts";
import { zombieWhenIgnored } from "./gramine/zombie-when-ignored.ts";
import { alarmFiresEarly } from "./libos/alarm-fires-early.ts";
import { alarmRoundsUp } from "./libos/alarm-rounds-up.ts";
import { appendSignalGarbageContextPointer } from "./libos/append-signal-garbage-context-pointer.ts";
import { asyncListRedundantCancel } from "./libos/async-list-redundant-cancel.ts";
import { blockedOrIgnoredSignalInterrupts } from "./libos/blocked-or-ignored-signal-interrupts.ts";
import { callNotImplemented } from "./libos/call-not-implemented.ts";
import { defaultActionTableWrong } from "./libos/default-action-table-wrong.ts";
import { defaultKillOneThread } from "./libos/default-kill-one-thread.ts";
import { eintrBecomesTimeout } from "./libos/eintr-becomes-timeout.ts";
import { eintrSwallowedByWaitLoops } from "./libos/eintr-swallowed-by-wait-loops.ts";
import { epollTimeoutInMicroseconds } from "./libos/epoll-timeout-in-microseconds.ts";
import { exitGroupStatusLost } from "./libos/exit-group-status-lost.ts";
import { exitSignalRace } from "./libos/exit-signal-race.ts";
import { futexCriticalSectionKilled } from "./libos/futex-critical-section-killed.ts";
import { handlerLongjmpPreemptLeak } from "./libos/handler-longjmp-preempt-leak.ts";
import { handlerMaskNotSet } from "./libos/handler-mask-not-set.ts";
import { hostDefaultSignalKills } from "./libos/host-default-signal-kills.ts";
import { hostSigcontOnlyWakes } from "./libos/host-sigcont-only-wakes.ts";
import { hostSignalEatenByHelper } from "./libos/host-signal-eaten-by-helper.ts";
import { internalFaultOnUserPointer } from "./libos/internal-fault-on-user-pointer.ts";
import { killSignalZeroOob } from "./libos/kill-signal-zero-oob.ts";
import { libosHeapLockSelfDeadlock } from "./libos/libos-heap-lock-self-deadlock.ts";
import { nanosleepRemainingWrong } from "./libos/nanosleep-remaining-wrong.ts";
import { nestedPendingStuckUntilSyscall } from "./libos/nested-pending-stuck-until-syscall.ts";
import { palErrnoClobberedByHandler } from "./libos/pal-errno-clobbered-by-handler.ts";
import { pauseNeverReturns } from "./libos/pause-never-returns.ts";
import { pendingScanNoRewind } from "./libos/pending-scan-no-rewind.ts";
import { perThreadDispositions } from "./libos/per-thread-dispositions.ts";
import { readNotSeenAsSyscall } from "./libos/read-not-seen-as-syscall.ts";
import { resethandWithIgnore } from "./libos/resethand-with-ignore.ts";
import { rtSignalNeverFlushed } from "./libos/rt-signal-never-flushed.ts";
import { saMaskAndFlagsIgnored } from "./libos/sa-mask-and-flags-ignored.ts";
import { saResethandConsumedOnAppend } from "./libos/sa-resethand-consumed-on-append.ts";
import { setitimerNeverSignals } from "./libos/setitimer-never-signals.ts";
import { sigchldWakesChildNotParent } from "./libos/sigchld-wakes-child-not-parent.ts";
import { siginfoDiffers } from "./libos/siginfo-differs.ts";
import { siginfoIncomplete } from "./libos/siginfo-incomplete.ts";
import { sigkillBlockable } from "./libos/sigkill-blockable.ts";
import { signalDelayedBreaksPreemptAssert } from "./libos/signal-delayed-breaks-preempt-assert.ts";
import { signalFanoutAllThreads } from "./libos/signal-fanout-all-threads.ts";
import { signalLogCasFalseSuccess } from "./libos/signal-log-cas-false-success.ts";
import { signalLogFullDrop } from "./libos/signal-log-full-drop.ts";
import { sigpipeNotRaised } from "./libos/sigpipe-not-raised.ts";
import { sigsuspendIgnoresPending } from "./libos/sigsuspend-ignores-pending.ts";
import { sigsuspendMaskBackTooEarly } from "./libos/sigsuspend-mask-back-too-early.ts";
import { sigsuspendSleepsWithThreadLock } from "./libos/sigsuspend-sleeps-with-thread-lock.ts";
import { spuriousYieldPerPending } from "./libos/spurious-yield-per-pending.ts";
import { syncSignalDeferredLivelock } from "./libos/sync-signal-deferred-livelock.ts";
import { tgkillToEndedThread } from "./libos/tgkill-to-ended-thread.ts";
import { wait4ChildrenOfThread } from "./libos/wait4-children-of-thread.ts";
import { wakeupLostBeforeBlock } from "./libos/wakeup-lost-before-block.ts";
import { eventWaitEintr } from "./linux/event-wait-eintr.ts";
import { linuxAltstackUnused } from "./linux/linux-altstack-unused.ts";
import { linuxHandlerInHostSignalContext } from "./linux/linux-handler-in-host-signal-context.ts";
import { linuxNestedPendingDrain } from "./linux/linux-nested-pending-drain.ts";
import { linuxPalMallocInHandler } from "./linux/linux-pal-malloc-in-handler.ts";
import { linuxSentFaultInPal } from "./linux/linux-sent-fault-in-pal.ts";
import { linuxThreadExitWindow } from "./linux/linux-thread-exit-window.ts";
import { linuxVdsoMisclassified } from "./linux/linux-vdso-misclassified.ts";
import { palPendAfterCheck } from "./linux/pal-pend-after-check.ts";
import { partialHandleReceive } from "./linux/partial-handle-receive.ts";
import { pr347BlockedPendingSpins } from "./pr347/pr347-blocked-pending-spins.ts";
import { pr347DefaultActionAsHandler } from "./pr347/pr347-default-action-as-handler.ts";
import { pr347LostInLibos } from "./pr347/pr347-lost-in-libos.ts";
import { pr347SameNumberDrop } from "./pr347/pr347-same-number-drop.ts";
import { pr347SiginfoGarbage } from "./pr347/pr347-siginfo-garbage.ts";
import { pr347SigreturnSpins } from "./pr347/pr347-sigreturn-spins.ts";
import { pr347TailChainWildReturn } from "./pr347/pr347-tail-chain-wild-return.ts";
import { pr347TailSiginfoStale } from "./pr347/pr347-tail-siginfo-stale.ts";
import { handlerTableLockSelfDeadlock } from "./sgx/handler-table-lock-self-deadlock.ts";
import { sgxCompletedOcallResultLost } from "./sgx/sgx-completed-ocall-result-lost.ts";
import { sgxEexitLibcLock } from "./sgx/sgx-eexit-libc-lock.ts";
import { sgxEframeStackClobber } from "./sgx/sgx-eframe-stack-clobber.ts";
import { sgxEventBeforeThreadReady } from "./sgx/sgx-event-before-thread-ready.ts";
import { sgxExitinfoStale } from "./sgx/sgx-exitinfo-stale.ts";
import { sgxHostMaskLeak } from "./sgx/sgx-host-mask-leak.ts";
import { sgxInheritedMaskDropped } from "./sgx/sgx-inherited-mask-dropped.ts";
import { sgxInjectedEvent } from "./sgx/sgx-injected-event.ts";
import { sgxInterruptedCodeLost } from "./sgx/sgx-interrupted-code-lost.ts";
import { sgxMemfaultNoAddress } from "./sgx/sgx-memfault-no-address.ts";
import { sgxNestedHostSignal } from "./sgx/sgx-nested-host-signal.ts";
import { sgxOcallAsmWindow } from "./sgx/sgx-ocall-asm-window.ts";
import { sgxRedzoneClobber } from "./sgx/sgx-redzone-clobber.ts";
import { sgxRspWindow } from "./sgx/sgx-rsp-window.ts";
import { sgxTimeQueryZero } from "./sgx/sgx-time-query-zero.ts";
import { sgxUnboundedAexFrames } from "./sgx/sgx-unbounded-aex-frames.ts";
import { sgxUnknownUdKillsThread } from "./sgx/sgx-unknown-ud-kills-thread.ts";
import { sgxUntrustedEventOverwrite } from "./sgx/sgx-untrusted-event-overwrite.ts";
import { sgxUntrustedFaultKillsThreadOnly } from "./sgx/sgx-untrusted-fault-kills-thread-only.ts";
import { sgxUstackResetClobber } from "./sgx/sgx-ustack-reset-clobber.ts";
import { sgxWakeupOcallAbandoned } from "./sgx/sgx-wakeup-ocall-abandoned.ts";
import { sgxXstateNotSaved } from "./sgx/sgx-xstate-not-saved.ts";
import { sigpipeKillsProcess } from "./sgx/sigpipe-kills-process.ts";

const rules: Rule[] = [
  // The library OS.
  alarmFiresEarly,
  alarmRoundsUp,
  appendSignalGarbageContextPointer,
  asyncListRedundantCancel,
  blockedOrIgnoredSignalInterrupts,
  callNotImplemented,
  defaultActionTableWrong,
  defaultKillOneThread,
  eintrBecomesTimeout,
  eintrSwallowedByWaitLoops,
  epollTimeoutInMicroseconds,
  exitGroupStatusLost,
  exitSignalRace,
  futexCriticalSectionKilled,
  handlerLongjmpPreemptLeak,
  hostDefaultSignalKills,
  hostSigcontOnlyWakes,
  hostSignalEatenByHelper,
  internalFaultOnUserPointer,
  killSignalZeroOob,
  libosHeapLockSelfDeadlock,
  nanosleepRemainingWrong,
  nestedPendingStuckUntilSyscall,
  palErrnoClobberedByHandler,
  pauseNeverReturns,
  pendingScanNoRewind,
  perThreadDispositions,
  readNotSeenAsSyscall,
  resethandWithIgnore,
  rtSignalNeverFlushed,
  saMaskAndFlagsIgnored,
  saResethandConsumedOnAppend,
  setitimerNeverSignals,
  sigchldWakesChildNotParent,
  siginfoIncomplete,
  siginfoDiffers,
  handlerMaskNotSet,
  sigkillBlockable,
  signalDelayedBreaksPreemptAssert,
  signalFanoutAllThreads,
  signalLogCasFalseSuccess,
  signalLogFullDrop,
  sigpipeNotRaised,
  sigsuspendIgnoresPending,
  sigsuspendSleepsWithThreadLock,
  sigsuspendMaskBackTooEarly,
  spuriousYieldPerPending,
  syncSignalDeferredLivelock,
  tgkillToEndedThread,
  wait4ChildrenOfThread,
  wakeupLostBeforeBlock,
  // The PAL on Linux.
  linuxPalMallocInHandler,
  linuxNestedPendingDrain,
  linuxVdsoMisclassified,
  linuxAltstackUnused,
  linuxSentFaultInPal,
  linuxHandlerInHostSignalContext,
  linuxThreadExitWindow,
  palPendAfterCheck,
  partialHandleReceive,
  eventWaitEintr,
  // The PAL under SGX.
  sgxCompletedOcallResultLost,
  sgxInterruptedCodeLost,
  sigpipeKillsProcess,
  sgxEexitLibcLock,
  sgxInjectedEvent,
  sgxEventBeforeThreadReady,
  sgxUntrustedFaultKillsThreadOnly,
  sgxMemfaultNoAddress,
  sgxUnknownUdKillsThread,
  handlerTableLockSelfDeadlock,
  sgxTimeQueryZero,
  sgxWakeupOcallAbandoned,
  sgxNestedHostSignal,
  sgxHostMaskLeak,
  sgxInheritedMaskDropped,
  sgxUntrustedEventOverwrite,
  sgxExitinfoStale,
  sgxUnboundedAexFrames,
  sgxRspWindow,
  sgxOcallAsmWindow,
  sgxUstackResetClobber,
  sgxRedzoneClobber,
  sgxEframeStackClobber,
  sgxXstateNotSaved,
  // Pull request 347.
  pr347LostInLibos,
  pr347SameNumberDrop,
  pr347BlockedPendingSpins,
  pr347SigreturnSpins,
  pr347DefaultActionAsHandler,
  pr347TailChainWildReturn,
  pr347TailSiginfoStale,
  pr347SiginfoGarbage,
  // Gramine of today: what differs from Linux.
  alarmLostInWorkerGap,
  blockedFaultReachesHandler,
  connectNeverEintr,
  eventfdReadUninterruptible,
  execKeepsAltstack,
  execWaitsForExit,
  exitKickLost,
  exitlessChildKeepsRpcMask,
  exitlessEintrIsEperm,
  forcedSignalIgnoredLoop,
  forkAnswersEintr,
  forkDropsAltstack,
  futexRestartWithTimeout,
  futexWakeLostOnTimeout,
  getitimerStaleAfterAlarm,
  groupKillMissing,
  hostSigtermNotInjected,
  ignoredSignalEndsSleep,
  int3KillsProcess,
  ipcReplyFailureKillsReceiver,
  linuxFaultInUpcallHostKill,
  maskReplacedNotMerged,
  notReadyFailLoop,
  orphanCannotReleaseItsId,
  pendingHandlersInTurn,
  pendingKeptWhenIgnored,
  pendingSigtermBitOverwrite,
  pipeAnswersEintr,
  pipeSpinlockSwallowsKick,
  plainEintrFromFileIo,
  ppollIgnoresPending,
  processSignalNotRetargeted,
  processSignalToSender,
  recvLockSwallowsKick,
  rtDefaultIgnored,
  sgxFaultWithoutExinfo,
  sgxQuitOverwrittenInOcall,
  sgxUsr2KeptByPal,
  shutdownSkippedByPendingEvent,
  sigframeOnBadStack,
  sigpipeProcessDirected,
  sigprocmaskOldsetReadonly,
  sigtermConsumedWakeStorm,
  sigtermStarvedByBlockedPending,
  sigtermToParkedMain,
  timeoutStartsOver,
  tlsWriteEintrSubstitution,
  wait4EintrThoughChildEnded,
  wait4UnlocksUnheldLock,
  zombieWhenIgnored,
  // Those that need no knowledge of a stack: last, so that what a rule before has told is not told again.
  deadlock,
  eintrMissed,
  handlerStorm,
  livelock,
  lockHeldAcrossBlock,
  lostWakeup,
  maskImbalance,
  processDiedSilently,
  reentrancy,
  signalNeverHandled,
  slowDelivery,
];

export const RULES: readonly Rule[] = rules;

/** Adds a rule for as long as the process lives: all commands know it. Tests use it for rules of their own. An id that is taken throws. */
export function addRule(rule: Rule): void {
  if (rules.some(({ id }) => id === rule.id)) throw new Error(`a rule "${rule.id}" exists`);
  rules.push(rule);
}
