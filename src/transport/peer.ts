/**
 * Who is at the other end of a unix socket, as the kernel says (SO_PEERCRED), held so that a reused pid is not mistaken
 * for it.
 */
export interface UnixPeer {
  readonly kind: 'unix';
  /** Never 0: a peer whose pid cannot be seen (another PID namespace) is refused before it becomes a UnixPeer. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** Whether the very process that connected is still there (pidfd or start time, never the pid alone). */
  isAlive(): boolean;
}

/** Who is at the other end of a TLS connection: the certificates as presented, **not verified**. */
export interface TlsPeer {
  readonly kind: 'tls';
  /** DER, the leaf first; empty when the client presented none. */
  readonly presented: readonly Uint8Array[];
  readonly address: string;
}

export type Peer = UnixPeer | TlsPeer;
