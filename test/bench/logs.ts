/** Long strace logs for the benchmark: the calls of real programs, in the length that strace gives them. */

const CHUNK = 1 << 20;

export type LogName = "server" | "processes";

/** Time stamps, 37 us apart. */
function clock(): () => string {
  let us = 0;
  return () => {
    us += 37;
    return `1700000${String(Math.floor(us / 1e6)).padStart(3, "0")}.${String(us % 1e6).padStart(6, "0")}`;
  };
}

/** A server of two threads under a timer's signals. */
function* server(count: number): Generator<string, void> {
  const at = clock();
  yield `10 ${at()} execve("./w", ["./w"], 0x7ffd /* 9 vars */) = 0 <0.000200>`;
  yield `10 ${at()} rt_sigaction(SIGALRM, {sa_handler=0x401100, sa_mask=[], sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x7f01}, NULL, 8) = 0 <0.000010>`;
  yield `10 ${at()} clone(child_stack=0x7f02, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM, parent_tid=[11]) = 11 <0.000080>`;
  for (let made = 3, i = 0; made < count; i += 1) {
    yield `10 ${at()} read(${3 + (i % 5)}, "GET /index.html HTTP/1.1\\r\\nHost: example.org\\r\\n"..., 16384) = 78 <0.000012>`;
    yield `10 ${at()} epoll_wait(5,  <unfinished ...>`;
    yield `11 ${at()} futex(0x7f0d${(i % 4096).toString(16)}, FUTEX_WAIT_PRIVATE, 2, NULL) = -1 EAGAIN (Resource temporarily unavailable) <0.000010>`;
    yield `10 ${at()} <... epoll_wait resumed>[{EPOLLIN, {u32=7, u64=7}}], 10128, 100) = 1 <0.000090>`;
    yield `10 ${at()} mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f58889f3000 <0.000020>`;
    yield `10 ${at()} write(7, "HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nabcd", 45) = 45 <0.000015>`;
    made += 6;
    if (i % 50 > 0) continue;
    yield `10 ${at()} --- SIGALRM {si_signo=SIGALRM, si_code=SI_USER, si_pid=1, si_uid=0} ---`;
    yield `10 ${at()} rt_sigreturn({mask=[]}) = 0 <0.000009>`;
    made += 2;
  }
}

/** A shell that starts one program after the other: 44 lines each, of a dynamic loader and an end, and the SIGCHLD. */
function* processes(count: number): Generator<string, void> {
  const at = clock();
  const action = "{sa_handler=0x401100, sa_mask=[], sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x7f01}";
  const none = action.replace("0x401100", "SIG_DFL");
  yield `10 ${at()} execve("/bin/sh", ["sh", "-c", "..."], 0x7ffd /* 9 vars */) = 0 <0.000200>`;
  yield `10 ${at()} rt_sigaction(SIGCHLD, ${action}, NULL, 8) = 0 <0.000010>`;
  for (let made = 4, pid = 11; made < count; pid += 1) {
    const base = `0x7f58${(pid % 65536).toString(16).padStart(4, "0")}000`;
    yield `10 ${at()} clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f0a) = ${pid} <0.000080>`;
    yield `10 ${at()} wait4(-1,  <unfinished ...>`;
    yield `${pid} ${at()} set_robust_list(0x7f0a20, 24) = 0 <0.000005>`;
    yield `${pid} ${at()} rt_sigaction(SIGCHLD, ${none}, ${action}, 8) = 0 <0.000010>`;
    yield `${pid} ${at()} execve("/usr/bin/true", ["true", "${pid}"], 0x55d2 /* 9 vars */) = 0 <0.000300>`;
    yield `${pid} ${at()} brk(NULL) = 0x55d2a${(pid % 4096).toString(16).padStart(3, "0")}000 <0.000004>`;
    for (let library = 0; library < 4; library += 1) {
      yield `${pid} ${at()} openat(AT_FDCWD, "/lib/x86_64-linux-gnu/lib${library}.so.6", O_RDONLY|O_CLOEXEC) = 3 <0.000012>`;
      yield `${pid} ${at()} read(3, "\\177ELF\\2\\1\\1\\3\\0\\0\\0\\0\\0\\0\\0\\0\\3\\0>\\0\\1\\0\\0\\0P"..., 832) = 832 <0.000005>`;
      yield `${pid} ${at()} newfstatat(3, "", {st_mode=S_IFREG|0755, st_size=1901536, ...}, AT_EMPTY_PATH) = 0 <0.000006>`;
      yield `${pid} ${at()} mmap(NULL, 1914496, PROT_READ, MAP_PRIVATE|MAP_DENYWRITE, 3, 0) = ${base} <0.000020>`;
      yield `${pid} ${at()} mprotect(${base}, 4096, PROT_NONE) = 0 <0.000009>`;
      yield `${pid} ${at()} mmap(0x7f5801, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED|MAP_DENYWRITE, 3, 0x26000) = 0x7f5801 <0.000020>`;
      yield `${pid} ${at()} close(3) = 0 <0.000004>`;
      yield `${pid} ${at()} munmap(0x7f5801, 20405) = 0 <0.000017>`;
    }
    yield `${pid} ${at()} write(1, "done\\n", 5) = 5 <0.000010>`;
    yield `${pid} ${at()} exit_group(0) = ?`;
    yield `${pid} ${at()} +++ exited with 0 +++`;
    yield `10 ${at()} <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = ${pid} <0.001400>`;
    yield `10 ${at()} --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=${pid}, si_uid=0, si_status=0, si_utime=0, si_stime=0} ---`;
    yield `10 ${at()} rt_sigreturn({mask=[]}) = ${pid} <0.000009>`;
    made += 44;
  }
  yield `10 ${at()} exit_group(0) = ?`;
  yield `10 ${at()} +++ exited with 0 +++`;
}

const LOGS = { server, processes };
export const isLogName = (name: string): name is LogName => name in LOGS;

/** A log of at least so many lines, in chunks as a file is read. */
export function* logChunks(name: LogName, count: number): Generator<Uint8Array, void> {
  let text: string[] = [];
  let length = 0;
  for (const line of LOGS[name](count)) {
    text.push(line, "\n");
    length += line.length + 1;
    if (length < CHUNK) continue;
    yield Buffer.from(text.join(""));
    text = [];
    length = 0;
  }
  yield Buffer.from(text.join(""));
}
