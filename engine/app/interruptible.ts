/** Calls that wait for somebody, so that a signal ends them (signal(7)). Others, such as those on files, are not cut short. */

const NAMES = `
  read readv write writev recv recvfrom recvmsg recvmmsg send sendto sendmsg sendmmsg connect accept accept4 wait4 waitid waitpid futex
  futex_waitv flock fcntl ioctl msgrcv msgsnd semop semtimedop poll ppoll select pselect6 epoll_wait epoll_pwait epoll_pwait2 nanosleep
  clock_nanosleep pause rt_sigsuspend rt_sigtimedwait mq_receive mq_timedreceive mq_send mq_timedsend io_getevents io_pgetevents
  io_uring_enter getrandom restart_syscall`;

export const INTERRUPTIBLE: ReadonlySet<string> = new Set(NAMES.trim().split(/\s+/));
