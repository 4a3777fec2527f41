import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { fault } from '../base/faults/fault.js';
import { libc } from './libc.js';
import type { UnixPeer } from './peer.js';

/**
 * Who connected to a unix socket, from the kernel, and a handle on that very process. The handle is a file descriptor that
 * closes with the connection; from then on the peer counts as gone.
 * Throws TRN0101 (no pid: another PID namespace), TRN0102 (gone already), TRN0103 (the kernel does not say).
 */
export function peerOfConnection(connection: Socket): UnixPeer {
  const { pid, uid, gid } = credentialsOf(connection);
  if (pid <= 0) throw fault('TRN0101', {});
  let handle: number | undefined = processHandle(connection, pid);
  connection.once('close', () => {
    if (handle !== undefined) closeSync(handle);
    handle = undefined;
  });
  // A process handle becomes readable when its process ends.
  const isAlive = () => handle !== undefined && libc().isReadable(handle) === false;
  return { kind: 'unix', pid, uid, gid, isAlive };
}

// From the kernel's include/uapi/asm-generic/socket.h.
const solSocket = 1;
const soPeerCred = 17;
const soPeerPidFd = 77;
const noSuchOption = 92;

function credentialsOf(connection: Socket): { pid: number; uid: number; gid: number } {
  const credentials = Buffer.alloc(12);
  if (libc().getsockopt(descriptorOf(connection), solSocket, soPeerCred, credentials) !== 0) {
    throw fault('TRN0103', {});
  }
  return {
    pid: credentials.readInt32LE(0),
    uid: credentials.readUInt32LE(4),
    gid: credentials.readUInt32LE(8),
  };
}

/**
 * Of the process that connected, whatever has become of its pid since (Linux 6.5). Older kernels look the pid up: right
 * unless the process ended, and its pid was used again, between connecting and being accepted.
 */
function processHandle(connection: Socket, pid: number): number {
  const handle = Buffer.alloc(4);
  const error = libc().getsockopt(descriptorOf(connection), solSocket, soPeerPidFd, handle);
  // Any other error than "no such option" means that the process is gone: its pid must not be looked up then.
  const found = error === 0 ? handle.readInt32LE(0) : error === noSuchOption ? libc().pidfdOpen(pid) : -1;
  if (found < 0) throw fault('TRN0102', { pid });
  return found;
}

/** Node has no public way to a socket's file descriptor. */
function descriptorOf(connection: Socket): number {
  const { _handle: handle } = connection as Socket & { _handle?: { fd?: number } };
  if (typeof handle?.fd !== 'number' || handle.fd < 0) throw fault('TRN0103', {});
  return handle.fd;
}
