/** Work in pieces: `size` says how much a piece is. */
export interface Piece {
  readonly size: number;
  readonly lane: Lane;
}

/** Small calls and batches wait, and are worked on, without being in each other's way. */
export type Lane = 'small' | 'batch';

export interface FairQueue<Item extends Piece> {
  has(lane: Lane): boolean;
  /** The pieces of one call. */
  add(pieces: readonly Item[]): void;
  /** Back to the front. */
  putBack(piece: Item): void;
  /** One piece, and where it is a small one further small ones that go with it, up to a turn. Empty when there is none. */
  next(lane: Lane, goTogether: (first: Item, other: Item) => boolean): Item[];
}

/** Small calls are taken in their order, as many as go together; batches take turns piece by piece. */
export function fairQueue<Item extends Piece>(turn: number): FairQueue<Item> {
  const again: Record<Lane, Item[]> = { small: [], batch: [] };
  const small: Item[] = [];
  let batches: Item[][] = [];
  const nextOfBatches = (): Item[] => {
    const [batch, ...others] = batches;
    const piece = batch?.shift();
    if (batch) batches = batch.length > 0 ? [...others, batch] : others;
    return piece ? [piece] : [];
  };
  return {
    has: (lane) => again[lane].length + (lane === 'small' ? small : batches).length > 0,
    add: (pieces) => {
      const [first] = pieces;
      if (first?.lane === 'batch') batches.push([...pieces]);
      else small.push(...pieces);
    },
    putBack: (piece) => void again[piece.lane].push(piece),
    next: (lane, goTogether) => {
      const first = again[lane].shift();
      // Alone: it may be what a thread dies of.
      if (first) return [first];
      return lane === 'batch' ? nextOfBatches() : small.splice(0, fitting(small, turn, goTogether));
    },
  };
}

/** How many of the pieces at the front go together and fit into a turn; the first one always does. */
function fitting<Item extends Piece>(
  pieces: readonly Item[],
  turn: number,
  goTogether: (first: Item, other: Item) => boolean,
): number {
  const [head] = pieces;
  let size = 0;
  let count = 0;
  for (const piece of pieces) {
    size += piece.size;
    if (head !== piece && (size > turn || !head || !goTogether(head, piece))) break;
    count++;
  }
  return count;
}
