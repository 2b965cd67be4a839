/* A handled fault left by siglongjmp, sigsuspend under another mask, a child killed by SIGKILL, abort in another child. */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf place;

static void on_segv(int signal) {
  (void)signal;
  siglongjmp(place, 1);
}

static void on_usr2(int signal) {
  (void)signal;
  write(1, "2", 1);
}

int main(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_segv;
  sigaction(SIGSEGV, &action, NULL);
  action.sa_handler = on_usr2;
  sigaction(SIGUSR2, &action, NULL);
  if (sigsetjmp(place, 1) == 0)
    *(volatile int *)8 = 1;

  sigset_t block, old;
  sigemptyset(&block);
  sigaddset(&block, SIGUSR2);
  sigprocmask(SIG_BLOCK, &block, &old);
  pid_t sender = fork();
  if (sender == 0) {
    usleep(20000);
    kill(getppid(), SIGUSR2);
    _exit(0);
  }
  sigsuspend(&old);
  sigprocmask(SIG_SETMASK, &old, NULL);
  waitpid(sender, NULL, 0);

  pid_t sleeper = fork();
  if (sleeper == 0) {
    pause();
    _exit(1);
  }
  usleep(20000);
  kill(sleeper, SIGKILL);
  waitpid(sleeper, NULL, 0);

  if (fork() == 0)
    abort();
  wait(NULL);
  return 0;
}
