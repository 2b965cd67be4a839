/* read(2) from a pipe that stays empty, interrupted by SIGINT from outside; then a second read that gets data. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupts;

static void on_int(int signal) {
  (void)signal;
  interrupts++;
  write(1, "interrupted\n", 12);
}

int main(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_int;
  sigaction(SIGINT, &action, NULL);
  int ends[2];
  pipe(ends);
  char data[64];
  ssize_t first = read(ends[0], data, sizeof data);
  write(ends[1], "again", 5);
  ssize_t second = read(ends[0], data, sizeof data);
  return first == -1 && second == 5 && interrupts == 1 ? 0 : 1;
}
