/** Work in pieces: `size` says how much a piece is. */
export interface Piece {
  readonly size: number;
}

export interface FairQueue<Item extends Piece> {
  readonly isEmpty: boolean;
  /** `small` pieces go before the others, as long as they do not keep them waiting for long. */
  add(pieces: readonly Item[], small: boolean): void;
  /** Back to the front. */
  putBack(piece: Item): void;
  /** One piece, and where it is a small one further small ones that go with it, up to a turn. Empty when there is none. */
  next(goTogether: (first: Item, other: Item) => boolean): Item[];
}

/**
 * Small calls first, so that one SVID does not wait for batches of hundreds; batches take turns piece by piece. For every
 * `turn` of small work there is one piece of a batch, so nobody waits for ever.
 */
export function fairQueue<Item extends Piece>(turn: number): FairQueue<Item> {
  const first: Item[] = [];
  const small: Item[] = [];
  let batches: Item[][] = [];
  let smallSince = 0;
  const nextOfBatches = (): Item[] => {
    const [batch, ...others] = batches;
    const piece = batch?.shift();
    if (batch) batches = batch.length > 0 ? [...others, batch] : others;
    return piece ? [piece] : [];
  };
  return {
    get isEmpty() {
      return first.length + small.length + batches.length === 0;
    },
    add: (pieces, isSmall) => {
      if (isSmall) small.push(...pieces);
      else if (pieces.length > 0) batches.push([...pieces]);
    },
    putBack: (piece) => void first.push(piece),
    next: (goTogether) => {
      const again = first.shift();
      if (again) return [again];
      if (small.length === 0 || (smallSince >= turn && batches.length > 0)) {
        smallSince = 0;
        return nextOfBatches();
      }
      const taken = small.splice(0, fitting(small, turn, goTogether));
      smallSince += sizeOf(taken);
      return taken;
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

const sizeOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { size }) => sum + size, 0);
