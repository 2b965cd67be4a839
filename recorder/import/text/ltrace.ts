/** ltrace writes calls of libraries in nearly the form in which strace writes system calls. */

/** In a program's log of its library's calls there is one of these nearly always; none of them is a system call. */
const LIBRARY =
  "__libc_start_main|__errno_location|atoi|calloc|fclose|fflush|fgets|fopen|fprintf|fputs|free|getenv|malloc|memcpy|memset|perror|printf|" +
  "pthread_\\w+|putchar|puts|rand|realloc|setlocale|sigaddset|sigemptyset|sigfillset|sleep|snprintf|sprintf|srand|strchr|strcmp|strcpy|" +
  "strdup|strerror|strlen|strncmp|strtol|usleep|__\\w+_chk";

/** A line that only ltrace writes, with what strace has in front of its lines, too: process, time. */
const LTRACE = new RegExp(
  `^(?:\\[pid +\\d+\\] +|\\d+ +)?(?:[\\d:.]+ +)?(?:\\+\\+\\+ exited \\(status \\d+\\) \\+\\+\\+$|[\\w.+-]+->\\w+\\(|signal\\(\\d+, |(?:${LIBRARY})\\()`,
);

export const isOfLtrace = (line: string): boolean => LTRACE.test(line);
