/* Two workers with a mutex and a condition, an interval timer, a signal from thread to thread. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static int turns;
static volatile sig_atomic_t ticks;

static void on_alarm(int signal) {
  (void)signal;
  ticks++;
  write(1, ".", 1);
}

static void on_usr1(int signal) {
  (void)signal;
  write(1, "!", 1);
}

static void *work(void *unused) {
  (void)unused;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  for (int i = 0; i < 5; i++) {
    struct timespec pause = {0, 7000000};
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&mutex);
    turns++;
    pthread_cond_signal(&ready);
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}

static void *sleeper(void *unused) {
  (void)unused;
  struct timespec pause = {5, 0};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  nanosleep(&pause, NULL);
  return NULL;
}

int main(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_alarm;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, NULL);
  action.sa_handler = on_usr1;
  action.sa_flags = 0;
  sigaction(SIGUSR1, &action, NULL);
  struct itimerval timer = {{0, 10000000 / 1000}, {0, 10000000 / 1000}};
  setitimer(ITIMER_REAL, &timer, NULL);
  pthread_t threads[3];
  pthread_create(&threads[0], NULL, work, NULL);
  pthread_create(&threads[1], NULL, work, NULL);
  pthread_create(&threads[2], NULL, sleeper, NULL);
  pthread_mutex_lock(&mutex);
  while (turns < 10)
    pthread_cond_wait(&ready, &mutex);
  pthread_mutex_unlock(&mutex);
  struct timespec pause = {0, 25000000};
  while (nanosleep(&pause, &pause) != 0) {
  }
  memset(&timer, 0, sizeof timer);
  setitimer(ITIMER_REAL, &timer, NULL);
  pthread_kill(threads[2], SIGUSR1);
  for (int i = 0; i < 3; i++)
    pthread_join(threads[i], NULL);
  return ticks > 2 ? 0 : 1;
}
