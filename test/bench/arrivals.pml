/*
 * What search.ts searches, as far as Promela says it: threads that make calls under a lock and a preempt counter, with a stack of return
 * places, and a sender whose two signals arrive anywhere. The state has about as many bytes as the engine's has essential words.
 */
#define THREADS 3
#define CALLS 2
#define DEEP 6

typedef Context {
  int back[DEEP];
  int deep;
  int result;
  int preempt;
  int masked;
  int arrived;
  int own[4]
};

Context c[THREADS];
int lock;
int bytes;
int sent;

inline enter(place) { c[me].back[c[me].deep] = place; c[me].deep++ }
inline leave() { c[me].deep--; c[me].back[c[me].deep] = 0 }

proctype program(byte me) {
  int calls = 0;
  int before;
  do
  :: calls == CALLS -> break
  :: calls < CALLS ->
     enter(1);
     c[me].preempt++;
     atomic { lock == 0 -> lock = me + 1 };
     c[me].own[0] = c[me].own[0] + calls;
     lock = 0;
     if
     :: c[me].arrived > 0 && c[me].masked == 0 ->
        before = c[me].arrived;
        c[me].arrived = 0;
        enter(2);
        c[me].masked = before;
        c[me].own[1] = c[me].own[1] + 1;
        c[me].masked = 0;
        leave()
     :: else
     fi;
     c[me].result = bytes;
     c[me].preempt--;
     leave();
     calls++
  od;
  bytes++
}

proctype sender() {
  do
  :: sent == 2 -> break
  :: sent < 2 -> sent++; if :: c[0].arrived = 1 :: c[1].arrived = 1 :: c[2].arrived = 2 fi
  od
}

init { atomic { run program(0); run program(1); run program(2); run sender() } }
