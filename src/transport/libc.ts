import koffi from 'koffi';

/** The few calls of the C library that Node has no function for. Linux only. */
export interface Libc {
  /** Fills `value` and returns 0, or the error number. */
  getsockopt(fd: number, level: number, option: number, value: Buffer): number;
  /** A file descriptor that stands for a process (Linux 5.3), or -1. */
  pidfdOpen(pid: number): number;
  /** Whether a file descriptor is ready for reading; `undefined` when it cannot be asked. */
  isReadable(fd: number): boolean | undefined;
  /**
   * Takes a read lease on a file that is open for reading (fcntl(2), F_SETLEASE) and returns 0, or the error number: EAGAIN
   * while anybody has it open for writing. Until the file is closed, whoever wants to open it for writing waits.
   */
  leaseForReading(fd: number): number;
  /**
   * Has the kernel keep this process's memory from core dumps, from debuggers of the same user and from `/proc/<pid>/mem`
   * (prctl(2), PR_SET_DUMPABLE); returns 0, or the error number.
   */
  setUndumpable(): number;
}

const pidfdOpenNumber = 434;
const pollIn = 1;
const interrupted = 4;
const setLease = 1024;
const readLease = 0;
const setSignal = 10;
const setDumpable = 4;
/** The kernel's word that somebody waits for the lease; ignored by default, as its usual SIGIO is not. */
const sigurg = 23;

let loaded: Libc | undefined;

/** Loaded at the first use, so that commands that open no socket do not pay for it. */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

function load(): Libc {
  // The C library that Node itself runs on, so glibc and musl alike.
  const library = koffi.load(null);
  const getsockopt = library.func('int getsockopt(int, int, int, _Out_ void *, _Inout_ uint32_t *)');
  const syscall = library.func('long syscall(long, int, unsigned int)');
  const poll = library.func('int poll(_Inout_ void *, unsigned long, int)');
  const prctl = library.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)');
  const fcntl = library.func('fcntl', 'int', ['int', 'int', '...']);
  return {
    getsockopt: (fd, level, option, value) =>
      getsockopt(fd, level, option, value, [value.length]) === 0 ? 0 : koffi.errno(),
    pidfdOpen: (pid) => syscall(pidfdOpenNumber, pid, 0),
    isReadable: (fd) => {
      // struct pollfd { int fd; short events; short revents; }
      const request = Buffer.alloc(8);
      request.writeInt32LE(fd, 0);
      request.writeInt16LE(pollIn, 4);
      let ready: number;
      // A signal that arrives meanwhile (a profiler sends a thousand a second) says nothing about the file.
      do ready = poll(request, 1, 0);
      while (ready < 0 && koffi.errno() === interrupted);
      return ready < 0 ? undefined : (request.readInt16LE(6) & pollIn) !== 0;
    },
    leaseForReading: (fd) => {
      fcntl(fd, setSignal, 'int', sigurg);
      return fcntl(fd, setLease, 'int', readLease) === 0 ? 0 : koffi.errno();
    },
    setUndumpable: () => (prctl(setDumpable, 0, 0, 0, 0) === 0 ? 0 : koffi.errno()),
  };
}
